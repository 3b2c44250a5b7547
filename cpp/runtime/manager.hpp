// The manager: caches, controllers and election on one API server, started and stopped in order.
//
//     runtime::Manager manager(options, client, loop, &workers);
//     manager.add(controllers::cloneset::registration());
//     manager.start();
//
// It runs on a real loop and on a virtual one alike. Destroying it at any instant cancels everything that it began; what the
// server still answers goes by unheard. That is how a simulation kills a manager.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/lifetime.hpp"
#include "base/metrics.hpp"
#include "runtime/caches.hpp"
#include "runtime/controller_loop.hpp"
#include "runtime/crd.hpp"
#include "runtime/event_recorder.hpp"
#include "runtime/gates.hpp"
#include "runtime/health.hpp"
#include "runtime/leader_elector.hpp"
#include "runtime/own_writes.hpp"

namespace kruise::runtime {

/// What a controller is made of when its kind is there.
class Wiring {
 public:
  /// The cache of a kind; subscribe before returning from `make`.
  template <class T>
  [[nodiscard]] cache::Store<T>& store(const api::Resource& resource,
                                       const std::function<std::unique_ptr<cache::Decoder<T>>()>& decoder) {
    return caches_.store<T>(resource, kept_, decoder);
  }
  /// The same for a type that `api::decode` knows.
  template <class T>
  [[nodiscard]] cache::Store<T>& store(const api::Resource& resource) {
    return store<T>(resource,
                    [] { return cache::decoder_from<T>([](std::string_view json) { return api::try_decode_shared<T>(json); }); });
  }
  /// May be copied into subscriptions: it does nothing once the controller is gone.
  [[nodiscard]] const Enqueue& enqueue() const { return enqueue_; }

 private:
  friend class Manager;
  Wiring(Caches& caches, std::vector<Caches::EntryPtr>& kept, Enqueue enqueue)
      : caches_(caches), kept_(kept), enqueue_(std::move(enqueue)) {}
  Caches& caches_;
  std::vector<Caches::EntryPtr>& kept_;
  Enqueue enqueue_;
};

/// One line in cpp/main adds a controller.
struct Registration {
  std::string name;        // "cloneset-controller"
  std::string workers;     // its --…-workers flag: "cloneset"
  api::Resource resource;  // the kind that it reconciles: it runs while the server has it
  std::function<std::unique_ptr<Reconciler>(Wiring&)> make;
  /// Every server has the kind: no definition of it is waited for.
  bool built_in = false;
};

class Manager {
 public:
  struct Options {
    std::string user_agent = "kruise-manager";
    std::string ns{};                                  // caches of namespaced kinds are restricted to it
    std::optional<LeaderElector::Options> election{};  // empty: acts at once
    Gates gates{};
    BackOff back_off{};
    std::map<std::string, int> workers{};  // by Registration::workers; 3 where absent
    base::Duration expectation_timeout = std::chrono::minutes(5);
    std::optional<base::Duration> resync = std::chrono::hours(10);
    std::uint64_t seed = 0;
    /// Watch and plan for whoever asks, and reconcile nothing.
    bool observe_only = false;
    /// Leadership is lost: end the process, or destroy the manager and make a new one.
    std::function<void(const std::string& why)> on_lost{};
    /// Leadership is held until then, unless it is renewed before.
    std::function<void(base::MonoTime)> on_renewed{};
    /// How long the first lists of kinds that the server has may take. A server that was never reached is waited for.
    base::Duration cache_sync_timeout = std::chrono::minutes(2);
    /// They have taken longer: something is wrong that waiting does not mend (a missing right, say). Called once.
    std::function<void(const std::string& why)> on_stuck{};
  };

  /// Everything given outlives the manager. Like everything below on `loop`, which is the client's executor, or before it runs.
  Manager(Options, client::Client&, base::Executor& loop, base::Executor* workers, base::Metrics&, HealthChecks&);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void add(Registration);
  void start();
  /// Not ready any more; takes no further key; lets running reconciles finish, refusing new writes after five seconds; sends
  /// events for a second at most; gives the lock up; then calls `done`.
  void stop(std::function<void()> done);

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] bool leading() const;
  [[nodiscard]] bool may_write() const;
  /// A running controller by its name, to explain what it would do or to name keys to it; null while its kind is not there.
  [[nodiscard]] ControllerLoop* controller(const std::string& name);
  /// Whether anything is queued, running or delayed in a running controller.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const Gates& gates() const { return options_.gates; }
  [[nodiscard]] Caches& caches() { return caches_; }
  /// Brings the gauges of caches and watches up to date.
  void publish_metrics();

 private:
  struct Kind {  // a registration and what runs of it
    Registration registration;
    std::unique_ptr<cache::Informer<Crd>> crd;                            // null of a kind that is built in
    [[nodiscard]] bool defined() const { return !crd || crd->synced(); }  // what the server says of it is known
    std::vector<Caches::EntryPtr> caches;
    std::unique_ptr<ControllerLoop> controller;
    std::shared_ptr<ControllerLoop*> target;  // null once the controller is gone; its subscriptions live on with shared caches
    bool begun = false;
    std::string said;                           // why it does not run, as last logged
    std::map<api::Key, std::string> malformed;  // objects that cannot be read, not yet told by event
    base::TimerId resync = 0;
  };

  [[nodiscard]] Surroundings surroundings();
  void watch_definition(Kind&);
  void look_again();
  void renew_caches();
  [[nodiscard]] bool is_fresh(cache::AnyInformer&) const;
  void check(Kind&);
  void open(Kind&);
  void close(Kind&);
  void begin(Kind&);
  void arm_resync(Kind&);
  void judge_readiness();
  [[nodiscard]] std::optional<std::string> why_not_ready() const;
  void judge_delay(const std::string& why);
  void note_malformed(const api::Resource&, const cache::Malformed&);
  void tell_malformed(Kind&);
  void stop_controllers(std::function<void()> done);
  void flush_events(std::function<void()> done);

  Options options_;
  client::Client& client_;
  base::Executor& loop_;
  base::Executor* workers_;
  base::Metrics& metrics_;
  HealthChecks& health_;
  base::Random random_;
  EventRecorder events_;
  Caches caches_;
  OwnWrites own_writes_;
  std::unique_ptr<LeaderElector> elector_;
  std::vector<std::unique_ptr<Kind>> kinds_;
  bool ready_ = false;
  bool acting_ = false;                         // leading, or without election
  std::optional<base::MonoTime> acting_since_;  // leading
  bool stopping_ = false;
  bool refusing_ = false;  // no further writes
  bool waiting_ = true;    // for some cache
  bool looking_ = false;
  base::TimerId unready_timer_ = 0;
  std::optional<base::MonoTime> listing_since_;  // the first lists are under way
  bool stuck_ = false;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
