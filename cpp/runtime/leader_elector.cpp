#include "runtime/leader_elector.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "client/request.hpp"

namespace kruise::runtime {
namespace {

/// Candidates that wait spread their attempts by so much of the retry period: little, since a lock that was given up should be
/// taken within three seconds.
constexpr double kSpread = 0.2;
constexpr base::Duration kAfterConflict = std::chrono::milliseconds(200);
constexpr int kReleaseTries = 3;

}  // namespace

LeaderElector::LeaderElector(Options options, client::Client& client, EventRecorder& events, base::Metrics& metrics,
                             base::Random random, Callbacks callbacks)
    : options_(std::move(options)),
      client_(client),
      events_(events),
      metrics_(metrics),
      random_(random),
      callbacks_(std::move(callbacks)) {
  switch (options_.mode) {
    case Mode::kLeases:
      locks_ = {Lock{LockKind::kLease, true}, Lock{LockKind::kConfigMap, false}};
      break;
    case Mode::kConfigMaps:
      locks_ = {Lock{LockKind::kConfigMap, true}};
      break;
    case Mode::kConfigMapsLeases:
      locks_ = {Lock{LockKind::kConfigMap, true}, Lock{LockKind::kLease, true}};
      break;
  }
  set_leading(false);
}

void LeaderElector::set_leading(bool leading) {
  leading_ = leading;
  const double value = leading ? 1 : 0;
  metrics_.gauge("leader_election_master_status", "Whether this process holds the lock.", {{"name", options_.name}}).set(value);
  metrics_.gauge("kruise_manager_is_leader", "Whether this process leads.").set(value);
}

bool LeaderElector::may_write() const { return leading_ && now() - renewed_at_ < options_.renew_deadline; }

void LeaderElector::start() { attempt(); }

client::Request LeaderElector::exempt(client::Request request) const {
  request.exempt = true;
  request.timeout = options_.renew_deadline / 2;
  return request;
}

// One attempt: read every lock, judge, write every lock that is needed.
// -------------------------------------------------------------

void LeaderElector::attempt() {
  next_ = 0;
  attempt_at_ = now();
  read(0);
}

void LeaderElector::read(std::size_t index) {
  if (index == locks_.size()) {
    judge();
    return;
  }
  const auto request = client::get(resource_of(locks_[index].kind), {options_.ns, options_.name});
  client_.send(exempt(request), life_.bind([this, index](const client::Outcome& outcome) {
    if (over_) return;
    Lock& lock = locks_[index];
    if (outcome) {
      auto record = read_lock(lock.kind, outcome->body);
      if (record != lock.record) lock.seen_changing = now();
      lock.object = outcome->body;
      lock.record = std::move(record);
      if (lock.kind == LockKind::kLease) leases_known_ = true;
    } else if (outcome.error().not_found()) {
      lock.object.reset();
      lock.record.reset();
      if (lock.kind == LockKind::kLease && !leases_known_) {
        check_for_leases([this, index] { read(index + 1); });
        return;
      }
    } else if (lock.required || !outcome.error().code || leading_) {
      failed(outcome.error().text());
      return;
    } else {
      // Not allowed to look, say: without the right to read ConfigMaps no old manager leads either.
      lock.object.reset();
      lock.record.reset();
    }
    read(index + 1);
  }));
}

/// A server without coordination v1 answers 404 as one without our Lease does.
void LeaderElector::check_for_leases(const Next& exists) {
  client::Request request;
  request.path = "/apis/coordination.k8s.io/v1";
  client_.send(exempt(request), life_.bind([this, exists](const client::Outcome& outcome) {
    if (over_) return;
    if (outcome) {
      leases_known_ = true;
      exists();
    } else if (outcome.error().not_found()) {
      base::log::warning("the server has no leases, electing by config map",
                         {{"lock", base::log::Object{options_.ns, options_.name}}});
      locks_ = {Lock{LockKind::kConfigMap, true}};
      read(0);
    } else {
      failed(outcome.error().text());
    }
  }));
}

void LeaderElector::judge() {
  for (const Lock& lock : locks_) {
    if (!needed(lock) || !lock.record) continue;
    const auto& record = *lock.record;
    if (record.holder.empty() || record.holder == options_.identity) continue;
    const base::Duration lease = std::max<base::Duration>(options_.lease_duration, std::chrono::seconds(record.lease_duration_s));
    if (!leading_ && now() - lock.seen_changing >= lease) continue;
    if (holder_ != record.holder) {
      holder_ = record.holder;
      base::log::info("leader", {{"holder", holder_}, {"lock", resource_of(lock.kind).kind}});
    }
    if (leading_) {
      lost("the " + resource_of(lock.kind).kind + " is held by " + record.holder);
    } else {
      again(options_.retry_period);
    }
    return;
  }
  write(0);
}

ElectionRecord LeaderElector::our_record(const Lock& lock) const {
  const std::string time = lock_time(lock.kind, client_.executor().clock().now());
  ElectionRecord record{options_.identity,
                        static_cast<int>(std::chrono::ceil<std::chrono::seconds>(options_.lease_duration).count()), time, time,
                        0};
  if (lock.record) {
    const bool ours = lock.record->holder == options_.identity;
    record.transitions = lock.record->transitions + (ours ? 0 : 1);
    if (ours) record.acquire_time = lock.record->acquire_time;
  }
  return record;
}

void LeaderElector::write(std::size_t index) {
  while (index < locks_.size() && !needed(locks_[index])) ++index;
  if (index == locks_.size()) {
    succeeded();
    return;
  }
  const Lock& lock = locks_[index];
  std::string body = write_lock(lock.kind, options_.ns, options_.name, lock.object, our_record(lock));
  const api::Resource& resource = resource_of(lock.kind);
  auto request = lock.object ? client::update(resource, {options_.ns, options_.name}, std::move(body))
                             : client::create(resource, options_.ns, std::move(body));
  client_.send(exempt(std::move(request)), life_.bind([this, index](const client::Outcome& outcome) {
    if (over_) return;
    if (outcome) {
      Lock& written = locks_[index];
      written.object = outcome->body;
      written.record = read_lock(written.kind, outcome->body);
      written.seen_changing = now();
      write(index + 1);
    } else if (outcome.error().code == 409) {
      again(kAfterConflict);  // somebody was faster, or the object was touched: look again
    } else {
      failed(outcome.error().text());
    }
  }));
}

void LeaderElector::succeeded() {
  complained_.clear();
  if (leading_ && !may_write()) {  // the renewal came too late, others may lead since
    lost("the renew deadline passed before the lock was renewed");
    return;
  }
  if (now() - attempt_at_ >= options_.renew_deadline) {
    again(options_.retry_period);
    return;
  }
  renewed_at_ = attempt_at_;
  if (callbacks_.on_renewed) callbacks_.on_renewed(renewed_at_ + options_.renew_deadline);
  again(options_.retry_period);
  watch_deadline();
  if (leading_) return;
  holder_ = options_.identity;
  set_leading(true);
  base::log::info("became leader", {{"identity", options_.identity}});
  tell("became leader");
  callbacks_.on_leading();
}

void LeaderElector::failed(const std::string& why) {
  if (complained_ != why) base::log::warning(leading_ ? "lock was not renewed" : "lock cannot be taken", {{"error", why}});
  complained_ = why;
  again(options_.retry_period);
}

void LeaderElector::again(base::Duration delay) {
  if (over_) return;
  if (!std::exchange(tried_, true) && callbacks_.on_tried) callbacks_.on_tried();
  const double spread = leading_ ? 0 : random_.unit() * kSpread;
  delay += std::chrono::duration_cast<base::Duration>(delay * spread);
  next_ = client_.executor().post_after(delay, life_.bind([this] { attempt(); }));
}

void LeaderElector::watch_deadline() {
  client_.executor().cancel(deadline_);
  const base::Duration left = renewed_at_ + options_.renew_deadline - now();
  deadline_ = client_.executor().post_after(left, life_.bind([this] {
    if (leading_ && !may_write()) lost("the renew deadline passed");
  }));
}

void LeaderElector::lost(const std::string& why) {
  over_ = true;
  client_.executor().cancel(next_);
  client_.executor().cancel(deadline_);
  set_leading(false);
  base::log::warning("leader election lost", {{"identity", options_.identity}, {"why", why}});
  tell("stopped leading");
  callbacks_.on_lost(why);
}

void LeaderElector::tell(const char* what) {
  const ObjectReference lock{&resource_of(locks_.front().kind), {options_.ns, options_.name}, "", ""};
  events_.record(lock, {options_.identity}, {Event::Type::kNormal, "LeaderElection", options_.identity + " " + what});
}

void LeaderElector::release(std::function<void()> done) {
  const bool held = leading_ && may_write();
  over_ = true;
  client_.executor().cancel(next_);
  client_.executor().cancel(deadline_);
  set_leading(false);
  if (held) {
    give_up(0, 0, std::move(done));
  } else {
    client_.executor().post(life_.bind(std::move(done)));
  }
}

/// Reads before it writes, because a renewal may have been under way.
void LeaderElector::give_up(std::size_t index, int tries, std::function<void()> done) {
  while (index < locks_.size() && !locks_[index].record) ++index;
  if (index == locks_.size()) {
    done();
    return;
  }
  const api::Resource& resource = resource_of(locks_[index].kind);
  const api::Key key{options_.ns, options_.name};
  client_.send(exempt(client::get(resource, key)),
               life_.bind([=, this, done = std::move(done)](const client::Outcome& outcome) mutable {
                 Lock& lock = locks_[index];
                 lock.record = outcome ? read_lock(lock.kind, outcome->body) : std::nullopt;
                 if (!lock.record || lock.record->holder != options_.identity) {
                   give_up(index + 1, 0, std::move(done));
                   return;
                 }
                 ElectionRecord record = our_record(lock);
                 record.holder.clear();
                 record.lease_duration_s = 1;
                 std::string body = write_lock(lock.kind, options_.ns, options_.name, outcome->body, record);
                 auto answered = [=, this, done = std::move(done)](const client::Outcome& written) mutable {
                   if (!written && written.error().conflict() && tries < kReleaseTries) {
                     give_up(index, tries + 1, std::move(done));
                     return;
                   }
                   if (!written) base::log::warning("the lock was not given up", {{"error", written.error().text()}});
                   give_up(index + 1, 0, std::move(done));
                 };
                 client_.send(exempt(client::update(resource_of(lock.kind), {options_.ns, options_.name}, std::move(body))),
                              life_.bind(std::move(answered)));
               }));
}

}  // namespace kruise::runtime
