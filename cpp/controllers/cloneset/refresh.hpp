// What becomes of each pod by itself: grace periods end, finished updates turn ready, lifecycle states move on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controllers/cloneset/pass.hpp"
#include "workload/in_place.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::controllers::cloneset {

/// Patches and findings, in parallel to Pass::pods.
struct Refreshed {
  std::vector<std::optional<workload::PodPatch>> patches;
  std::vector<std::string> purposes;  // of the patches
  std::vector<bool> in_grace;
  std::optional<std::string> error{};  // of annotations that cannot be read
};

/// Nothing is written yet: pods that are chosen for an update in the same pass take their patch over. Adds reasons of pods that
/// wait, and the time after which to look again.
[[nodiscard]] Refreshed refresh(const Pass&, const Numbers&, runtime::Plan&);

/// Puts the patches that are left into the plan, as one step.
void commit(Refreshed&, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
