#include "controllers/cloneset/event_filter.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "workload/pod_state.hpp"
#include "workload/readiness.hpp"

namespace kruise::controllers::cloneset {
namespace {

bool same_condition(const api::Pod& a, const api::Pod& b, std::string_view type) {
  const auto x = a.condition(type);
  const auto y = b.condition(type);
  if (!x || !y) return !x && !y;
  return x->status == y->status && x->last_transition == y->last_transition;
}

bool same_conditions(const api::Pod& a, const api::Pod& b) {
  for (const auto type : {api::kConditionReady, api::kConditionContainersReady, api::kConditionInPlaceUpdateReady}) {
    if (!same_condition(a, b, type)) return false;
  }
  return std::ranges::all_of(a.readiness_gates(), [&](const auto& gate) { return same_condition(a, b, gate); });
}

/// Only of a pod that is being updated the readiness of single containers counts: it lets the next batch of them go.
bool is_updating(const api::Pod& pod) {
  return workload::lacks_in_place_ready(pod) || !workload::in_service(workload::lifecycle_state(pod));
}

bool same_statuses(const api::Pod& a, const api::Pod& b) {
  if (a.status_count() != b.status_count() || a.max_init_restart_count() != b.max_init_restart_count()) return false;
  const bool ready_counts = is_updating(b);
  for (std::size_t i = 0; i < a.status_count(); ++i) {
    const auto x = a.status(i);
    const auto y = b.status(i);
    if (x.name != y.name || x.image != y.image || x.image_id != y.image_id || x.container_id != y.container_id ||
        x.restart_count != y.restart_count || (ready_counts && x.ready != y.ready)) {
      return false;
    }
  }
  return true;
}

/// Of pods whose containers are the same.
bool same_annotations(const api::Pod& a, const api::Pod& b) {
  const auto same = [&](std::string_view key) { return a.annotation(key) == b.annotation(key); };
  const auto same_of = [&](const api::PodFields::MetadataEnv& env) {
    return env.map == api::MetadataMap::kLabels || same(env.key);
  };
  return std::ranges::all_of(api::kept_pod_annotations(), same) &&
         std::ranges::all_of(b.containers(), [&](const auto& c) { return std::ranges::all_of(c.metadata_env, same_of); });
}

}  // namespace

bool is_no_op(const api::Pod& before, const api::Pod& after) {
  // Roughly in order of how often they differ.
  return before.phase() == after.phase() && same_conditions(before, after) && same_statuses(before, after) &&
         before.node() == after.node() && before.deletion().has_value() == after.deletion().has_value() &&
         before.same_uid(after) && before.created() == after.created() &&
         std::ranges::equal(before.containers(), after.containers()) &&
         std::ranges::equal(before.readiness_gates(), after.readiness_gates()) &&
         std::ranges::equal(before.owners(), after.owners()) && std::ranges::equal(before.finalizers(), after.finalizers()) &&
         same_annotations(before, after) && before.labels() == after.labels();
}

}  // namespace kruise::controllers::cloneset
