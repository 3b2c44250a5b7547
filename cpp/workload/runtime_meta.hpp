// What the node agent tells of a pod's running containers, in the annotation `apps.kruise.io/runtime-containers-meta`: which
// start of each it speaks of, and hashes of what that start was given.
#pragma once

#include <string>

#include "api/pod.hpp"

namespace kruise::workload {

/// Every container runs the name and image of its spec.
[[nodiscard]] bool runs_its_spec(const api::Pod&);

/// Which container does not (or nobody tells whether it does) run with the variables that the pod's labels and annotations would
/// give it now, and why; empty when all do. Containers without such variables do not count.
[[nodiscard]] std::string lacks_new_env(const api::Pod&);

}  // namespace kruise::workload
