// The kind CustomResourceDefinition itself.
#pragma once

#include <string_view>

#include "base/time.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

class DefinitionKind final : public Kind {
 public:
  explicit DefinitionKind(Table&);

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
  [[nodiscard]] std::vector<Column> columns() const override;
  [[nodiscard]] const fields::FieldType& field_type() const override;
  [[nodiscard]] const Json& zero() const override;
  [[nodiscard]] std::string_view openapi_schema() const override;
  [[nodiscard]] bool keeps_while_deleting(const Json& tree) const override;
  void prepare_deletion(Json& tree) const override;
};

/// Objects of a definition that has it are deleted before the definition is.
inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

/// Names are accepted as they are wanted, and served from then on. False when the status says so already.
[[nodiscard]] bool establish(Json& tree, base::Time now);

}  // namespace kruise::cluster
