// The CloneSet controller as a manager takes it.
#pragma once

#include "controllers/cloneset/plan.hpp"
#include "runtime/manager.hpp"

namespace kruise::controllers::cloneset {

[[nodiscard]] runtime::Registration registration(Options = {});

}  // namespace kruise::controllers::cloneset
