// Where work runs and when: the one source of time, threads and timers.
//
// Everything above `base` is written as tasks on an `Executor`. Production
// gives a `Loop` (one named thread); a simulation gives a `VirtualLoop`, that
// runs the same tasks in a fixed order and jumps to the next timer when nothing
// is runnable.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace kruise::base {

using Task = std::function<void()>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
  [[nodiscard]] virtual MonoTime mono() const = 0;
};

/// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
  [[nodiscard]] MonoTime mono() const override;
};

using TimerId = std::uint64_t;

/// Runs tasks one after the other in the order posted. `post*` and `cancel` may
/// be called from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(Task) = 0;
  /// Like `post`, but in virtual time only after everything else of the instant has run.
  virtual void post_idle(Task task) { post(std::move(task)); }
  /// Runs the task once `delay` has passed (at once when it is not positive,
  /// but never inside this call).
  virtual TimerId post_after(Duration delay, Task) = 0;
  /// A task that has not begun will not run. Unknown ids are ignored.
  virtual void cancel(TimerId) = 0;
  [[nodiscard]] virtual const Clock& clock() const = 0;
};

/// A thread of its own that runs tasks until destruction. Tasks not begun by
/// then are dropped.
class Loop final : public Executor {
 public:
  explicit Loop(std::string name);
  ~Loop() override;
  void post(Task) override;
  TimerId post_after(Duration delay, Task) override;
  void cancel(TimerId) override;
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  /// Runs the task on the loop and returns when it is done; runs it directly
  /// when called on the loop's own thread.
  void run_and_wait(const Task&);

 private:
  void run();
  void wait(std::unique_lock<std::mutex>&);
  /// Wakes the thread if it waits, once the lock is given back: a signal that nobody needs, or that meets a held lock, is most
  /// of what an event costs an idle process.
  void wake(std::unique_lock<std::mutex>);

  SystemClock clock_;
  std::mutex mutex_;  // guards all but the thread
  std::condition_variable wake_;
  bool waiting_ = false;
  bool stopped_ = false;
  std::deque<Task> ready_;
  std::map<std::pair<MonoTime, TimerId>, Task> timers_;
  std::unordered_map<TimerId, MonoTime> due_;
  TimerId last_timer_ = 0;
  std::thread thread_;
};

/// Virtual time on the caller's thread. Not thread-safe: everything happens
/// inside `run_*`. Ready tasks run first in the order posted; when there are
/// none, time jumps to the earliest timer. `post_idle` tasks run at an instant
/// only after everything else of that instant has run: a simulated controller
/// thereby sees all events of an instant at once, as a busy real one would.
class VirtualLoop final : public Executor, public Clock {
 public:
  explicit VirtualLoop(Time start);
  void post(Task) override;
  TimerId post_after(Duration delay, Task) override;
  void cancel(TimerId) override;
  [[nodiscard]] const Clock& clock() const override { return *this; }
  [[nodiscard]] Time now() const override { return start_ + elapsed_; }
  [[nodiscard]] MonoTime mono() const override { return MonoTime{elapsed_}; }

  void post_idle(Task) override;
  /// Runs until `done` holds (checked after each task) or `limit` of virtual
  /// time has passed since the call. Returns whether `done` held. A task's
  /// exception passes through.
  bool run_until(const std::function<bool()>& done, Duration limit);
  /// The same, but `done` is asked only once an instant, when nothing more is due at it: for conditions that cost something.
  bool run_until_at_rest(const std::function<bool()>& done, Duration limit);
  /// Runs everything due within `span`, then stands at its end.
  void run_for(Duration span);

 private:
  bool run_one(Duration until);
  void finish_instant();

  Time start_;
  Duration elapsed_{0};
  std::deque<Task> ready_;
  std::deque<Task> idle_;
  std::map<std::pair<Duration, TimerId>, Task> timers_;
  std::unordered_map<TimerId, Duration> due_;
  TimerId last_timer_ = 0;
};

}  // namespace kruise::base
