#include "controllers/cloneset/validate.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace kruise::controllers::cloneset {
namespace {

constexpr std::int32_t kWeightMax = 100;

std::optional<UpdateType> update_type(const std::string& word) {
  if (word.empty() || word == "ReCreate") return UpdateType::kReCreate;
  if (word == "InPlaceIfPossible") return UpdateType::kInPlaceIfPossible;
  if (word == "InPlaceOnly") return UpdateType::kInPlaceOnly;
  if (word == "OnDelete") return UpdateType::kOnDelete;
  return std::nullopt;
}

/// Absent when all is well.
using Fault = std::optional<std::string>;

Fault check_template(const workload::Template& wanted) {
  if (!wanted.has_containers()) return "spec.template.spec.containers: must name at least one container";
  const nlohmann::json& spec = wanted.tree().at("spec");
  if (const auto policy = spec.find("restartPolicy");
      // NOLINTNEXTLINE(readability-container-size-empty): it may be of any type, and empty() is true of lists too
      policy != spec.end() && !policy->is_null() && *policy != "Always" && *policy != "") {
    return "spec.template.spec.restartPolicy: " + policy->dump() + " is not supported, only \"Always\" is";
  }
  if (const auto deadline = spec.find("activeDeadlineSeconds"); deadline != spec.end() && !deadline->is_null()) {
    return "spec.template.spec.activeDeadlineSeconds: must not be set";
  }
  std::size_t index = 0;
  for (const auto& container : spec.at("containers")) {
    const std::string path = "spec.template.spec.containers[" + std::to_string(index++) + "]";
    if (!container.is_object()) return path + ": is no object";
    if (!container.contains("name") || !container.at("name").is_string()) return path + ".name: is required";
  }
  return std::nullopt;
}

Fault check_claim_templates(const api::CloneSetSpec& spec) {
  for (std::size_t i = 0; i < spec.volume_claim_templates.size(); ++i) {
    const std::string path = "spec.volumeClaimTemplates[" + std::to_string(i) + "]";
    const auto claim = nlohmann::json::parse(spec.volume_claim_templates[i].text, nullptr, false);
    if (!claim.is_object()) return path + ": is no object";
    const auto metadata = claim.find("metadata");
    if (metadata == claim.end() || !metadata->is_object() || !metadata->contains("name") || !metadata->at("name").is_string()) {
      return path + ".metadata.name: is required";
    }
  }
  return std::nullopt;
}

Fault check_order(const api::CloneSetUpdateStrategy& update) {
  const std::string path = "spec.updateStrategy.priorityStrategy";
  const auto& priority = update.priority_strategy;
  if (!priority.weight_priority.empty() && !priority.order_priority.empty())
    return path + ": weightPriority and orderPriority exclude each other";
  for (const auto& term : priority.weight_priority) {
    if (term.weight < 0 || term.weight > kWeightMax)
      return path + ".weightPriority: weight " + std::to_string(term.weight) + " is not within 0 and 100";
    const auto selector = api::Selector::from(term.match_selector);
    if (!selector) return path + ".weightPriority.matchSelector: " + selector.error();
    if (selector->empty()) return path + ".weightPriority.matchSelector: must not be empty";
  }
  for (const auto& term : priority.order_priority) {
    if (term.ordered_key.empty()) return path + ".orderPriority.orderedKey: must not be empty";
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& term : update.scatter_strategy) {
    if (term.key.empty()) return "spec.updateStrategy.scatterStrategy: key must not be empty";
    if (!seen.emplace(term.key, term.value).second)
      return "spec.updateStrategy.scatterStrategy: " + term.key + "=" + term.value + " is named twice";
  }
  return std::nullopt;
}

}  // namespace

base::Result<Checked, std::string> check(const api::CloneSet& set, workload::TemplateCache& templates) {
  const api::CloneSetSpec& spec = set.spec;
  Checked checked;
  auto selector = api::Selector::from(spec.selector);
  if (!selector) return "spec.selector: " + selector.error();
  if (selector->empty()) return std::string("spec.selector: must not be empty");
  checked.selector = std::move(*selector);

  auto wanted = templates.of_text(spec.template_.text);
  if (!wanted) return "spec.template: " + wanted.error();
  checked.wanted = *wanted;
  if (!checked.selector.matches(checked.wanted->labels())) {
    return "spec.template.metadata.labels: are not matched by spec.selector (" + checked.selector.text() + ")";
  }
  if (auto fault = check_template(*checked.wanted)) return *fault;
  if (auto fault = check_claim_templates(spec)) return *fault;

  const api::CloneSetUpdateStrategy& update = spec.update_strategy;
  const auto type = update_type(update.type);
  if (!type)
    return "spec.updateStrategy.type: \"" + update.type + "\" is none of ReCreate, InPlaceIfPossible, InPlaceOnly and OnDelete";
  checked.type = *type;
  auto targets = resolve({.replicas = spec.replicas,
                          .partition = update.partition,
                          .max_unavailable = update.max_unavailable,
                          .max_surge = update.max_surge,
                          .scale_max_unavailable = spec.scale_strategy.max_unavailable,
                          .paused = update.paused});
  if (!targets) return targets.error();
  checked.targets = *targets;
  if (checked.type == UpdateType::kInPlaceOnly && checked.targets.surge > 0) {
    return std::string("spec.updateStrategy.maxSurge: must be 0 with type InPlaceOnly");
  }
  if (auto fault = check_order(update)) return *fault;
  return checked;
}

}  // namespace kruise::controllers::cloneset
