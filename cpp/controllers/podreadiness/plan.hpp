// Lets pods into service that have the readiness gate KruisePodReady: its condition becomes True, once. What holds a pod back
// later (hooks, budgets) writes to the same condition, and nobody takes that back here.
#pragma once

#include "api/pod.hpp"
#include "runtime/plan.hpp"

namespace kruise::controllers::podreadiness {

/// The pod has the gate, nobody has ever set the condition, and nobody else will: a workload of ours sets it with its own
/// condition in one write (workload/readiness.hpp).
[[nodiscard]] bool is_ours_to_set(const api::Pod&);

[[nodiscard]] runtime::Plan plan(const api::Pod&, const runtime::Context&);

}  // namespace kruise::controllers::podreadiness
