#include "workload/pod_state.hpp"

#include <array>
#include <utility>

#include "api/names.hpp"

namespace kruise::workload {
namespace {

constexpr std::array<std::pair<std::string_view, LifecycleState>, 6> kWords{{
    {api::kLifecycleNormal, LifecycleState::kNormal},
    {api::kLifecyclePreparingNormal, LifecycleState::kPreparingNormal},
    {api::kLifecyclePreparingUpdate, LifecycleState::kPreparingUpdate},
    {api::kLifecycleUpdating, LifecycleState::kUpdating},
    {api::kLifecycleUpdated, LifecycleState::kUpdated},
    {api::kLifecyclePreparingDelete, LifecycleState::kPreparingDelete},
}};

}  // namespace

LifecycleState lifecycle_state(const api::Pod& pod) {
  const auto label = pod.label(api::kLabelLifecycleState);
  if (!label || label->empty()) return LifecycleState::kAbsent;
  for (const auto& [word, state] : kWords) {
    if (*label == word) return state;
  }
  return LifecycleState::kOther;
}

std::string_view text_of(LifecycleState wanted) {
  for (const auto& [word, state] : kWords) {
    if (state == wanted) return word;
  }
  return {};
}

bool is_active(const api::Pod& pod) {
  return pod.phase() != api::PodPhase::kSucceeded && pod.phase() != api::PodPhase::kFailed && !pod.deletion();
}

bool is_ready(const api::Pod& pod) {
  if (pod.phase() != api::PodPhase::kRunning) return false;
  const auto ready = pod.condition(api::kConditionReady);
  if (!ready || ready->status != api::Tristate::kTrue) return false;
  const auto in_place = pod.condition(api::kConditionInPlaceUpdateReady);
  return !in_place || in_place->status == api::Tristate::kTrue;
}

bool is_ready_for(const api::Pod& pod, std::int32_t seconds, base::Time now) {
  if (!is_ready(pod)) return false;
  if (seconds <= 0) return true;
  const auto since = pod.condition(api::kConditionReady)->last_transition;
  return since && *since + std::chrono::seconds(seconds) < now;
}

bool is_available(const api::Pod& pod, std::int32_t min_ready_seconds, base::Time now) {
  return in_service(lifecycle_state(pod)) && is_ready_for(pod, min_ready_seconds, now);
}

std::string_view revision_hash(std::string_view revision) {
  const auto dash = revision.rfind('-');
  return dash == std::string_view::npos ? revision : revision.substr(dash + 1);
}

bool same_revision(std::string_view label, std::string_view revision) {
  return label == revision || (!label.empty() && !revision.empty() && revision_hash(label) == revision_hash(revision));
}

std::string_view revision_of(const api::Pod& pod) { return pod.label(api::kLabelRevision).value_or(std::string_view{}); }

bool is_at(const api::Pod& pod, std::string_view revision) { return same_revision(revision_of(pod), revision); }

}  // namespace kruise::workload
