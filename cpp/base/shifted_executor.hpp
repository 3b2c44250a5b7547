// The same loop with a wall clock that is wrong: for a process on a machine whose clock is minutes ahead of, or behind, the
// others.
#pragma once

#include <utility>

#include "base/executor.hpp"

namespace kruise::base {

/// Runs everything on `inner`, which outlives it. Monotonic time and timers are those of `inner`; `now` is `ahead` of it.
class ShiftedExecutor final : public Executor, public Clock {
 public:
  ShiftedExecutor(Executor& inner, Duration ahead) : inner_(inner), ahead_(ahead) {}
  void post(Task task) override { inner_.post(std::move(task)); }
  void post_idle(Task task) override { inner_.post_idle(std::move(task)); }
  TimerId post_after(Duration delay, Task task) override { return inner_.post_after(delay, std::move(task)); }
  void cancel(TimerId id) override { inner_.cancel(id); }
  [[nodiscard]] const Clock& clock() const override { return *this; }
  [[nodiscard]] Time now() const override { return inner_.clock().now() + ahead_; }
  [[nodiscard]] MonoTime mono() const override { return inner_.clock().mono(); }

 private:
  Executor& inner_;
  Duration ahead_;
};

}  // namespace kruise::base
