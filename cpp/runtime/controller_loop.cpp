#include "runtime/controller_loop.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.hpp"

namespace kruise::runtime {
namespace {

constexpr base::Duration kLogAgain = std::chrono::minutes(1);
/// The texts of a key that has failed often may differ by names that are drawn anew each time.
constexpr base::Duration kLogOther = std::chrono::seconds(10);
constexpr base::Duration kEventAgain = std::chrono::hours(1);
/// For so long nothing but an edit shortens the back-off of a failing key.
constexpr base::Duration kFailureRestMax = std::chrono::seconds(1);
/// The longest back-off of its own that a key has whose plan failed after it had got something done: where a server fails many
/// requests, a rollout goes on.
constexpr base::Duration kBackOffOfProgress = std::chrono::seconds(1);
/// Below this, resting is not worth a timer.
constexpr base::Duration kRestMin = std::chrono::milliseconds(5);

const std::vector<double> kReconcileBounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
/// Of a reconcile's parts: 0.1 ms, a plan of a small set, to 105 s, the writes of a large one.
const std::vector<double> kPartBounds = base::exponential_bounds(0.0001, 4, 11);

double seconds(base::Duration d) { return std::chrono::duration<double>(d).count(); }

/// A plan, or why there is none: an exception, which is a mistake of ours but stays with its key.
struct Computed {
  Plan plan;
  std::optional<std::string> thrown;
  base::Duration cost{0};
};

template <class F>
std::optional<std::string> what_is_thrown_by(const F& function) {
  try {
    function();
    return std::nullopt;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

Computed compute(const Reconciler::PlanFunction& function, const Context& context, const base::Clock& clock) {
  Computed computed;
  const base::MonoTime from = clock.mono();
  computed.thrown = what_is_thrown_by([&] { computed.plan = function(context); });
  computed.cost = clock.mono() - from;
  return computed;
}

}  // namespace

struct ControllerLoop::Job {
  api::Key key;
  Cause cause = Cause::kChange;
  base::MonoTime since{};
  Reconciler::PlanFunction function;
  std::unique_ptr<Acting> acting;
  std::optional<base::Duration> requeue;
  std::optional<std::string> plan_error;
};

ControllerLoop::ControllerLoop(std::unique_ptr<Reconciler> reconciler, Options options, Surroundings around)
    : name_(reconciler->name()),
      reconciler_(std::move(reconciler)),
      options_(std::move(options)),
      around_(std::move(around)),
      queue_(name_, options_.back_off, around_.loop, around_.metrics),
      held_(around_.metrics, name_),
      random_(base::Random(options_.seed).stream(name_)) {
  around_.metrics
      .gauge("controller_runtime_max_concurrent_reconciles", "Maximum number of concurrent reconciles per controller.",
             {{"controller", name_}})
      .set(options_.workers);
  // From the beginning on the page, for who sums up rates.
  errors_total();
  panics_total();
  queue_.on_ready([this] { pump(); });
}

ControllerLoop::~ControllerLoop() {
  for (const auto& [key, job] : jobs_) around_.own_writes.forget({name_, key});
  around_.metrics.remove_series("controller_runtime_max_concurrent_reconciles", {{"controller", name_}});
  around_.metrics.remove_series("controller_runtime_active_workers", {{"controller", name_}});
}

base::Counter& ControllerLoop::errors_total() {
  return around_.metrics.counter("controller_runtime_reconcile_errors_total",
                                 "Total number of reconciliation errors per controller.", {{"controller", name_}});
}

void ControllerLoop::observe_part(std::string_view metric, std::string_view help, base::Duration took) {
  around_.metrics.histogram(metric, help, kPartBounds, {{"controller", name_}}).observe(seconds(took));
}

base::Counter& ControllerLoop::panics_total() {
  return around_.metrics.counter("controller_runtime_reconcile_panics_total", "Total number of reconcile panics per controller.",
                                 {{"controller", name_}});
}

void ControllerLoop::start() {
  running_ = true;
  around_.loop.post_idle(life_.bind([this] { pump(); }));
}

void ControllerLoop::stop(std::function<void()> done) {
  running_ = false;
  if (jobs_.empty()) {
    done();
    return;
  }
  stopped_ = std::move(done);
}

void ControllerLoop::pump() {
  while (running_ && jobs_.size() < static_cast<std::size_t>(options_.workers)) {
    const auto taken = queue_.take();
    if (!taken) break;
    if (!deferred(*taken)) begin(taken->key, taken->cause);
  }
}

/// Whether the key has to wait, for its own writes to be seen or for its rest to be over; it comes back by itself then.
bool ControllerLoop::deferred(const WorkQueue::Taken& taken) {
  const auto& key = taken.key;
  if (!around_.own_writes.met({name_, key}, life_.bind([this, key, cause = taken.cause] { queue_.add(key, cause); }))) {
    queue_.done(key);
    return true;
  }
  const auto found = resting_.find(key);
  if (found == resting_.end()) return false;
  const base::Duration left = found->second - around_.loop.clock().mono();
  if (left > base::Duration{0} && taken.cause != Cause::kUserEdit) {
    queue_.done(key);
    queue_.add_after(key, left, taken.cause);
    return true;
  }
  resting_.erase(found);
  return false;
}

void ControllerLoop::begin(const api::Key& key, Cause cause) {
  ++reconciles_;
  auto& job = *jobs_.emplace(key, std::make_unique<Job>()).first->second;
  job.key = key;
  job.cause = cause;
  job.since = around_.loop.clock().mono();
  around_.metrics
      .gauge("controller_runtime_active_workers", "Number of currently used workers per controller.", {{"controller", name_}})
      .set(static_cast<double>(jobs_.size()));
  std::optional<Reconciler::PlanFunction> function;
  if (const auto thrown = what_is_thrown_by([&] { function = reconciler_->observe(key); })) {
    base::log::error("observing threw", {{"controller", name_}, {"object", key}, {"error", *thrown}});
    fail(key, *thrown, false);
    return;
  }
  if (!function) {
    around_.own_writes.forget({name_, key});
    resting_.erase(key);
    status_written_.erase(key);
    held_.forget(key);
    queue_.forget(key);
    end(key, "success");
    return;
  }
  job.function = std::move(*function);
  plan(job);
}

void ControllerLoop::plan(Job& job) {
  const base::Duration observed = around_.loop.clock().mono() - job.since;
  Context context{around_.loop.clock().now(), &around_.gates, base::Random(random_.next())};
  auto deliver = life_.bind([this, key = job.key, observed](std::shared_ptr<Computed> computed) {
    if (computed->thrown) {
      panics_total().add();
      base::log::error("planning threw", {{"controller", name_}, {"object", key}, {"error", *computed->thrown}});
      fail(key, *computed->thrown, false);
      return;
    }
    act_on(key, std::move(computed->plan), observed + computed->cost);
  });
  const base::Clock& clock = around_.loop.clock();
  if (around_.workers == nullptr) {
    deliver(std::make_shared<Computed>(compute(job.function, context, clock)));
    return;
  }
  around_.workers->post([&loop = around_.loop, &clock, context, function = std::move(job.function), deliver]() mutable {
    auto computed = std::make_shared<Computed>(compute(function, context, clock));
    // The objects that the function holds may be the last of their kind: they go on the loop, which alone touches its shared
    // parts.
    loop.post([computed = std::move(computed), function = std::move(function), deliver = std::move(deliver)]() mutable {
      deliver(computed);
    });
  });
}

void ControllerLoop::act_on(const api::Key& key, Plan plan, base::Duration cost) {
  observe_part("kruise_plan_duration_seconds", "How long a reconcile observes and plans.", cost);
  rest(key, std::max(cost, kCostPerObject * static_cast<std::int64_t>(plan.objects)));
  Job& job = *jobs_.at(key);
  job.requeue = plan.requeue;
  job.plan_error = plan.error;
  held_.update(key, plan.reasons);
  for (const Reason& reason : plan.reasons) {
    if (reason.verdict == Reason::Verdict::kHeld) {
      base::log::debug(4, "held",
                       {{"controller", name_},
                        {"set", key},
                        {"object", base::log::Object{key.ns, reason.object.empty() ? key.name : reason.object}},
                        {"rule", reason.rule},
                        {"why", reason.text}});
    }
  }
  space_status(job, plan);
  if (plan.writes_nothing() && plan.events.empty()) {
    finish(key, {});
    return;
  }
  ActOptions options;
  options.client = &around_.client;
  options.own_writes = &around_.own_writes;
  options.owner = {name_, key};
  options.user_agent = options_.user_agent;
  options.may_write = around_.may_write;
  options.emit = [this, reference = reconciler_->reference(key)](const Event& event) {
    around_.events.record(reference, {name_}, event);
  };
  job.acting = act(std::move(plan), std::move(options), [this, key, from = around_.loop.clock().mono()](const ActResult& result) {
    observe_part("kruise_act_duration_seconds", "How long the writes of a reconcile take, first sent to last answered.",
                 around_.loop.clock().mono() - from);
    around_.metrics.counter("kruise_writes_total", "Writes that plans had sent.", {{"controller", name_}})
        .add(static_cast<double>(result.writes));
    finish(key, result);
  });
}

void ControllerLoop::finish(const api::Key& key, const ActResult& result) {
  const Job& job = *jobs_.at(key);
  if (result.refused) {
    end(key, "success");  // we are no longer to write: the next leader plans it anew
  } else if (result.error) {
    // Who gets on need not slow down; but what is refused time and again, beside writes that succeed, must not become a hot loop.
    const bool gets_on = result.succeeded > 0;
    if (gets_on && result.stale) queue_.forget(key);
    if (gets_on && !result.stale) queue_.ease(key, kBackOffOfProgress);
    fail(key, result.error->text(), result.stale);
  } else if (job.plan_error) {
    // What waits for its time in the same set does not wait for the back-off of what is wrong in it.
    if (job.requeue) queue_.add_after(key, *job.requeue, Cause::kChange);
    fail(key, *job.plan_error, false);
  } else {
    queue_.forget(key);
    troubles_.erase(key);
    if (job.requeue) {
      const base::Duration delay = std::max(*job.requeue, base::Duration{1});
      queue_.add_after(key, delay, Cause::kChange);
      end(key, "requeue_after");
    } else {
      end(key, "success");
    }
  }
}

void ControllerLoop::fail(const api::Key& key, const std::string& text, bool stale) {
  errors_total().add();
  report(key, text, stale);
  const base::Duration back_off = queue_.add_rate_limited(key);
  // What the failure itself has changed (a status that tells of it) is no reason to try again at once.
  if (!stale) {
    base::MonoTime& until = resting_[key];
    until = std::max(until, around_.loop.clock().mono() + std::min<base::Duration>(back_off, kFailureRestMax));
  }
  end(key, "error");
}

/// A stale object is everyday life; everything else is said at once and then, while it stays the same, once a minute.
void ControllerLoop::report(const api::Key& key, const std::string& text, bool stale) {
  const base::MonoTime now = around_.loop.clock().mono();
  Trouble& trouble = troubles_[key];
  const int failures = queue_.failures(key) + 1;
  if (stale && failures < kFailuresBeforeEvent) {
    base::log::debug(3, "stale, planning anew", {{"controller", name_}, {"object", key}, {"error", text}});
  } else if (now - trouble.logged >= kLogAgain ||
             (text != trouble.text && (failures < kFailuresBeforeEvent || now - trouble.logged >= kLogOther))) {
    base::log::warning(
        "reconcile failed",
        {{"controller", name_}, {"object", key}, {"error", text}, {"failures", failures}, {"not_logged", trouble.silent}});
    trouble.logged = now;
    trouble.silent = 0;
    trouble.text = text;
  } else {
    ++trouble.silent;
  }
  if (failures < kFailuresBeforeEvent || (trouble.event_ever && now - trouble.event_sent < kEventAgain)) return;
  trouble.event_ever = true;
  trouble.event_sent = now;
  around_.events.record(reconciler_->reference(key), {name_}, {Event::Type::kWarning, "ReconcileError", text});
}

void ControllerLoop::end(const api::Key& key, std::string_view result) {
  const auto found = jobs_.find(key);
  const base::Duration took = around_.loop.clock().mono() - found->second->since;
  jobs_.erase(found);
  auto& metrics = around_.metrics;
  metrics.gauge("controller_runtime_active_workers", "Number of currently used workers per controller.", {{"controller", name_}})
      .set(static_cast<double>(jobs_.size()));
  metrics
      .counter("controller_runtime_reconcile_total", "Total number of reconciliations per controller.",
               {{"controller", name_}, {"result", std::string(result)}})
      .add();
  metrics
      .histogram("controller_runtime_reconcile_time_seconds", "Length of time per reconciliation per controller.",
                 kReconcileBounds, {{"controller", name_}})
      .observe(seconds(took));
  queue_.done(key);
  if (stopped_ && jobs_.empty()) {
    std::exchange(stopped_, nullptr)();  // may destroy us
    return;
  }
  around_.loop.post_idle(life_.bind([this] { pump(); }));
}

/// Leaves a status out that may wait and follows another too closely, and looks again when it does not.
void ControllerLoop::space_status(Job& job, Plan& plan) {
  if (!plan.status) return;
  const base::MonoTime now = around_.loop.clock().mono();
  const auto last = status_written_.find(job.key);
  const base::Duration left = last == status_written_.end() ? base::Duration{0} : last->second + kStatusSpacing - now;
  if (plan.status_may_wait && left > base::Duration{0}) {
    plan.status.reset();
    job.requeue = std::min(job.requeue.value_or(left), left);
  } else {
    status_written_.insert_or_assign(job.key, now);
  }
}

void ControllerLoop::rest(const api::Key& key, base::Duration cost) {
  const base::Duration length = std::min<base::Duration>(cost * kRestPerCost, kRestMax);
  if (length < kRestMin) return;
  resting_[key] = around_.loop.clock().mono() + length;
}

}  // namespace kruise::runtime
