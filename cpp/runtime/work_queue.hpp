// The keys that a controller has to look at: each once, the urgent first, the failing ones ever later.
//
// A key that is named while it is being processed is marked and comes again when it is done. Delayed additions keep the earliest
// time. The back-off of a failing key is `base_delay` doubling up to `max_delay`, or its turn in a token bucket shared by all
// failing keys, whichever is later; it delays no other key.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "api/key.hpp"
#include "base/executor.hpp"
#include "base/lifetime.hpp"
#include "base/metrics.hpp"
#include "runtime/controller.hpp"

namespace kruise::runtime {

struct BackOff {
  base::Duration base_delay = std::chrono::milliseconds(5);
  base::Duration max_delay = std::chrono::seconds(1000);
  double qps = 10;
  int burst = 100;
};

/// Lives on one executor.
class WorkQueue {
 public:
  WorkQueue(std::string name, BackOff, base::Executor&, base::Metrics&);
  ~WorkQueue();

  /// Called, as a task of its own, when a key may be taken. Set once.
  void on_ready(std::function<void()> callback) { ready_callback_ = std::move(callback); }

  void add(const api::Key&, Cause);
  /// The earliest of several delays holds. At most one delay is pending for a key; taking the key voids it.
  void add_after(const api::Key&, base::Duration, Cause);
  /// After the key's back-off, which grows and is returned.
  base::Duration add_rate_limited(const api::Key&);
  /// The key got something done: its own back-off is no longer than `most` the next time, or the shortest there is.
  void ease(const api::Key&, base::Duration most);
  /// The key succeeded: its back-off starts anew.
  void forget(const api::Key&);
  /// Failures since the last `forget`.
  [[nodiscard]] int failures(const api::Key&) const;

  struct Taken {
    api::Key key;
    Cause cause = Cause::kChange;
  };
  /// The most urgent key that is not being processed. It must be given back with `done`.
  [[nodiscard]] std::optional<Taken> take();
  void done(const api::Key&);

  /// Keys that may be taken, delayed ones not counted.
  [[nodiscard]] std::size_t depth() const { return depth_; }
  [[nodiscard]] bool idle() const { return items_.empty(); }

 private:
  struct Item {
    bool queued = false;
    bool processing = false;
    std::optional<Cause> dirty;  // named while processing
    Cause cause = Cause::kResync;
    std::uint64_t ticket = 0;  // of its place in the line; an older one is void
    base::MonoTime since{};    // queued, or processing
    base::TimerId timer = 0;
    base::MonoTime due{};  // of the timer
    int failures = 0;
    int doublings = 0;  // of the next back-off
  };
  struct Place {
    api::Key key;
    std::uint64_t ticket = 0;
  };
  struct Instruments {
    base::Gauge& depth;
    base::Counter& adds;
    base::Counter& retries;
    base::Histogram& waited;
    base::Histogram& worked;
  };

  /// What the page of metrics reads from its own thread: starts of what is being processed, in seconds.
  struct Running {
    std::atomic<double> count{0};
    std::atomic<double> sum{0};
    std::atomic<double> oldest{0};
  };

  void enqueue(const api::Key&, Item&, Cause);
  void announce();
  void tidy(const api::Key&);
  [[nodiscard]] base::Duration back_off(int doublings) const;
  base::Duration bucket_delay();
  void publish_running();

  std::string name_;
  BackOff back_off_;
  base::Executor& executor_;
  base::Metrics& metrics_;
  Instruments instruments_;
  std::function<void()> ready_callback_;
  std::unordered_map<api::Key, Item> items_;
  std::array<std::deque<Place>, 3> lines_;  // by cause
  std::size_t depth_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::multiset<base::MonoTime> running_;
  std::shared_ptr<Running> published_ = std::make_shared<Running>();
  double tokens_;  // may be negative: turns given away
  base::MonoTime tokens_at_{};
  bool announced_ = false;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
