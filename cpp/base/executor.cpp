#include "base/executor.hpp"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <utility>

namespace kruise::base {

Time SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
MonoTime SystemClock::mono() const { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

Loop::Loop(std::string name) : thread_([this] { run(); }) {
  constexpr std::size_t kThreadNameMax = 15;
  name.resize(std::min(name.size(), kThreadNameMax));
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

Loop::~Loop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  wake(std::move(lock));
  thread_.join();
}

void Loop::post(Task task) {
  std::unique_lock lock(mutex_);
  ready_.push_back(std::move(task));
  wake(std::move(lock));
}

TimerId Loop::post_after(Duration delay, Task task) {
  const MonoTime due = clock_.mono() + delay;
  std::unique_lock lock(mutex_);
  const TimerId id = ++last_timer_;
  const auto timer = timers_.emplace(std::pair{due, id}, std::move(task)).first;
  due_.emplace(id, due);
  if (timer == timers_.begin()) wake(std::move(lock));
  return id;
}

void Loop::wake(std::unique_lock<std::mutex> lock) {
  const bool waits = std::exchange(waiting_, false);
  lock.unlock();
  if (waits) wake_.notify_one();
}

void Loop::cancel(TimerId id) {
  const std::lock_guard lock(mutex_);
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  timers_.erase({found->second, id});
  due_.erase(found);
}

void Loop::run_and_wait(const Task& task) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    task();
    return;
  }
  std::promise<void> done;
  post([&] {
    try {
      task();
      done.set_value();
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  done.get_future().get();
}

void Loop::run() {
  std::unique_lock lock(mutex_);
  bool timer_ran = false;
  while (!stopped_) {
    // A due timer stays in its table until it runs, so that it can be cancelled until then; tasks and timers take turns.
    const bool timer_due = !timers_.empty() && timers_.begin()->first.first <= clock_.mono();
    if (timer_due && (ready_.empty() || !timer_ran)) {
      auto timer = timers_.extract(timers_.begin());
      due_.erase(timer.key().second);
      timer_ran = true;
      lock.unlock();
      timer.mapped()();
      timer = {};
      lock.lock();
    } else if (!ready_.empty()) {
      Task task = std::move(ready_.front());
      ready_.pop_front();
      timer_ran = false;
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    } else {
      wait(lock);
    }
  }
}

void Loop::wait(std::unique_lock<std::mutex>& lock) {
  waiting_ = true;
  if (timers_.empty()) {
    wake_.wait(lock);
  } else {
    wake_.wait_until(lock, timers_.begin()->first.first);
  }
  waiting_ = false;
}

VirtualLoop::VirtualLoop(Time start) : start_(start) {}

void VirtualLoop::post(Task task) { ready_.push_back(std::move(task)); }
void VirtualLoop::post_idle(Task task) { idle_.push_back(std::move(task)); }

TimerId VirtualLoop::post_after(Duration delay, Task task) {
  const Duration due = elapsed_ + std::max(delay, Duration{0});
  const TimerId id = ++last_timer_;
  timers_.emplace(std::pair{due, id}, std::move(task));
  due_.emplace(id, due);
  return id;
}

void VirtualLoop::cancel(TimerId id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  timers_.erase({found->second, id});
  due_.erase(found);
}

bool VirtualLoop::run_one(Duration until) {
  Task task;
  if (!ready_.empty()) {
    task = std::move(ready_.front());
    ready_.pop_front();
  } else if (!timers_.empty() && timers_.begin()->first.first <= elapsed_) {
    auto timer = timers_.extract(timers_.begin());
    due_.erase(timer.key().second);
    task = std::move(timer.mapped());
  } else if (!idle_.empty()) {
    task = std::move(idle_.front());
    idle_.pop_front();
  } else if (!timers_.empty() && timers_.begin()->first.first <= until) {
    elapsed_ = timers_.begin()->first.first;
    return true;
  } else {
    return false;
  }
  task();
  return true;
}

bool VirtualLoop::run_until(const std::function<bool()>& done, Duration limit) {
  const Duration until = elapsed_ + limit;
  while (!done()) {
    if (!run_one(until)) {
      elapsed_ = until;
      return done();
    }
  }
  return true;
}

void VirtualLoop::finish_instant() {
  const Duration instant = elapsed_;
  while (run_one(instant)) {
  }
}

bool VirtualLoop::run_until_at_rest(const std::function<bool()>& done, Duration limit) {
  const Duration until = elapsed_ + limit;
  while (true) {
    finish_instant();
    if (done()) return true;
    if (!run_one(until)) break;
  }
  elapsed_ = until;
  return done();
}

void VirtualLoop::run_for(Duration span) {
  const Duration until = elapsed_ + span;
  while (run_one(until)) {
  }
  elapsed_ = until;
}

}  // namespace kruise::base
