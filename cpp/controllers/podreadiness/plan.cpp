#include "controllers/podreadiness/plan.hpp"

#include "api/names.hpp"
#include "api/scheme.hpp"
#include "workload/readiness.hpp"

namespace kruise::controllers::podreadiness {
namespace {

/// Its workload's condition is still to come, and ours comes with it.
bool gets_both_at_once(const api::Pod& pod) {
  const auto* controller = pod.controller();
  return controller != nullptr && controller->group() == api::kCloneSets.group &&
         pod.has_readiness_gate(api::kConditionInPlaceUpdateReady) && !pod.condition(api::kConditionInPlaceUpdateReady);
}

}  // namespace

bool is_ours_to_set(const api::Pod& pod) {
  return !pod.deletion() && workload::lacks_kruise_ready(pod) && !gets_both_at_once(pod);
}

runtime::Plan plan(const api::Pod& pod, const runtime::Context& context) {
  runtime::Plan plan;
  if (!is_ours_to_set(pod)) return plan;
  workload::PodPatch patch(pod);
  workload::set_kruise_ready(pod, context.now, patch);
  runtime::Write write = patch.write("set KruisePodReady=True");
  write.not_found_is_success = true;
  plan.steps.push_back({{{std::move(write)}}});
  plan.reasons.push_back({runtime::Reason::Verdict::kActing, std::string(pod.name()), "readiness", "set KruisePodReady=True"});
  return plan;
}

}  // namespace kruise::controllers::podreadiness
