// Kinds that an API server brings along.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/builtin/shape.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// What a kind does beyond its shape; any may be null.
struct BuiltinRules {
  /// Defaults that depend on other fields.
  void (*set_defaults)(Json& tree) = nullptr;
  void (*prepare_create)(Json& tree) = nullptr;
  void (*prepare_update)(Json& now, const Json& before) = nullptr;
  void (*prepare_status_update)(Json& now, const Json& before) = nullptr;
  void (*validate)(const Json& tree, FieldErrors&) = nullptr;
  void (*validate_update)(const Json& now, const Json& before, FieldErrors&) = nullptr;
  bool (*keeps_while_deleting)(const Json& tree) = nullptr;
  void (*prepare_deletion)(Json& tree) = nullptr;
};

struct BuiltinSpec {
  KindNames names;
  KindTraits traits;
  BuiltinRules rules;
  std::vector<std::string> selectable_fields;  // beyond metadata.name and metadata.namespace
};

class BuiltinKind final : public Kind {
 public:
  BuiltinKind(BuiltinSpec, Table&);

  [[nodiscard]] std::optional<std::string> coerce(Json& tree, std::vector<std::string>& unknown) const override;
  void set_defaults(Json& tree) const override;
  void prepare_create(Json& tree) const override;
  void prepare_update(Json& now, const Json& before) const override;
  void prepare_status_update(Json& now, const Json& before) const override;
  void validate_create(const Json& tree, FieldErrors&) const override;
  void validate_update(const Json& now, const Json& before, FieldErrors&) const override;
  void validate_status_update(const Json& now, const Json& before, FieldErrors&) const override;
  [[nodiscard]] std::optional<std::string> selectable(const Object&, std::string_view field) const override;
  [[nodiscard]] bool is_selectable(std::string_view field) const override;
  [[nodiscard]] bool selects_own_fields() const override { return !selectable_fields_.empty(); }
  [[nodiscard]] std::vector<Column> columns() const override;
  [[nodiscard]] bool keeps_while_deleting(const Json& tree) const override;
  void prepare_deletion(Json& tree) const override;
  [[nodiscard]] const api::TypeInfo* merge_type() const override { return type_; }
  [[nodiscard]] const fields::FieldType& field_type() const override;
  [[nodiscard]] const Json& zero() const override { return *zero_; }

 private:
  BuiltinRules rules_;
  std::vector<std::string> selectable_fields_;
  const api::TypeInfo* type_;
  const Shape* shape_;
  std::shared_ptr<const Json> first_status_;
  std::shared_ptr<const Json> zero_;
};

/// Every built-in kind, in the order of discovery.
[[nodiscard]] const std::vector<BuiltinSpec>& builtin_specs();

}  // namespace kruise::cluster
