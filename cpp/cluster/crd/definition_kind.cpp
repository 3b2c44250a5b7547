#include "cluster/crd/definition_kind.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/builtin/shape.hpp"
#include "cluster/crd/definition_schema.hpp"
#include "cluster/crd/schema.hpp"
#include "cluster/fields/field_type.hpp"
#include "cluster/metadata.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tables/columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

KindNames definition_names() {
  return {.group = "apiextensions.k8s.io",
          .version = "v1",
          .kind = "CustomResourceDefinition",
          .plural = "customresourcedefinitions",
          .singular = "customresourcedefinition",
          .list_kind = "CustomResourceDefinitionList",
          .short_names = {"crd", "crds"},
          .categories = {"api-extensions"},
          .namespaced = false};
}

Json condition(std::string_view type, std::string_view reason, std::string_view message, std::string_view time) {
  return {{"type", type}, {"status", "True"}, {"reason", reason}, {"message", message}, {"lastTransitionTime", time}};
}

void remember_stored_versions(Json& tree) {
  Json& stored = object_in(tree, "status")["storedVersions"];
  if (!stored.is_array()) stored = Json::array();
  for (const Json& version : tree.at("spec").at("versions")) {
    const std::string name(text_of(version, "name"));
    if (bool_of(version, "storage") && std::ranges::find(stored, Json(name)) == stored.end()) stored.push_back(name);
  }
}

bool has_condition(const Json& tree, std::string_view type) {
  const Json* conditions = member_at(tree, {"status", "conditions"});
  return conditions != nullptr && conditions->is_array() &&
         std::ranges::any_of(*conditions, [&](const Json& one) { return text_of(one, "type") == type; });
}

void add_condition(Json& tree, Json condition) {
  Json& conditions = object_in(tree, "status")["conditions"];
  if (!conditions.is_array()) conditions = Json::array();
  conditions.push_back(std::move(condition));
}

void validate_versions(const Json& spec, FieldErrors& errors) {
  const Json* versions = member(spec, "versions");
  if (versions == nullptr || !versions->is_array() || versions->empty()) {
    errors.required("spec.versions", "");
    return;
  }
  std::size_t storage = 0;
  for (std::size_t i = 0; i < versions->size(); ++i) {
    const Json& version = (*versions)[i];
    const std::string at = index("spec.versions", i);
    if (bool_of(version, "storage")) ++storage;
    for (const auto& complaint : check_service_name(text_of(version, "name")))
      errors.invalid(at + ".name", std::string(text_of(version, "name")), complaint);
    const Json* openapi = member_at(version, {"schema", "openAPIV3Schema"});
    if (openapi == nullptr) {
      errors.required(at + ".schema.openAPIV3Schema", "schemas are required");
      continue;
    }
    if (auto schema = Schema::compile(*openapi); !schema) {
      errors.invalid_text(at + ".schema.openAPIV3Schema", "\"\"", schema.error());
    } else if ((*schema)->type != Schema::Type::kObject) {
      errors.invalid(at + ".schema.openAPIV3Schema.type", std::string(text_of(*openapi, "type")), "must be object at the root");
    }
  }
  if (storage != 1) errors.invalid("spec.versions", *versions, "must have exactly one version marked as storage version");
}

void validate_definition(const Json& tree, FieldErrors& errors) {
  const Json& spec = tree.at("spec");
  const std::string group(text_of(spec, "group"));
  if (group.empty()) {
    errors.required("spec.group", "");
  } else {
    for (const auto& complaint : check_subdomain(group)) errors.invalid("spec.group", group, complaint);
    if (group.find('.') == std::string::npos) errors.invalid("spec.group", group, "should be a domain with at least one dot");
  }
  const auto scope = text_of(spec, "scope");
  if (scope.empty()) {
    errors.required("spec.scope", "");
  } else if (scope != "Cluster" && scope != "Namespaced") {
    errors.not_supported("spec.scope", std::string(scope), {"Cluster", "Namespaced"});
  }
  for (const char* name : {"plural", "kind"}) {
    if (text_at(spec, {"names", name}).empty()) errors.required(child("spec.names", name), "");
  }
  const std::string wanted = std::string(text_at(spec, {"names", "plural"})) + "." + group;
  const std::string name(text_at(tree, {"metadata", "name"}));
  if (name != wanted) errors.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
  validate_versions(spec, errors);
}

}  // namespace

DefinitionKind::DefinitionKind(Table& table)
    : Kind(definition_names(), {.status = true, .generation = true, .unconditional_update = false}, table) {}

std::optional<std::string> DefinitionKind::coerce(Json& tree, std::vector<std::string>& unknown) const {
  std::vector<std::string> dropped;
  if (const auto error = Shape::of(*api::part_type("ObjectMeta")).conform(object_in(tree, "metadata"), dropped)) return error;
  for (const auto& name : dropped) unknown.push_back("metadata." + name);
  if (const Json* spec = member(tree, "spec"); spec != nullptr && !spec->is_object()) {
    return "json: cannot unmarshal value into Go struct field CustomResourceDefinition.spec of type "
           "v1.CustomResourceDefinitionSpec";
  }
  object_in(tree, "spec");
  return std::nullopt;
}

void DefinitionKind::set_defaults(Json& tree) const {
  Json& spec = object_in(tree, "spec");
  Json& names = object_in(spec, "names");
  std::string singular(text_of(names, "kind"));
  std::ranges::transform(singular, singular.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (text_of(names, "singular").empty() && !singular.empty()) names["singular"] = singular;
  if (text_of(names, "listKind").empty() && !singular.empty()) names["listKind"] = std::string(text_of(names, "kind")) + "List";
  if (text_at(spec, {"conversion", "strategy"}).empty()) object_in(spec, "conversion")["strategy"] = "None";
}

void DefinitionKind::prepare_create(Json& tree) const {
  tree["metadata"]["generation"] = 1;
  tree.erase("status");
  FieldErrors errors;
  validate_definition(tree, errors);
  if (!errors.empty()) return;
  tree["status"] = {{"conditions", nullptr}, {"acceptedNames", {{"plural", ""}, {"kind", ""}}}};
  remember_stored_versions(tree);
}

void DefinitionKind::prepare_update(Json& now, const Json& before) const {
  copy_member(now, before, "status");
  FieldErrors errors;
  validate_definition(now, errors);
  if (errors.empty()) remember_stored_versions(now);
  if (now.at("spec") != before.at("spec")) now["metadata"]["generation"] = integer_of(before.at("metadata"), "generation", 0) + 1;
}

void DefinitionKind::prepare_status_update(Json& now, const Json& before) const {
  now["metadata"] = before.at("metadata");
  now["spec"] = before.at("spec");
}

void DefinitionKind::validate_create(const Json& tree, FieldErrors& errors) const { validate_definition(tree, errors); }

void DefinitionKind::validate_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {}, errors);
  validate_definition(now, errors);
  for (const char* name : {"group", "scope"}) {
    if (text_at(now, {"spec", name}) != text_at(before, {"spec", name}))
      errors.invalid(child("spec", name), std::string(text_at(now, {"spec", name})), "field is immutable");
  }
}

void DefinitionKind::validate_status_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {}, errors);
}

bool DefinitionKind::is_selectable(std::string_view field) const {
  return field == "metadata.name" || field == "metadata.namespace";
}
std::optional<std::string> DefinitionKind::selectable(const Object&, std::string_view) const { return std::nullopt; }

const fields::FieldType& DefinitionKind::field_type() const {
  using fields::FieldType;
  static const FieldType conditions{
      .form = FieldType::Form::kKeyed, .element = &FieldType::deduced(), .keys = {{.name = "type", .fallback = {}}}};
  static const FieldType status{.form = FieldType::Form::kObject,
                                .fields = {{"acceptedNames", &FieldType::deduced()}, {"conditions", &conditions}},
                                .element = &FieldType::deduced()};
  static const FieldType root{.form = FieldType::Form::kObject,
                              .fields = {{"metadata", &FieldType::of(*api::part_type("ObjectMeta"))}, {"status", &status}},
                              .element = &FieldType::deduced()};
  return root;
}

const Json& DefinitionKind::zero() const {
  static const Json names = {{"plural", ""}, {"kind", ""}};
  static const Json zero = {{"metadata", Json::object()},
                            {"spec", {{"group", ""}, {"names", names}, {"scope", ""}, {"versions", nullptr}}},
                            {"status", {{"conditions", nullptr}, {"acceptedNames", names}, {"storedVersions", nullptr}}}};
  return zero;
}

std::string_view DefinitionKind::openapi_schema() const { return definition_schema(); }

bool DefinitionKind::keeps_while_deleting(const Json& tree) const {
  return member(tree.at("metadata"), "deletionTimestamp") == nullptr;
}

void DefinitionKind::prepare_deletion(Json& tree) const {
  Json& finalizers = tree["metadata"]["finalizers"];
  if (!finalizers.is_array()) finalizers = Json::array();
  if (std::ranges::find(finalizers, Json(std::string(kCleanupFinalizer))) == finalizers.end())
    finalizers.push_back(std::string(kCleanupFinalizer));
  if (has_condition(tree, "Terminating")) return;
  add_condition(tree, condition("Terminating", "InstanceDeletionPending",
                                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
                                text_at(tree, {"metadata", "deletionTimestamp"})));
}

bool establish(Json& tree, base::Time now) {
  const Json& names = tree.at("spec").at("names");
  if (has_condition(tree, "Established") && tree["status"]["acceptedNames"] == names) return false;
  object_in(tree, "status")["acceptedNames"] = names;
  if (has_condition(tree, "Established")) return true;
  const std::string time = base::format_time(now);
  add_condition(tree, condition("NamesAccepted", "NoConflicts", "no conflicts found", time));
  add_condition(tree, condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time));
  return true;
}

std::vector<Column> DefinitionKind::columns() const {
  return {{.name = "Name",
           .format = "name",
           .cell = [](const Json& tree, base::Time) { return Json(text_at(tree, {"metadata", "name"})); }},
          {.name = "Created At", .type = "date", .cell = [](const Json& tree, base::Time) {
             return Json(text_at(tree, {"metadata", "creationTimestamp"}));
           }}};
}

}  // namespace kruise::cluster
