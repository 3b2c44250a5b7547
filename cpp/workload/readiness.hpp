// The readiness gate InPlaceUpdateReady: traffic is drained before a container restarts and restored when it runs the wanted
// image.
#pragma once

#include "workload/pod_patch.hpp"

namespace kruise::workload {

/// Puts InPlaceUpdateReady=False into the patch, and Ready=False beside it instead of waiting for the kubelet. Writes nothing for
/// a pod without the gate, and nothing that stands there already.
void set_in_place_not_ready(const api::Pod&, base::Time now, PodPatch&);
/// Puts InPlaceUpdateReady=True into the patch; Ready is left to the kubelet.
void set_in_place_ready(const api::Pod&, base::Time now, PodPatch&);

/// The gate is there and its condition is not True: the pod waits for us.
[[nodiscard]] bool lacks_in_place_ready(const api::Pod&);

}  // namespace kruise::workload
