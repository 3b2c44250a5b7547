// How claims end: with their pod, or because no new pod is to take them over (scaleStrategy.disablePVCReuse).
#pragma once

#include <string>
#include <vector>

#include "api/generated/clone_set.hpp"
#include "controllers/cloneset/plan.hpp"

namespace kruise::controllers::cloneset {

[[nodiscard]] runtime::Write claim_deletion(const api::Claim&, std::string purpose);

/// Claims whose pod has ended are handed to it, so that they are collected with it; those of no pod are deleted. The writes are a
/// step of the plan. Returns the claims that stay the set's.
[[nodiscard]] std::vector<api::ClaimPtr> clean_claims(const api::CloneSet&, const Observed&, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
