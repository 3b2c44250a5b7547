// Kinds that say who may do what, how much there may be, and what may be disturbed: stored and judged, acted on by nobody.
#include <nlohmann/json.hpp>

#include "cluster/builtin/rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr const char* kAccessGroup = "rbac.authorization.k8s.io";

void validate_role(const Json& tree, FieldErrors& errors) {
  const Json* rules = member(tree, "rules");
  if (rules == nullptr || !rules->is_array()) return;
  for (std::size_t i = 0; i < rules->size(); ++i) {
    const Json& rule = (*rules)[i];
    const std::string at = index("rules", i);
    if (empty_value(member(rule, "verbs"))) errors.required(at + ".verbs", "verbs must contain at least one value");
    if (!empty_value(member(rule, "nonResourceURLs"))) continue;
    if (empty_value(member(rule, "apiGroups")))
      errors.required(at + ".apiGroups", "resource rules must supply at least one api group");
    if (empty_value(member(rule, "resources")))
      errors.required(at + ".resources", "resource rules must supply at least one resource");
  }
}

void default_binding(Json& tree) {
  Json& role = object_in(tree, "roleRef");
  if (text_of(role, "apiGroup").empty()) role["apiGroup"] = kAccessGroup;
  const auto subjects = tree.find("subjects");
  if (subjects == tree.end() || !subjects->is_array()) return;
  for (Json& subject : *subjects) {
    const auto kind = text_of(subject, "kind");
    if ((kind == "User" || kind == "Group") && text_of(subject, "apiGroup").empty()) subject["apiGroup"] = kAccessGroup;
  }
}

void validate_binding(const Json& tree, FieldErrors& errors) {
  const Json* role = member(tree, "roleRef");
  const auto kind = role != nullptr ? text_of(*role, "kind") : std::string_view{};
  if (kind != "Role" && kind != "ClusterRole") errors.not_supported("roleRef.kind", std::string(kind), {"ClusterRole", "Role"});
  if (role == nullptr || text_of(*role, "name").empty()) errors.required("roleRef.name", "");
}

void update_binding(const Json& now, const Json& before, FieldErrors& errors) {
  validate_binding(now, errors);
  if (!same(member(now, "roleRef"), member(before, "roleRef")))
    errors.invalid("roleRef", *member(now, "roleRef"), "cannot change roleRef");
}

void validate_budget(const Json& tree, FieldErrors& errors) {
  const Json* spec = member(tree, "spec");
  if (spec == nullptr || member(*spec, "minAvailable") == nullptr || member(*spec, "maxUnavailable") == nullptr) return;
  errors.invalid("spec", *spec, "minAvailable and maxUnavailable cannot be both set");
}

void validate_ingress(const Json& tree, FieldErrors& errors) {
  const Json* spec = member(tree, "spec");
  if (spec == nullptr || (empty_value(member(*spec, "rules")) && member(*spec, "defaultBackend") == nullptr))
    errors.invalid("spec", spec != nullptr ? *spec : Json::object(), "either `defaultBackend` or `rules` must be specified");
}

void update_priority_class(const Json& now, const Json& before, FieldErrors& errors) {
  for (const char* name : {"value", "preemptionPolicy"}) {
    if (!same(member(now, name), member(before, name))) errors.forbidden(name, "may not be changed in an update.");
  }
}

void validate_quota(const Json& tree, FieldErrors& errors) {
  const Json* hard = member_at(tree, {"spec", "hard"});
  if (hard == nullptr) return;
  for (const auto& [name, value] : hard->items()) {
    if (value.is_string() && value.get_ref<const std::string&>().starts_with('-'))
      errors.invalid(entry("spec.hard", name), value, "must be greater than or equal to 0");
  }
}

}  // namespace

BuiltinRules role_rules() { return {.validate = validate_role}; }
BuiltinRules role_binding_rules() {
  return {.set_defaults = default_binding, .validate = validate_binding, .validate_update = update_binding};
}
BuiltinRules budget_rules() { return {.validate = validate_budget}; }
BuiltinRules ingress_rules() { return {.validate = validate_ingress}; }
BuiltinRules priority_class_rules() { return {.validate_update = update_priority_class}; }
BuiltinRules quota_rules() { return {.validate = validate_quota}; }

}  // namespace kruise::cluster
