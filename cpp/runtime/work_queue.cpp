#include "runtime/work_queue.hpp"

#include <algorithm>
#include <utility>

namespace kruise::runtime {
namespace {

double seconds(base::Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

WorkQueue::WorkQueue(std::string name, BackOff back_off, base::Executor& executor, base::Metrics& metrics)
    : name_(std::move(name)),
      back_off_(back_off),
      executor_(executor),
      metrics_(metrics),
      instruments_{
          metrics.gauge("workqueue_depth", "Current depth of workqueue.", {{"name", name_}}),
          metrics.counter("workqueue_adds_total", "Total number of adds handled by workqueue.", {{"name", name_}}),
          metrics.counter("workqueue_retries_total", "Total number of retries handled by workqueue.", {{"name", name_}}),
          metrics.histogram("workqueue_queue_duration_seconds", "How long an item stays in workqueue before being requested.",
                            base::exponential_bounds(1e-8, 10, 10), {{"name", name_}}),
          metrics.histogram("workqueue_work_duration_seconds", "How long processing an item from workqueue takes.",
                            base::exponential_bounds(1e-8, 10, 10), {{"name", name_}})},
      tokens_(back_off.burst),
      tokens_at_(executor.clock().mono()) {
  const auto age_of = [published = published_, &clock = executor.clock()](bool all) {
    const double now = seconds(clock.mono().time_since_epoch());
    const double count = published->count;
    if (count == 0) return 0.0;
    return all ? count * now - published->sum : now - published->oldest;
  };
  metrics_.gauge_function("workqueue_unfinished_work_seconds",
                          "Seconds of work in progress that is not yet observed by work_duration.", {{"name", name_}},
                          [age_of] { return age_of(true); });
  metrics_.gauge_function("workqueue_longest_running_processor_seconds",
                          "Seconds that the longest running processor has been running.", {{"name", name_}},
                          [age_of] { return age_of(false); });
}

void WorkQueue::publish_running() {
  double sum = 0;
  for (const base::MonoTime start : running_) sum += seconds(start.time_since_epoch());
  published_->sum = sum;
  published_->oldest = running_.empty() ? 0 : seconds(running_.begin()->time_since_epoch());
  published_->count = static_cast<double>(running_.size());
}

WorkQueue::~WorkQueue() {
  for (const auto& [key, item] : items_) {
    if (item.timer != 0) executor_.cancel(item.timer);
  }
  for (const auto* name :
       {"workqueue_depth", "workqueue_unfinished_work_seconds", "workqueue_longest_running_processor_seconds"}) {
    metrics_.remove_series(name, {{"name", name_}});
  }
}

void WorkQueue::add(const api::Key& key, Cause cause) { enqueue(key, items_[key], cause); }

void WorkQueue::enqueue(const api::Key& key, Item& item, Cause cause) {
  if (item.processing) {
    item.dirty = item.dirty ? std::min(*item.dirty, cause) : cause;
    return;
  }
  if (item.queued && item.cause <= cause) return;
  if (!item.queued) {
    instruments_.adds.add();
    item.since = executor_.clock().mono();
    item.queued = true;
    instruments_.depth.set(static_cast<double>(++depth_));
  }
  item.cause = cause;  // a more urgent cause moves the key into another line
  item.ticket = ++last_ticket_;
  lines_.at(static_cast<std::size_t>(cause)).push_back({key, item.ticket});
  announce();
}

void WorkQueue::announce() {
  if (announced_ || !ready_callback_) return;
  announced_ = true;
  executor_.post_idle(life_.bind([this] {
    announced_ = false;
    ready_callback_();
  }));
}

void WorkQueue::add_after(const api::Key& key, base::Duration delay, Cause cause) {
  if (delay <= base::Duration{0}) {
    add(key, cause);
    return;
  }
  Item& item = items_[key];
  const base::MonoTime due = executor_.clock().mono() + delay;
  if (item.timer != 0) {
    if (item.due <= due) return;
    executor_.cancel(item.timer);
  }
  item.due = due;
  item.timer = executor_.post_after(delay, life_.bind([this, key, cause] {
    Item& found = items_[key];
    found.timer = 0;
    enqueue(key, found, cause);
  }));
}

base::Duration WorkQueue::bucket_delay() {
  if (back_off_.qps <= 0) return base::Duration{0};
  const base::MonoTime now = executor_.clock().mono();
  tokens_ = std::min(static_cast<double>(back_off_.burst), tokens_ + seconds(now - tokens_at_) * back_off_.qps);
  tokens_at_ = now;
  tokens_ -= 1;
  if (tokens_ >= 0) return base::Duration{0};
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(-tokens_ / back_off_.qps));
}

base::Duration WorkQueue::back_off(int doublings) const {
  base::Duration delay = back_off_.base_delay;
  for (int i = 0; i < doublings && delay < back_off_.max_delay; ++i) delay *= 2;
  return std::min(delay, back_off_.max_delay);
}

base::Duration WorkQueue::add_rate_limited(const api::Key& key) {
  Item& item = items_[key];
  const base::Duration delay = std::max(back_off(item.doublings), bucket_delay());
  ++item.doublings;
  ++item.failures;
  instruments_.retries.add();
  add_after(key, delay, Cause::kChange);
  return delay;
}

void WorkQueue::ease(const api::Key& key, base::Duration most) {
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  int& doublings = found->second.doublings;
  while (doublings > 0 && back_off(doublings) > most) --doublings;
}

void WorkQueue::forget(const api::Key& key) {
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  found->second.failures = 0;
  found->second.doublings = 0;
  tidy(key);
}

int WorkQueue::failures(const api::Key& key) const {
  const auto found = items_.find(key);
  return found == items_.end() ? 0 : found->second.failures;
}

std::optional<WorkQueue::Taken> WorkQueue::take() {
  for (auto& line : lines_) {
    while (!line.empty()) {
      Place place = std::move(line.front());
      line.pop_front();
      const auto found = items_.find(place.key);
      if (found == items_.end() || !found->second.queued || found->second.ticket != place.ticket) continue;
      Item& item = found->second;
      const base::MonoTime now = executor_.clock().mono();
      instruments_.waited.observe(seconds(now - item.since));
      instruments_.depth.set(static_cast<double>(--depth_));
      item.queued = false;
      item.processing = true;
      item.since = now;
      if (item.timer != 0) executor_.cancel(item.timer);
      item.timer = 0;
      running_.insert(now);
      publish_running();
      return Taken{std::move(place.key), item.cause};
    }
  }
  return std::nullopt;
}

void WorkQueue::done(const api::Key& key) {
  Item& item = items_.at(key);
  instruments_.worked.observe(seconds(executor_.clock().mono() - item.since));
  running_.erase(running_.find(item.since));
  publish_running();
  item.processing = false;
  if (item.dirty) {
    const Cause cause = *std::exchange(item.dirty, std::nullopt);
    enqueue(key, item, cause);
  }
  tidy(key);
}

void WorkQueue::tidy(const api::Key& key) {
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  const Item& item = found->second;
  if (!item.queued && !item.processing && item.timer == 0 && item.failures == 0) items_.erase(found);
}

}  // namespace kruise::runtime
