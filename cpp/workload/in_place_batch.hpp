// In which order the containers of a pod are changed: those of the highest launch priority first, each batch when the one before
// is ready.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/pod.hpp"
#include "base/time.hpp"
#include "workload/in_place_state.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::workload {

/// Which labels and annotations the containers of a template take variables from, by container.
using TemplateEnv = std::map<std::string, std::vector<api::PodFields::MetadataEnv>, std::less<>>;

/// What is to be done to containers, and has not been.
struct ContainerChanges {
  std::map<std::string, std::string, std::less<>> images{};
  std::map<std::string, ReferredMetadata, std::less<>> referred{};
  [[nodiscard]] bool empty() const { return images.empty() && referred.empty(); }
};

/// Takes those keys out of the patch that are added or replaced and that variables are taken from: writing them restarts the
/// containers concerned, so they wait for these containers' turn.
[[nodiscard]] std::map<std::string, ReferredMetadata, std::less<>> take_referred(MetadataPatch&, const TemplateEnv&);

/// Puts the next batch into the patch and into the state, with what the containers ran until then, and the rest into the state.
void apply_batch(const api::Pod&, ContainerChanges, base::Time now, InPlaceState&, PodPatch&);

}  // namespace kruise::workload
