// One kind's loop: takes keys from its queue, plans them and has the plans carried out.
//
// A key is never planned twice at once, and not before the caches have passed its own writes. An exception of a plan is an error
// of that key. A key whose plan is expensive is not planned anew for each event, only for a user's edit: after a plan that took t
// it rests for `kRestPerCost` times t.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/lifetime.hpp"
#include "base/lru_map.hpp"
#include "base/metrics.hpp"
#include "runtime/act.hpp"
#include "runtime/controller.hpp"
#include "runtime/event_recorder.hpp"
#include "runtime/gates.hpp"
#include "runtime/held_gauges.hpp"
#include "runtime/own_writes.hpp"
#include "runtime/work_queue.hpp"

namespace kruise::runtime {

/// What the controllers of a process share; everything outlives them.
struct Surroundings {
  client::Client& client;
  OwnWrites& own_writes;
  EventRecorder& events;
  base::Metrics& metrics;
  const Gates& gates;
  base::Executor& loop;
  base::Executor* workers = nullptr;  // where plans are computed; null: on the loop
  std::function<bool()> may_write;
};

class ControllerLoop {
 public:
  static constexpr int kRestPerCost = 10;
  static constexpr base::Duration kRestMax = std::chrono::seconds(5);
  /// What a plan costs per object that it looks at, where no clock can tell (virtual time).
  static constexpr base::Duration kCostPerObject = std::chrono::microseconds(2);
  static constexpr int kFailuresBeforeEvent = 10;
  /// From one status that may wait (Plan::status_may_wait) to the next.
  static constexpr base::Duration kStatusSpacing = std::chrono::milliseconds(500);

  struct Options {
    int workers = 3;  // keys at once
    BackOff back_off{};
    std::string user_agent{};
    std::uint64_t seed = 0;  // of what plans draw
  };
  /// On the loop, like everything below.
  ControllerLoop(std::unique_ptr<Reconciler>, Options, Surroundings);
  ~ControllerLoop();
  ControllerLoop(const ControllerLoop&) = delete;
  ControllerLoop& operator=(const ControllerLoop&) = delete;

  void add(const api::Key& key, Cause cause) { queue_.add(key, cause); }
  /// Keys are only collected before.
  void start();
  /// Takes no further key; `done` is called once, when the running ones are finished.
  void stop(std::function<void()> done);

  [[nodiscard]] Reconciler& reconciler() { return *reconciler_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Nothing queued, delayed, failing or running.
  [[nodiscard]] bool idle() const { return queue_.idle() && jobs_.empty(); }
  [[nodiscard]] std::uint64_t reconciles() const { return reconciles_; }

 private:
  struct Job;
  struct Trouble {  // what was said of a failing key
    std::string text;
    base::MonoTime logged{};
    base::MonoTime event_sent{};
    bool event_ever = false;
    int silent = 0;
  };

  base::Counter& errors_total();
  base::Counter& panics_total();
  void observe_part(std::string_view metric, std::string_view help, base::Duration took);
  void pump();
  bool deferred(const WorkQueue::Taken&);
  void begin(const api::Key&, Cause);
  void plan(Job&);
  void act_on(const api::Key&, Plan, base::Duration cost);
  void finish(const api::Key&, const ActResult&);
  void end(const api::Key&, std::string_view result);
  void fail(const api::Key&, const std::string& text, bool stale);
  void report(const api::Key&, const std::string& text, bool stale);
  void rest(const api::Key&, base::Duration cost);
  void space_status(Job&, Plan&);

  std::string name_;
  std::unique_ptr<Reconciler> reconciler_;
  Options options_;
  Surroundings around_;
  WorkQueue queue_;
  HeldGauges held_;
  base::Random random_;
  std::map<api::Key, std::unique_ptr<Job>> jobs_;
  std::map<api::Key, base::MonoTime> resting_;         // until then
  std::map<api::Key, base::MonoTime> status_written_;  // the last one of each object that is there
  base::LruMap<api::Key, Trouble> troubles_{EventRecorder::kKeysMax};
  bool running_ = false;
  std::function<void()> stopped_;
  std::uint64_t reconciles_ = 0;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
