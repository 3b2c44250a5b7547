// kruise-manager from its checked flags to its exit status.
#pragma once

#include "base/stop_signals.hpp"
#include "main/flags.hpp"

namespace kruise::main {

/// Runs until a signal, or until leadership is lost (then the process ends at once, so that nothing more is written).
[[nodiscard]] int run_manager(const ManagerFlags&, base::StopSignals&);

}  // namespace kruise::main
