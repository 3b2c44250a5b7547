#include "runtime/manager.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.hpp"

namespace kruise::runtime {
namespace {

constexpr const char* kCachesSynced = "caches-synced";
constexpr const char* kRunning = "running";
constexpr base::Duration kWritesAfterStop = std::chrono::seconds(5);
constexpr base::Duration kAnswers = std::chrono::seconds(1);
constexpr base::Duration kFlush = std::chrono::seconds(1);
constexpr base::Duration kRelease = std::chrono::milliseconds(900);
constexpr base::Duration kLookWhileUnready = std::chrono::seconds(1);
constexpr int kWorkersDefault = 3;
constexpr std::size_t kMalformedMax = 1000;
constexpr double kResyncSpread = 0.1;

std::string crd_name(const api::Resource& resource) { return resource.plural + "." + resource.group; }

/// Calls once, whichever of several ends comes first.
std::function<void()> once(std::function<void()> function) {
  auto shared = std::make_shared<std::function<void()>>(std::move(function));
  return [shared] {
    if (auto taken = std::exchange(*shared, nullptr)) taken();
  };
}

}  // namespace

Manager::Manager(Options options, client::Client& client, base::Executor& loop, base::Executor* workers, base::Metrics& metrics,
                 HealthChecks& health)
    : options_(std::move(options)),
      client_(client),
      loop_(loop),
      workers_(workers),
      metrics_(metrics),
      health_(health),
      random_(options_.seed),
      events_(client, options_.user_agent),
      caches_(client,
              {.ns = options_.ns,
               .seed = random_.next(),
               .on_progress =
                   [this] {
                     own_writes_.progress();
                     if (waiting_) look_again();
                   },
               .on_malformed = [this](const auto& resource, const auto& malformed) { note_malformed(resource, malformed); }}),
      own_writes_({options_.expectation_timeout, options_.gates.enabled(Gate::kForceDeleteTimeoutExpectationGate)}, client,
                  caches_, metrics) {
  health_.pass(kRunning);
  health_.fail(kCachesSynced, "not started");
  if (!options_.election) {
    metrics_.gauge("kruise_manager_is_leader", "Whether this process leads.").set(1);
    return;
  }
  LeaderElector::Callbacks callbacks;
  callbacks.on_leading = [this] {
    acting_ = true;
    renew_caches();
    look_again();
  };
  callbacks.on_tried = [this] { look_again(); };
  callbacks.on_lost = [this](const std::string& why) {
    acting_ = false;
    refusing_ = true;
    if (options_.on_lost) options_.on_lost(why);
  };
  callbacks.on_renewed = options_.on_renewed;
  elector_ = std::make_unique<LeaderElector>(*options_.election, client_, events_, metrics_, random_.stream("election"),
                                             std::move(callbacks));
}

Manager::~Manager() {
  for (const auto& kind : kinds_) {
    loop_.cancel(kind->resync);
    if (kind->target) *kind->target = nullptr;
  }
  loop_.cancel(unready_timer_);
  kinds_.clear();  // before what they were made with
}

bool Manager::leading() const { return elector_ ? elector_->leading() : acting_; }

bool Manager::may_write() const { return !refusing_ && acting_ && (!elector_ || elector_->may_write()); }

Surroundings Manager::surroundings() {
  return {client_, own_writes_, events_, metrics_, options_.gates, loop_, workers_, [this] { return may_write(); }};
}

void Manager::add(Registration registration) {
  auto kind = std::make_unique<Kind>();
  kind->registration = std::move(registration);
  kinds_.push_back(std::move(kind));
}

void Manager::start() {
  if (elector_) {
    elector_->start();
  } else {
    acting_ = !options_.observe_only;
  }
  for (const auto& kind : kinds_) watch_definition(*kind);
  look_again();
}

/// Each definition by its name: all of a cluster's would be many megabytes.
void Manager::watch_definition(Kind& kind) {
  if (kind.registration.built_in) return;
  const std::string name = crd_name(kind.registration.resource);
  cache::ReflectorOptions options;
  options.scope = cache::Scope::one({"", name});
  kind.crd = std::make_unique<cache::Informer<Crd>>(client_, api::kCrds, cache::decoder_from<Crd>(read_crd), random_.stream(name),
                                                    options);
  kind.crd->store().on_progress([this] { look_again(); });
  kind.crd->start();
}

/// The watches of one who waited for the lock may lag behind the last writes of who held it: what was listed before does not show
/// for certain what is there. Who had nothing listed yet loses nothing: lists wait for the first look at the lock.
void Manager::renew_caches() {
  acting_since_ = loop_.clock().mono();
  std::set<const Caches::Entry*> renewed;  // kinds share them
  for (const auto& kind : kinds_) {
    for (const auto& entry : kind->caches) {
      if (renewed.insert(entry.get()).second) entry->informer().relist();
    }
  }
  waiting_ = true;
}

/// Listed since this process may act.
bool Manager::is_fresh(cache::AnyInformer& informer) const {
  return informer.synced() && (!acting_since_ || informer.listed_from() >= acting_since_);
}

void Manager::look_again() {
  if (looking_ || stopping_) return;
  looking_ = true;
  loop_.post(life_.bind([this] {
    looking_ = false;
    if (stopping_) return;
    for (const auto& kind : kinds_) check(*kind);
    judge_readiness();
  }));
}

void Manager::check(Kind& kind) {
  if (!kind.defined()) return;
  const auto& resource = kind.registration.resource;
  std::optional<std::string> why_not;
  if (kind.crd) why_not = why_not_served(kind.crd->store().get({"", crd_name(resource)}).get(), resource);
  if (why_not) {
    if (kind.controller) close(kind);
    if (kind.said != *why_not)
      base::log::info("controller waits for its kind",
                      {{"controller", kind.registration.name}, {"kind", resource.kind}, {"why", *why_not}});
    kind.said = *why_not;
    return;
  }
  kind.said.clear();
  if (elector_ && !elector_->tried()) return;
  if (!kind.controller) open(kind);
  if (kind.begun || !acting_) return;
  if (std::ranges::all_of(kind.caches, [this](const auto& entry) { return is_fresh(entry->informer()); })) begin(kind);
}

void Manager::open(Kind& kind) {
  const Registration& registration = kind.registration;
  // Subscriptions come before the controller that they name keys to.
  const auto target = std::make_shared<ControllerLoop*>(nullptr);
  Wiring wiring(caches_, kind.caches, [target](const api::Key& key, Cause cause) {
    if (*target != nullptr) (*target)->add(key, cause);
  });
  auto reconciler = registration.make(wiring);
  ControllerLoop::Options options;
  const auto workers = options_.workers.find(registration.workers);
  options.workers = workers == options_.workers.end() ? kWorkersDefault : workers->second;
  options.back_off = options_.back_off;
  options.user_agent = options_.user_agent + "/" + registration.name;
  options.seed = random_.stream(registration.name).next();
  kind.controller = std::make_unique<ControllerLoop>(std::move(reconciler), options, surroundings());
  kind.target = target;
  *target = kind.controller.get();
  waiting_ = true;
  for (const auto& entry : kind.caches) entry->informer().start();
  base::log::info("controller set up", {{"controller", registration.name}});
}

void Manager::close(Kind& kind) {
  base::log::info("controller stopped, its kind is gone", {{"controller", kind.registration.name}});
  loop_.cancel(kind.resync);
  kind.resync = 0;
  kind.begun = false;
  *kind.target = nullptr;
  kind.controller.reset();
  kind.caches.clear();
}

void Manager::begin(Kind& kind) {
  kind.begun = true;
  base::log::info("controller starts", {{"controller", kind.registration.name}});
  kind.controller->start();
  tell_malformed(kind);
  arm_resync(kind);
}

void Manager::arm_resync(Kind& kind) {
  if (!options_.resync) return;
  const double factor = 1 + kResyncSpread * (2 * random_.unit() - 1);
  const auto delay = std::chrono::duration_cast<base::Duration>(*options_.resync * factor);
  kind.resync = loop_.post_after(delay, life_.bind([this, &kind] {
    for (const auto& entry : kind.caches) {
      if (!api::same_objects(entry->informer().resource(), kind.registration.resource)) continue;
      for (const auto& key : entry->keys()) kind.controller->add(key, Cause::kResync);
    }
    arm_resync(kind);
  }));
}

// Readiness.
// ------------------------------------------------------------------------------------------------------------------------

std::optional<std::string> Manager::why_not_ready() const {
  if (elector_ && !elector_->tried()) return "waiting for the first look at the lock";
  const auto waits = [](const cache::AnyInformer& informer, const std::string& what) {
    const std::string error = informer.stats().last_error;
    return "waiting for the list of " + what + (error.empty() ? "" : ": " + error);
  };
  for (const auto& kind : kinds_) {
    if (!kind->defined()) return waits(*kind->crd, "customresourcedefinitions");
    for (const auto& entry : kind->caches) {
      if (!entry->informer().synced()) return waits(entry->informer(), entry->informer().resource().plural);
    }
  }
  return std::nullopt;
}

/// Ready once the caches are; what is added later does not take it back.
void Manager::judge_readiness() {
  const auto why_not = why_not_ready();
  waiting_ = why_not.has_value() || std::ranges::any_of(kinds_, [this](const auto& kind) { return acting_ && !kind->begun; });
  if (ready_) return;
  loop_.cancel(unready_timer_);
  if (!why_not) {
    ready_ = true;
    health_.pass(kCachesSynced);
    base::log::info("caches are synced");
    return;
  }
  health_.fail(kCachesSynced, *why_not);
  judge_delay(*why_not);
  unready_timer_ = loop_.post_after(kLookWhileUnready, life_.bind([this] { look_again(); }));
}

/// Counts from when the definitions of all kinds were read: the server was there, and knows us.
void Manager::judge_delay(const std::string& why) {
  if (!std::ranges::all_of(kinds_, [](const auto& kind) { return kind->defined(); })) return;
  const base::MonoTime now = loop_.clock().mono();
  if (!listing_since_) listing_since_ = now;
  if (stuck_ || now - *listing_since_ < options_.cache_sync_timeout) return;
  stuck_ = true;
  if (options_.on_stuck) options_.on_stuck(why);
}

// Stopping.
// -------------------------------------------------------------------------------------------------------------------------

void Manager::stop(std::function<void()> done) {
  stopping_ = true;
  health_.fail(kRunning, "stopping");
  stop_controllers(life_.bind([this, done = std::move(done)] {
    refusing_ = true;
    flush_events(life_.bind([this, done] {
      if (!elector_) {
        done();
        return;
      }
      const auto released = once(done);
      loop_.post_after(kRelease, life_.bind(released));
      elector_->release(released);
    }));
  }));
}

void Manager::stop_controllers(std::function<void()> done) {
  const auto finished = once(std::move(done));
  loop_.post_after(kWritesAfterStop, life_.bind([this] { refusing_ = true; }));
  loop_.post_after(kWritesAfterStop + kAnswers, life_.bind(finished));  // answers that never come are not waited for
  const auto left = std::make_shared<std::size_t>(1);
  const auto one_less = [left, finished] {
    if (--*left == 0) finished();
  };
  for (const auto& kind : kinds_) {
    if (!kind->controller) continue;
    ++*left;
    kind->controller->stop(one_less);
  }
  one_less();
}

void Manager::flush_events(std::function<void()> done) {
  const auto flushed = once(std::move(done));
  loop_.post_after(kFlush, life_.bind(flushed));
  events_.flush(flushed);
}

// The rest.
// -------------------------------------------------------------------------------------------------------------------------

ControllerLoop* Manager::controller(const std::string& name) {
  for (const auto& kind : kinds_) {
    if (kind->registration.name == name) return kind->controller.get();
  }
  return nullptr;
}

bool Manager::idle() const {
  return std::ranges::all_of(kinds_, [](const auto& kind) { return !kind->controller || kind->controller->idle(); });
}

void Manager::publish_metrics() {
  caches_.publish(metrics_);
  metrics_.gauge("kruise_own_writes_waiting", "Objects that wait for the cache to show own writes.")
      .set(static_cast<double>(own_writes_.waiting()));
  metrics_.gauge("kruise_events_dropped", "Events that were not sent.").set(static_cast<double>(events_.dropped()));
}

void Manager::note_malformed(const api::Resource& resource, const cache::Malformed& malformed) {
  base::log::warning("object cannot be read, it stays as last understood",
                     {{"kind", resource.kind}, {"object", malformed.key}, {"error", malformed.error.what()}});
  for (const auto& kind : kinds_) {
    if (kind->registration.built_in || !api::same_objects(kind->registration.resource, resource) ||
        kind->malformed.size() >= kMalformedMax)
      continue;  // events are for our own kinds
    kind->malformed[malformed.key] = malformed.error.what();
    if (kind->begun) tell_malformed(*kind);
  }
}

/// On the leader, so that it is told once.
void Manager::tell_malformed(Kind& kind) {
  for (const auto& [key, error] : kind.malformed) {
    events_.record({&kind.registration.resource, key, "", ""}, {kind.registration.name},
                   {Event::Type::kWarning, "ReconcileError", error});
  }
  kind.malformed.clear();
}

}  // namespace kruise::runtime
