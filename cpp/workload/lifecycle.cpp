#include "workload/lifecycle.hpp"

#include <algorithm>

namespace kruise::workload {
namespace {

bool carries(const api::Pod& pod, const api::StringMap::value_type& listed) {
  return pod.label(listed.first) == std::string_view(listed.second);
}

bool returned(const std::optional<Lifecycle>& lifecycle, const api::Pod& pod) {
  return !lifecycle || is_all_hooked(lifecycle->in_place_update, pod);
}

}  // namespace

bool is_hooked(const std::optional<Hook>& hook, const api::Pod& pod) {
  if (!hook) return false;
  return std::ranges::any_of(hook->finalizers_handler, [&](const auto& name) { return pod.has_finalizer(name); }) ||
         std::ranges::any_of(hook->labels_handler, [&](const auto& listed) { return carries(pod, listed); });
}

bool is_all_hooked(const std::optional<Hook>& hook, const api::Pod& pod) {
  if (!hook) return false;
  return std::ranges::all_of(hook->finalizers_handler, [&](const auto& name) { return pod.has_finalizer(name); }) &&
         std::ranges::all_of(hook->labels_handler, [&](const auto& listed) { return carries(pod, listed); });
}

std::string holding_mark(const std::optional<Hook>& hook, const api::Pod& pod) {
  if (!hook) return {};
  for (const auto& name : hook->finalizers_handler) {
    if (pod.has_finalizer(name)) return "finalizer " + name;
  }
  for (const auto& listed : hook->labels_handler) {
    if (carries(pod, listed)) return "label " + listed.first + "=" + listed.second;
  }
  return {};
}

std::optional<LifecycleState> next_state(const api::Pod& pod, const std::optional<Lifecycle>& lifecycle,
                                         const LifecycleFacts& facts) {
  switch (lifecycle_state(pod)) {
    case LifecycleState::kPreparingNormal: {
      // Not before the pod has a node: a patch that races with the binding
      // confuses schedulers.
      const bool accepted = !lifecycle || !lifecycle->pre_normal || is_all_hooked(lifecycle->pre_normal, pod);
      return accepted && !pod.node().empty() ? std::optional(LifecycleState::kNormal) : std::nullopt;
    }
    case LifecycleState::kPreparingUpdate:
      // The revision it waited for is gone: what was released must be given back
      // before it serves again.
      if (!facts.at_target) return std::nullopt;
      return returned(lifecycle, pod) ? LifecycleState::kNormal : LifecycleState::kUpdated;
    case LifecycleState::kUpdating:
      if (!facts.complete) return std::nullopt;
      return returned(lifecycle, pod) ? LifecycleState::kNormal : LifecycleState::kUpdated;
    case LifecycleState::kUpdated:
      if (!lifecycle || !lifecycle->in_place_update || is_all_hooked(lifecycle->in_place_update, pod))
        return LifecycleState::kNormal;
      return std::nullopt;
    case LifecycleState::kAbsent:
    case LifecycleState::kNormal:
    case LifecycleState::kPreparingDelete:
    case LifecycleState::kOther:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace kruise::workload
