// The readiness gates by which traffic is kept from a pod. InPlaceUpdateReady: drained before a container restarts and restored
// when it runs the wanted image. KruisePodReady: held by several writers, each with a key of its own, and True when none is left.
#pragma once

#include "workload/pod_patch.hpp"

namespace kruise::workload {

/// Puts InPlaceUpdateReady=False into the patch, and Ready=False beside it instead of waiting for the kubelet. Writes nothing for
/// a pod without the gate, and nothing that stands there already.
void set_in_place_not_ready(const api::Pod&, base::Time now, PodPatch&);
/// Puts InPlaceUpdateReady=True into the patch, and KruisePodReady=True beside it where nobody has set that yet; Ready is left to
/// the kubelet.
void set_in_place_ready(const api::Pod&, base::Time now, PodPatch&);

/// The gate is there and its condition is not True: the pod waits for us.
[[nodiscard]] bool lacks_in_place_ready(const api::Pod&);

/// One reason why KruisePodReady is False, as it stands in the condition's message.
struct ReadyHold {
  std::string_view user_agent;
  std::string_view key;
};
inline constexpr ReadyHold kPreDeleteHold{"Lifecycle", "preDeleteHook"};
inline constexpr ReadyHold kPreUpdateHold{"Lifecycle", "preUpdateHook"};

/// The gate KruisePodReady is there, and nobody has ever set its condition: it is to become True once.
[[nodiscard]] bool lacks_kruise_ready(const api::Pod&);
/// Puts KruisePodReady=True into the patch of a pod that lacks it.
void set_kruise_ready(const api::Pod&, base::Time now, PodPatch&);

/// Adds the hold, with KruisePodReady=False and Ready=False beside it. Nothing for a pod without the gate or with the hold.
void hold_ready(const api::Pod&, const ReadyHold&, base::Time now, PodPatch&);
/// Takes the hold away; KruisePodReady is True when it was the last. Nothing for a pod without the gate or the hold.
void release_ready(const api::Pod&, const ReadyHold&, base::Time now, PodPatch&);

}  // namespace kruise::workload
