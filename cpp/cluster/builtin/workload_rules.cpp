#include <charconv>
#include <nlohmann/json.hpp>

#include "api/selector.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/builtin/rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kMismatch = "`selector` does not match template `labels`";
constexpr const char* kTemplateGeneration = "deprecated.daemonset.template.generation";

Json* template_spec(Json& tree) {
  Json* at = &tree;
  for (const char* name : {"spec", "jobTemplate", "spec"}) {
    if (!at->is_object() || !at->contains(name)) break;
    at = &(*at)[name];
  }
  if (!at->is_object() || !at->contains("template")) return nullptr;
  Json& pod = (*at)["template"];
  return pod.is_object() && pod.contains("spec") ? &pod["spec"] : nullptr;
}

void default_template(Json& tree) {
  if (Json* spec = template_spec(tree)) default_pod_spec(*spec, true);
}

void default_deployment(Json& tree) {
  default_template(tree);
  Json& spec = object_in(tree, "spec");
  for (const char* name : {"strategy", "updateStrategy"}) {
    const auto strategy = spec.find(name);
    if (strategy == spec.end() || text_of(*strategy, "type") != "RollingUpdate") continue;
    Json& rolling = object_in(*strategy, "rollingUpdate");
    if (spec.contains("podManagementPolicy")) {
      if (!rolling.contains("partition")) rolling["partition"] = 0;
    } else {
      for (const char* field : {"maxUnavailable", "maxSurge"}) {
        if (!rolling.contains(field)) rolling[field] = "25%";
      }
    }
  }
}

void default_daemonset(Json& tree) {
  default_template(tree);
  Json& annotations = object_in(object_in(tree, "metadata"), "annotations");
  if (!annotations.contains(kTemplateGeneration)) annotations[kTemplateGeneration] = "0";  // counted when it is stored
  Json& strategy = object_in(object_in(tree, "spec"), "updateStrategy");
  if (text_of(strategy, "type") != "RollingUpdate") return;
  Json& rolling = object_in(strategy, "rollingUpdate");
  if (!rolling.contains("maxUnavailable")) rolling["maxUnavailable"] = 1;
  if (!rolling.contains("maxSurge")) rolling["maxSurge"] = 0;
}

/// A counter of templates that only this kind has, kept in an annotation.
void create_daemonset(Json& tree) { object_in(object_in(tree, "metadata"), "annotations")[kTemplateGeneration] = "1"; }

void update_daemonset(Json& now, const Json& before) {
  const std::string had(text_at(before, {"metadata", "annotations", kTemplateGeneration}));
  std::int64_t count = 1;
  std::from_chars(had.data(), had.data() + had.size(), count);
  if (!same(member_at(now, {"spec", "template"}), member_at(before, {"spec", "template"}))) ++count;
  object_in(object_in(now, "metadata"), "annotations")[kTemplateGeneration] = std::to_string(count);
}

void default_job(Json& tree) {
  default_template(tree);
  Json& spec = object_in(tree, "spec");
  if (!spec.contains("completions")) spec["completions"] = 1;
}

void validate_selector(const Json& tree, FieldErrors& errors) {
  const Json* selector = member_at(tree, {"spec", "selector"});
  const Json* labels = member_at(tree, {"spec", "template", "metadata", "labels"});
  if (selector == nullptr || selector->empty()) {
    errors.required("spec.selector", "");
    errors.invalid("spec.template.metadata.labels", labels != nullptr ? *labels : Json(nullptr), kMismatch);
    return;
  }
  const Json* wanted = member(*selector, "matchLabels");
  if (wanted == nullptr) return;
  for (const auto& [key, value] : wanted->items()) {
    const Json* label = labels != nullptr ? member(*labels, key) : nullptr;
    if (label == nullptr || *label != value) {
      errors.invalid("spec.template.metadata.labels", labels != nullptr ? *labels : Json(nullptr), kMismatch);
      return;
    }
  }
}

void validate_template(const Json& tree, FieldErrors& errors) {
  if (const Json* spec = member_at(tree, {"spec", "template", "spec"})) validate_pod_spec(*spec, "spec.template.spec", errors);
}

void validate_deployment(const Json& tree, FieldErrors& errors) {
  if (const auto replicas = integer_of(*member(tree, "spec"), "replicas", 0); replicas < 0) {
    errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
  }
  validate_selector(tree, errors);
  validate_template(tree, errors);
}

void update_deployment(const Json& now, const Json& before, FieldErrors& errors) {
  validate_deployment(now, errors);
  const Json* selector = member_at(now, {"spec", "selector"});
  if (!same(selector, member_at(before, {"spec", "selector"}))) {
    errors.invalid("spec.selector", selector != nullptr ? *selector : Json(nullptr), "field is immutable");
  }
}

void validate_job(const Json& tree, FieldErrors& errors) {
  validate_template(tree, errors);
  const auto policy = text_at(tree, {"spec", "template", "spec", "restartPolicy"});
  if (policy == "Always") errors.required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
}

void validate_revision(const Json& tree, FieldErrors& errors) {
  if (member(tree, "data") == nullptr) errors.required("data", "data is mandatory");
  if (const auto revision = integer_of(tree, "revision", 0); revision < 0) {
    errors.invalid("revision", revision, "must be greater than or equal to 0");
  }
}

void update_revision(const Json& now, const Json& before, FieldErrors& errors) {
  validate_revision(now, errors);
  if (!same(member(now, "data"), member(before, "data"))) errors.invalid("data", *member(now, "data"), "field is immutable");
}

void validate_lease(const Json& tree, FieldErrors& errors) {
  const Json* spec = member(tree, "spec");
  if (spec == nullptr) return;
  if (const auto seconds = integer_of(*spec, "leaseDurationSeconds", 1); seconds <= 0)
    errors.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
  if (const auto count = integer_of(*spec, "leaseTransitions", 0); count < 0)
    errors.invalid("spec.leaseTransitions", count, "must be greater than or equal to 0");
}

}  // namespace

BuiltinRules template_rules() { return {.set_defaults = default_template}; }
BuiltinRules deployment_rules() {
  return {.set_defaults = default_deployment, .validate = validate_deployment, .validate_update = update_deployment};
}
BuiltinRules daemonset_rules() {
  return {.set_defaults = default_daemonset,
          .prepare_create = create_daemonset,
          .prepare_update = update_daemonset,
          .validate = validate_deployment,
          .validate_update = update_deployment};
}
BuiltinRules job_rules() { return {.set_defaults = default_job, .validate = validate_job}; }
BuiltinRules lease_rules() { return {.validate = validate_lease}; }
BuiltinRules revision_rules() { return {.validate = validate_revision, .validate_update = update_revision}; }

}  // namespace kruise::cluster
