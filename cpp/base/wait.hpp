// Waiting on a caller's own thread, in slices, so that whoever waits can be interrupted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/time.hpp"

namespace kruise::base {

/// Remembers that something happened until somebody waits for it. Any thread.
class Wakeup {
 public:
  void notify();
  /// Returns once notified since the last wait, at the latest after `limit`.
  void wait(Duration limit);

 private:
  std::mutex mutex_;  // guards `raised_`
  std::condition_variable changed_;
  bool raised_ = false;
};

/// Waits for one slice, or less where the deadline is nearer. False when the deadline had passed already.
bool wait_slice(Wakeup&, Duration slice, std::optional<MonoTime> deadline);

}  // namespace kruise::base
