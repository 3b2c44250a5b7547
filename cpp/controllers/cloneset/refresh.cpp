#include "controllers/cloneset/refresh.hpp"

#include "api/names.hpp"
#include "workload/lifecycle.hpp"
#include "workload/readiness.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Reason;
using State = workload::LifecycleState;

/// The pod is where this pass wants it to be. Without pods to move everyone is: the revision a pod waited for is no longer meant
/// for it.
bool at_target(const PodFacts& pod, const Numbers& numbers) {
  if (numbers.update > 0) return pod.at_update;
  if (numbers.update < 0) return pod.at_current;
  return true;
}

/// Most pods of a large set: nothing about them can change by itself.
bool is_settled(const api::Pod& pod, State state) {
  return workload::in_service(state) && !workload::lacks_in_place_ready(pod) && !workload::in_place_grace_text(pod) &&
         pod.label(api::kLabelPodTemplateHash);
}

std::string waits_for(const Pass& pass, const PodFacts& pod, const workload::InPlaceProgress& progress) {
  const auto& lifecycle = pass.set.spec.lifecycle;
  switch (pod.state) {
    case State::kPreparingNormal:
      if (pod.pod->node().empty()) return "not yet scheduled to a node";
      return "waits until the labels and finalizers of lifecycle.preNormal are on it";
    case State::kPreparingUpdate:
      if (!lifecycle) return {};
      if (const auto mark = workload::holding_mark(lifecycle->in_place_update, *pod.pod); !mark.empty()) {
        return "waits to be updated until " + mark + " is removed";
      }
      return {};
    case State::kUpdated:
      return "waits until the labels and finalizers of lifecycle.inPlaceUpdate are back";
    default:
      return progress.completeness.why;
  }
}

std::string purpose_of(const workload::PodPatch& patch, const workload::InPlaceProgress& progress, State before,
                       std::optional<State> next) {
  std::string text = progress.purpose;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (patch.has_condition(api::kConditionInPlaceUpdateReady)) add("set InPlaceUpdateReady=True");
  if (patch.has_condition(api::kConditionKruisePodReady)) add("set KruisePodReady");
  if (next) add("set state " + std::string(workload::text_of(*next)) + " after " + std::string(workload::text_of(before)));
  return text.empty() ? "refresh labels" : text;
}

}  // namespace

Refreshed refresh(const Pass& pass, const Numbers& numbers, runtime::Plan& plan) {
  Refreshed result{.patches = std::vector<std::optional<workload::PodPatch>>(pass.pods.size()),
                   .purposes = std::vector<std::string>(pass.pods.size()),
                   .in_grace = std::vector<bool>(pass.pods.size())};
  for (std::size_t i = 0; i < pass.pods.size(); ++i) {
    const PodFacts& facts = pass.pods[i];
    const api::Pod& pod = *facts.pod;
    if (is_settled(pod, facts.state)) continue;

    workload::PodPatch patch(pod);
    const auto progress = workload::refresh_in_place(pod, pass.now, patch);
    result.in_grace[i] = progress.in_grace;
    if (progress.error) {
      const std::string text = "pod " + std::string(pod.name()) + ": " + *progress.error;
      plan.reasons.push_back({Reason::Verdict::kInvalid, std::string(pod.name()), "in-place update", text});
      if (!result.error) result.error = text;
      continue;
    }
    if (progress.wait) wish(plan.requeue, *progress.wait);
    if (progress.completeness.recheck) wish(plan.requeue, *progress.completeness.recheck);

    std::optional<State> next;
    if (!progress.in_grace) {
      next = workload::next_state(pod, pass.set.spec.lifecycle,
                                  {.at_target = at_target(facts, numbers), .complete = progress.completeness.complete});
    }
    if (next) patch.set_state(*next, pass.now);
    if (next == State::kUpdated || next == State::kNormal)
      workload::release_ready(pod, workload::kPreUpdateHold, pass.now, patch);
    if (!pod.label(api::kLabelPodTemplateHash)) {
      if (const auto hash = workload::revision_hash(workload::revision_of(pod)); !hash.empty())
        patch.set_label(api::kLabelPodTemplateHash, hash);
    }
    if (!patch.empty()) {
      result.purposes[i] = purpose_of(patch, progress, facts.state, next);
      plan.reasons.push_back({Reason::Verdict::kActing, std::string(pod.name()), "refresh", result.purposes[i]});
      result.patches[i] = std::move(patch);
    }
    if (!next) {
      if (auto why = waits_for(pass, facts, progress); !why.empty()) {
        plan.reasons.push_back(
            {Reason::Verdict::kHeld, std::string(pod.name()), progress.in_grace ? "grace" : "lifecycle", "held: " + why});
      }
    }
  }
  return result;
}

void commit(Refreshed& refreshed, runtime::Plan& plan) {
  runtime::Step step;
  for (std::size_t i = 0; i < refreshed.patches.size(); ++i) {
    auto& patch = refreshed.patches[i];
    if (!patch) continue;
    step.chains.push_back({patch->write(std::move(refreshed.purposes[i]))});
  }
  if (!step.chains.empty()) plan.steps.push_back(std::move(step));
}

}  // namespace kruise::controllers::cloneset
