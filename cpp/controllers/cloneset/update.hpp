// Updating: pods move to the wanted revision, in place or by being named for deletion, as far as partition and budget allow.
#pragma once

#include "controllers/cloneset/pass.hpp"

namespace kruise::controllers::cloneset {

/// Adds a step for what pods do by themselves (refresh.hpp) and one for those that are updated.
[[nodiscard]] Outcome update(Pass&, runtime::Plan&);

}  // namespace kruise::controllers::cloneset
