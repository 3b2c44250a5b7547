// The CloneSet controller as a manager takes it.
#pragma once

#include "runtime/manager.hpp"

namespace kruise::controllers::cloneset {

[[nodiscard]] runtime::Registration registration();

}  // namespace kruise::controllers::cloneset
