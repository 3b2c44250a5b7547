// Lifecycle hooks: labels and finalizers by which a user's controller holds a
// pod back before it is updated, deleted or served.
#pragma once

#include <optional>
#include <string>

#include "api/generated/shared.hpp"
#include "api/pod.hpp"
#include "workload/pod_state.hpp"

namespace kruise::workload {

using api::Lifecycle;
using Hook = api::LifecycleHook;

/// The pod still carries any of the hook's marks: it must wait. A hook that
/// lists nothing, or no hook, never holds. A listed label must be present: a
/// pod without it is released even where the listed value is empty.
[[nodiscard]] bool is_hooked(const std::optional<Hook>&, const api::Pod&);
/// The pod carries all of the hook's marks: it is given back. True for a hook
/// that lists nothing, false without a hook.
[[nodiscard]] bool is_all_hooked(const std::optional<Hook>&, const api::Pod&);
/// One mark that holds the pod, for people: `label example.com/hold=true` or
/// `finalizer example.com/hold`; empty when none does.
[[nodiscard]] std::string holding_mark(const std::optional<Hook>&, const api::Pod&);

/// What a transition depends on beside the pod's own marks.
struct LifecycleFacts {
  /// The pod is where this pass wants it: at its target, or no longer to be
  /// moved at all.
  bool at_target = false;
  /// The in-place engine reports the pod complete.
  bool complete = true;
};

/// The state a pod moves to by itself (not because it was chosen for an update
/// or a deletion); absent when it stays. `lifecycle` is absent when the
/// workload has none. Transitions of choice are in the plans; the graph is in
/// lifecycle_test.cpp.
[[nodiscard]] std::optional<LifecycleState> next_state(const api::Pod&, const std::optional<Lifecycle>& lifecycle,
                                                       const LifecycleFacts&);

}  // namespace kruise::workload
