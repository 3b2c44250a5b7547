// Scaling: pods are created, deleted because they are named, and deleted because there are too many.
#pragma once

#include "controllers/cloneset/pass.hpp"

namespace kruise::controllers::cloneset {

/// Adds at most one step to the plan. When it changes something, this pass updates nothing.
[[nodiscard]] Outcome scale(Pass&, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
