#include "controllers/cloneset/pass.hpp"

#include <algorithm>

#include "api/names.hpp"

namespace kruise::controllers::cloneset {
namespace {

constexpr std::size_t kNamedPodsMax = 5;

}  // namespace

std::string why_unavailable(const PodFacts& pod) {
  using State = workload::LifecycleState;
  if (pod.available) return {};
  switch (pod.state) {
    case State::kPreparingNormal:
      return "new";
    case State::kPreparingUpdate:
      return "waits for its update hook";
    case State::kUpdating:
      return "updating";
    case State::kUpdated:
      return "updated, waits for its hook to be put back";
    case State::kPreparingDelete:
      return "waits to be deleted";
    case State::kOther:
      return "in an unknown lifecycle state";
    case State::kAbsent:
    case State::kNormal:
      break;
  }
  return pod.ready ? "ready for too short" : "not ready";
}

Pass::Pass(const api::CloneSet& s, const Observed& o, const runtime::Context& context)
    : set(s),
      observed(o),
      now(context.now),
      gates(context.gates != nullptr ? *context.gates : runtime::Gates()),
      random(context.random) {}

std::string Pass::revision_label(const std::string& revision) const {
  return gates.enabled(runtime::Gate::kCloneSetShortHash) ? std::string(workload::revision_hash(revision)) : revision;
}

Numbers Pass::numbers(Phase phase) const {
  Group updated;
  Group old;
  // Pods that wait for their hook are as good as updated to those who count what is to be created.
  const bool waiting_is_updated = phase == Phase::kScale && gates.enabled(runtime::Gate::kPreparingUpdateAsUpdate);
  for (const PodFacts& pod : pods) {
    const bool counts_as_updated =
        pod.at_update || (waiting_is_updated && pod.state == workload::LifecycleState::kPreparingUpdate);
    count(counts_as_updated ? updated : old, {.preparing_delete = pod.state == workload::LifecycleState::kPreparingDelete,
                                              .planned = pod.planned,
                                              .available = pod.available});
  }
  const auto label = set.meta.labels.find(api::kLabelExcludePreparingDelete);
  const bool exclude = observed.options.exclude_preparing_delete || set.spec.scale_strategy.exclude_preparing_delete ||
                       (label != set.meta.labels.end() && label->second == "true");
  return cloneset::numbers(updated, old, targets,
                           {.at_rest = at_rest(),
                            .partition_rollback = gates.enabled(runtime::Gate::kCloneSetPartitionRollback),
                            .exclude_preparing_delete = exclude});
}

void Pass::add(const api::Pod& pod) {
  PodFacts facts{.pod = &pod, .state = workload::lifecycle_state(pod)};
  const std::string_view label = workload::revision_of(pod);
  for (std::size_t i = revisions.size(); i-- > 0;) {  // the newest are the likeliest
    if (workload::same_revision(label, revisions[i].name())) {
      facts.revision = static_cast<std::int32_t>(i);
      break;
    }
  }
  facts.at_update = facts.revision == static_cast<std::int32_t>(update);
  facts.at_current = facts.revision == static_cast<std::int32_t>(current);
  facts.ready = workload::is_ready(pod);
  facts.available = facts.ready && workload::in_service(facts.state) &&
                    (min_ready_seconds() <= 0 || workload::is_ready_for(pod, min_ready_seconds(), now));
  facts.planned =
      pod.label(api::kLabelSpecifiedDelete).has_value() ||
      std::ranges::find(set.spec.scale_strategy.pods_to_delete, pod.name()) != set.spec.scale_strategy.pods_to_delete.end();
  pods.push_back(facts);
}

std::string Pass::unavailable_pods() const {
  std::string text;
  std::size_t more = 0;
  std::size_t named = 0;
  for (const PodFacts& pod : pods) {
    if (pod.available) continue;
    if (named == kNamedPodsMax) {
      ++more;
      continue;
    }
    text += (named++ == 0 ? "" : ", ") + std::string(pod.pod->name()) + " (" + why_unavailable(pod) + ")";
  }
  if (more > 0) text += " and " + std::to_string(more) + " more";
  return text;
}

void wish(std::optional<base::Duration>& requeue, base::Duration after) {
  if (after > base::Duration::zero() && (!requeue || after < *requeue)) requeue = after;
}

}  // namespace kruise::controllers::cloneset
