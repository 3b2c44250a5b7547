// The condition Progressing: whether a rollout is done within spec.progressDeadlineSeconds. It tells, and changes nothing.
#pragma once

#include "api/generated/clone_set.hpp"
#include "controllers/cloneset/pass.hpp"
#include "runtime/plan.hpp"

namespace kruise::controllers::cloneset {

inline constexpr std::string_view kConditionProgressing = "Progressing";

/// Puts the condition into `wanted`, which has this pass' counts and revisions and the conditions of before, or takes it away
/// where no deadline is set. Asks to be called again when the deadline is over.
void set_progressing(const Pass&, api::CloneSetStatus& wanted, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
