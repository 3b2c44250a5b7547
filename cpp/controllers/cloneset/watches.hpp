// Which event makes which CloneSet be looked at.
#pragma once

#include "controllers/cloneset/reconciler.hpp"
#include "runtime/controller.hpp"

namespace kruise::controllers::cloneset {

/// Subscribes to the stores, before their first list. Any event may be lost or come late: a key is only ever a hint to look.
void watch(Stores, runtime::Enqueue);

}  // namespace kruise::controllers::cloneset
