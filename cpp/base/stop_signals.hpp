// SIGTERM and SIGINT as something a thread waits for.
#pragma once

#include "base/time.hpp"

namespace kruise::base {

/// Make it first in main: threads made later inherit the blocked signals. SIGPIPE is ignored from then on.
class StopSignals {
 public:
  StopSignals();
  /// Whether one arrived, after at most `span`; each is told once.
  [[nodiscard]] bool wait_for(Duration span);
};

}  // namespace kruise::base
