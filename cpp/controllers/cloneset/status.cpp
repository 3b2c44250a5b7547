#include "controllers/cloneset/status.hpp"

#include <algorithm>

#include "base/json_writer.hpp"

namespace kruise::controllers::cloneset {
namespace {

void set_condition(api::CloneSetStatus& status, const api::CloneSetStatus& before, std::string_view type,
                   const std::optional<std::string>& failure, base::Time now) {
  std::erase_if(status.conditions, [&](const auto& c) { return c.type == type; });
  if (!failure) return;
  api::CloneSetCondition condition;
  condition.type = type;
  condition.status = "True";
  condition.message = *failure;
  condition.last_transition_time = now;
  const auto old = std::ranges::find(before.conditions, type, &api::CloneSetCondition::type);
  if (old != before.conditions.end() && old->status == "True") condition.last_transition_time = old->last_transition_time;
  status.conditions.push_back(std::move(condition));
}

api::CloneSetStatus without_times(api::CloneSetStatus status) {
  for (auto& c : status.conditions) {
    c.last_transition_time.reset();
    c.last_update_time.reset();
  }
  std::ranges::sort(status.conditions, {}, &api::CloneSetCondition::type);
  return status;
}

}  // namespace

api::CloneSetStatus status_of(const Pass& pass, const std::string& selector, std::int32_t collision_count) {
  api::CloneSetStatus status;
  status.observed_generation = pass.set.meta.generation;
  status.replicas = static_cast<std::int32_t>(pass.pods.size());
  for (const PodFacts& pod : pass.pods) {
    status.ready_replicas += pod.ready ? 1 : 0;
    status.available_replicas += pod.available ? 1 : 0;
    if (!pod.at_update) continue;
    ++status.updated_replicas;
    status.updated_ready_replicas += pod.ready ? 1 : 0;
    status.updated_available_replicas += pod.available ? 1 : 0;
  }
  status.expected_updated_replicas = static_cast<std::int32_t>(pass.targets.replicas - pass.targets.partition);
  status.current_revision = pass.revisions[pass.current].name();
  status.update_revision = pass.update_name();
  // While replacements are owed the partition may still need pods of the current revision.
  if (status.updated_replicas == status.replicas && status.replicas == pass.targets.replicas)
    status.current_revision = status.update_revision;
  status.collision_count = collision_count;
  status.label_selector = selector;
  return status;
}

void set_failures(api::CloneSetStatus& status, const api::CloneSetStatus& before, const Failures& failures, base::Time now) {
  status.conditions = before.conditions;
  set_condition(status, before, kConditionFailedScale, failures.scale, now);
  set_condition(status, before, kConditionFailedUpdate, failures.update, now);
}

bool is_interim(const Pass& pass, const api::CloneSetStatus& wanted) {
  const auto at_rest = [&](const api::CloneSetStatus& status) {
    return status.replicas == pass.targets.replicas && status.available_replicas == status.replicas &&
           status.updated_available_replicas == status.updated_replicas;
  };
  if (at_rest(wanted) || at_rest(pass.set.status)) return false;
  const auto without_figures = [](const api::CloneSetStatus& status) {
    api::CloneSetStatus rest = without_times(status);
    rest.replicas = rest.ready_replicas = rest.available_replicas = 0;
    rest.updated_replicas = rest.updated_ready_replicas = rest.updated_available_replicas = 0;
    return rest;
  };
  return without_figures(pass.set.status) == without_figures(wanted);
}

std::optional<runtime::Write> status_write(const api::CloneSet& set, const api::CloneSetStatus& wanted) {
  if (without_times(set.status) == without_times(wanted)) return std::nullopt;
  base::JsonWriter w;
  // Zero is left out on the wire, and a merge patch has to say so where there was something.
  const auto optional_count = [&](std::string_view key, std::int32_t value, std::int32_t before) {
    if (value != 0) w.key(key).integer(value);
    if (value == 0 && before != 0) w.key(key).null();
  };
  w.begin_object().key("metadata").begin_object().end_object().key("status").begin_object();
  w.key("observedGeneration").integer(wanted.observed_generation);
  w.key("replicas").integer(wanted.replicas).key("readyReplicas").integer(wanted.ready_replicas);
  w.key("availableReplicas").integer(wanted.available_replicas).key("updatedReplicas").integer(wanted.updated_replicas);
  w.key("updatedReadyReplicas").integer(wanted.updated_ready_replicas);
  optional_count("updatedAvailableReplicas", wanted.updated_available_replicas, set.status.updated_available_replicas);
  optional_count("expectedUpdatedReplicas", wanted.expected_updated_replicas, set.status.expected_updated_replicas);
  optional_count("collisionCount", wanted.collision_count, set.status.collision_count);
  if (!wanted.current_revision.empty()) w.key("currentRevision").string(wanted.current_revision);
  if (!wanted.update_revision.empty()) w.key("updateRevision").string(wanted.update_revision);
  if (!wanted.label_selector.empty()) w.key("labelSelector").string(wanted.label_selector);
  if (wanted.conditions.empty() && !set.status.conditions.empty()) w.key("conditions").null();
  if (!wanted.conditions.empty()) {
    w.key("conditions").begin_array();
    for (const auto& condition : wanted.conditions) api::write(w, condition);
    w.end_array();
  }
  w.end_object().end_object();

  runtime::Write write;
  write.verb = runtime::Write::Verb::kPatch;
  write.resource = &api::kCloneSets;
  write.key = set.meta.key();
  write.subresource = "status";
  write.patch_type = client::PatchType::kMerge;
  write.uid = set.meta.uid;
  write.not_found_is_success = true;
  write.purpose = "update status";
  write.body = std::move(w).text();
  return write;
}

}  // namespace kruise::controllers::cloneset
