// The kind CustomResourceDefinition itself.
#pragma once

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
  [[nodiscard]] std::optional<std::string> selectable(const Json& tree, std::string_view field) const override;
  [[nodiscard]] bool is_selectable(std::string_view field) const override;
  [[nodiscard]] std::vector<Column> columns() const override;
};

}  // namespace kruise::cluster
