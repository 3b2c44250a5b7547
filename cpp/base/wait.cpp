#include "base/wait.hpp"

#include <algorithm>

#include "base/executor.hpp"

namespace kruise::base {

void Wakeup::notify() {
  {
    const std::lock_guard lock(mutex_);
    raised_ = true;
  }
  changed_.notify_all();
}

void Wakeup::wait(Duration limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return raised_; });
  raised_ = false;
}

bool wait_slice(Wakeup& wakeup, Duration slice, std::optional<MonoTime> deadline) {
  if (deadline) {
    const Duration left = *deadline - SystemClock{}.mono();
    if (left <= Duration{0}) return false;
    slice = std::min(slice, left);
  }
  wakeup.wait(slice);
  return true;
}

}  // namespace kruise::base
