// Claims that no new pod is to take over (scaleStrategy.disablePVCReuse).
#pragma once

#include <vector>

#include "api/generated/clone_set.hpp"
#include "controllers/cloneset/plan.hpp"

namespace kruise::controllers::cloneset {

/// Claims whose pod has ended are handed to it, so that they are collected with it; those of no pod are deleted. The writes are a
/// step of the plan. Returns the claims that stay the set's.
[[nodiscard]] std::vector<api::ClaimPtr> clean_claims(const api::CloneSet&, const Observed&, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
