// A kind that a CustomResourceDefinition declares, in one of its versions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/builtin/shape.hpp"
#include "cluster/conversion.hpp"
#include "cluster/crd/schema.hpp"
#include "cluster/fields/field_type.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

struct CustomSpec {
  KindNames names;
  KindTraits traits;
  ScalePaths scale;
  std::string stored_api_version;
  Convert convert{};  // empty: only the apiVersion differs
  Schema::Ptr schema;
  std::string openapi_schema;                   // the text that `schema` was compiled from
  std::shared_ptr<const Json> printer_columns;  // additionalPrinterColumns, null when there are none
  std::vector<std::string> selectable_fields;   // "spec.color"
};

class CustomKind final : public Kind {
 public:
  CustomKind(CustomSpec, Table&);

  [[nodiscard]] std::string stored_api_version() const override { return spec_.stored_api_version; }
  void to_served(Json& tree) const override;
  void to_stored(Json& tree) const override;
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
  [[nodiscard]] ScalePaths scale_paths() const override { return spec_.scale; }
  [[nodiscard]] std::vector<Column> columns() const override;
  [[nodiscard]] const fields::FieldType& field_type() const override { return field_types_.root(); }
  [[nodiscard]] const Schema* schema() const override { return spec_.schema.get(); }
  [[nodiscard]] std::string_view openapi_schema() const override { return spec_.openapi_schema; }
  [[nodiscard]] bool custom() const override { return true; }

 private:
  void convert(Json& tree, const std::string& api_version) const;
  void validate_type(const Json& tree, FieldErrors&) const;
  void validate_scale_spec(const Json& tree, FieldErrors&) const;
  void validate_scale_status(const Json& tree, FieldErrors&) const;

  CustomSpec spec_;
  fields::TypeArena field_types_;
  const Shape& metadata_;
};

}  // namespace kruise::cluster
