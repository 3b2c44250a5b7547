#include "cluster/faults.hpp"

#include <utility>

#include "cluster/answer.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

namespace {

/// Leases and events come at times of their own: a script that counted them would mean something else in each run.
bool is_counted(const client::Request& request) {
  return request.path.find("/leases") == std::string::npos && request.path.find("/events") == std::string::npos;
}

}  // namespace

InitialEvents::InitialEvents(const client::Request& watch)
    : coming_(watch.path.find("sendInitialEvents=true") != std::string::npos) {}

bool InitialEvents::has(std::string_view line) {
  const bool is_one = coming_;
  if (coming_ && line.find("k8s.io/initial-events-end") != std::string_view::npos) coming_ = false;
  return is_one;
}

std::string error_line(int code) {
  const client::Response status =
      code == 410 ? gone("too old resource version: injected fault") : internal_error("injected fault");
  return watch_line("ERROR", status.body);
}

RandomFaults::RandomFaults(std::uint64_t seed, const Rates& rates, Script script)
    : rates_(rates),
      script_(std::move(script)),
      requests_(base::Random(seed).stream("requests")),
      events_(base::Random(seed).stream("events")) {}

base::Duration RandomFaults::delay(base::Random& random) const {
  return base::Duration(static_cast<std::int64_t>(random.unit() * static_cast<double>(rates_.delay_max.count())));
}

Fault RandomFaults::on_request(const client::Request& request) {
  const std::lock_guard lock(mutex_);
  if (request.method != "GET" && is_counted(request)) {
    if (const auto told = script_.writes.find(++writes_); told != script_.writes.end()) return told->second;
  }
  const auto hits = [&](double rate) { return rate > 0 && requests_.unit() < rate; };
  if (hits(rates_.refused)) return {.kind = Fault::Kind::kRefuse};
  if (hits(rates_.lost_answer)) return {.kind = Fault::Kind::kBreakAfterWrite};
  if (hits(rates_.timed_out)) return {.kind = Fault::Kind::kBreakAfterWrite, .silence = kAnswerTimeout};
  if (request.method != "GET" && hits(rates_.conflict)) return {.kind = Fault::Kind::kAnswer, .code = 409};
  if (hits(rates_.throttled)) return {.kind = Fault::Kind::kAnswer, .code = 429};
  if (hits(rates_.server_error)) return {.kind = Fault::Kind::kAnswer, .code = 500};
  if (hits(rates_.late_answer)) return {.kind = Fault::Kind::kDelay, .delay = delay(requests_)};
  return {};
}

WatchFault RandomFaults::on_event(const client::Request& watch) {
  const std::lock_guard lock(mutex_);
  if (is_counted(watch)) {
    if (const auto told = script_.events.find(++seen_); told != script_.events.end()) return told->second;
  }
  const auto hits = [&](double rate) { return rate > 0 && events_.unit() < rate; };
  if (hits(rates_.watch_broken)) return {.kind = WatchFault::Kind::kBreak};
  if (hits(rates_.watch_expired)) return {.kind = WatchFault::Kind::kExpire, .delay = delay(events_)};
  if (hits(rates_.watch_error)) return {.kind = WatchFault::Kind::kError};
  if (hits(rates_.late_event)) return {.kind = WatchFault::Kind::kDelay, .delay = delay(events_)};
  if (hits(rates_.merged_event)) return {.kind = WatchFault::Kind::kMerge, .delay = delay(events_)};
  if (hits(rates_.lost_event)) return {.kind = WatchFault::Kind::kLose, .delay = delay(events_)};
  return {};
}

}  // namespace kruise::cluster
