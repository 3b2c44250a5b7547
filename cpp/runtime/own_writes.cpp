#include "runtime/own_writes.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "client/request.hpp"
#include "runtime/answer.hpp"

namespace kruise::runtime {
namespace {

/// How soon the server is asked after a lost answer or event, and how often it is asked again while it gives none or the cache
/// still lags.
constexpr base::Duration kReadDelay = std::chrono::seconds(1);
constexpr base::Duration kReadAgain = std::chrono::seconds(10);

}  // namespace

OwnWrites::OwnWrites(Options options, client::Client& client, Versions& versions, base::Metrics& metrics)
    : options_(options), client_(client), versions_(versions), metrics_(metrics) {}

void OwnWrites::record(const Owner& owner, OwnWrite write) { add(entries_[owner], std::move(write)); }

void OwnWrites::add(Entry& entry, OwnWrite write) {
  if (write.expect == OwnWrite::Expect::kUnknown) {
    entry.unknown.push_back({std::move(write)});
  } else if (write.expect == OwnWrite::Expect::kAbsence) {
    entry.absences.push_back(std::move(write));
  } else {
    const auto same = [&](const OfKind& kind) { return api::same_objects(kind.resource, write.resource); };
    const auto known = std::find_if(entry.kinds.begin(), entry.kinds.end(), same);
    Written written{std::move(write.key), write.version, write.created};
    if (known == entry.kinds.end()) {
      entry.kinds.push_back({std::move(write.resource), std::move(written), {}});
      return;
    }
    if (known->newest.version < written.version) std::swap(known->newest, written);
    known->others.push_back(std::move(written));
  }
}

/// Drops what is met and says whether that was all. Absences are looked at from the end and only as far as they are met, so
/// that the many deletions of one plan cost one look an event and not one each.
bool OwnWrites::settle(Entry& entry) {
  std::erase_if(entry.kinds, [&](const OfKind& kind) {
    const auto reached = versions_.reached(kind.resource);
    if (reached && *reached < kind.newest.version) return false;
    if (reached) settle_kind(kind, entry);
    return true;
  });
  std::erase_if(entry.relists, [&](const Relist& relist) { return versions_.lists(relist.resource) >= relist.lists; });
  while (!entry.absences.empty()) {
    const OwnWrite& write = entry.absences.back();
    if (versions_.reached(write.resource)) {
      const auto seen = versions_.object(write.resource, write.key);
      const bool gone = !seen || seen->terminating || (!write.uid.empty() && seen->uid != write.uid);
      if (!gone) break;
    }
    entry.absences.pop_back();
  }
  std::erase_if(entry.unknown, [&](const Unknown& unknown) { return !versions_.reached(unknown.write.resource); });
  return entry.kinds.empty() && entry.absences.empty() && entry.unknown.empty() && entry.relists.empty();
}

/// The watch has reached all of them. What the cache does not show as written has changed since, or its event never came.
void OwnWrites::settle_kind(const OfKind& kind, Entry& entry) {
  const auto settle_one = [&](const Written& written) {
    const auto seen = versions_.object(kind.resource, written.key);
    if (seen ? seen->version >= written.version : !written.created) return;
    entry.unknown.push_back({{kind.resource, written.key}, true});
  };
  settle_one(kind.newest);
  std::ranges::for_each(kind.others, settle_one);
}

bool OwnWrites::look(const Owner& owner, Entry& entry) {
  const bool asked = !entry.unknown.empty();
  if (settle(entry)) return true;
  if (!asked && !entry.unknown.empty() && entry.timer != 0) {
    client_.executor().cancel(entry.timer);
    arm(owner, entry, std::min(options_.timeout, kReadDelay));
  }
  return false;
}

bool OwnWrites::met(const Owner& owner, std::function<void()> again) {
  const auto found = entries_.find(owner);
  if (found == entries_.end()) return true;
  Entry& entry = found->second;
  if (look(owner, entry)) {
    client_.executor().cancel(entry.timer);
    entries_.erase(found);
    return true;
  }
  entry.again = std::move(again);
  if (entry.timer == 0) {
    entry.since = client_.executor().clock().mono();
    arm(owner, entry, entry.unknown.empty() ? options_.timeout : std::min(options_.timeout, kReadDelay));
  }
  return false;
}

void OwnWrites::forget(const Owner& owner) {
  const auto found = entries_.find(owner);
  if (found == entries_.end()) return;
  client_.executor().cancel(found->second.timer);
  entries_.erase(found);
}

std::size_t OwnWrites::waiting() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& item) { return item.second.again != nullptr; }));
}

void OwnWrites::progress() {
  if (progress_posted_ || entries_.empty()) return;
  progress_posted_ = true;
  client_.executor().post(life_.bind([this] {
    progress_posted_ = false;
    std::vector<std::function<void()>> wake;
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (at->second.again == nullptr || !look(at->first, at->second)) {
        ++at;
        continue;
      }
      client_.executor().cancel(at->second.timer);
      wake.push_back(std::move(at->second.again));
      at = entries_.erase(at);
    }
    for (const auto& again : wake) again();
  }));
}

void OwnWrites::arm(const Owner& owner, Entry& entry, base::Duration delay) {
  entry.timer = client_.executor().post_after(delay, life_.bind([this, owner] { on_timeout(owner); }));
}

void OwnWrites::on_timeout(const Owner& owner) {
  const auto found = entries_.find(owner);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.timer = 0;
  if (settle(entry)) {
    progress();
    return;
  }
  const base::Duration waited = client_.executor().clock().mono() - entry.since;
  if (waited >= options_.timeout && !entry.overdue) {
    entry.overdue = true;
    base::log::warning("own writes are not seen in the cache in time, reading live",
                       {{"controller", owner.controller}, {"object", owner.key}});
    metrics_
        .counter("cloneset_scale_expectation_leakage", "Own writes that the cache did not show in time.",
                 {{"namespace", owner.key.ns}, {"name", owner.key.name}})
        .add();
    if (options_.drop_at_timeout) {
      entry.kinds.clear();
      entry.absences.clear();
      entry.unknown.clear();
      entry.relists.clear();
      progress();
      return;
    }
  }
  read_live(owner, entry);
  arm(owner, entry, entry.overdue || !entry.unknown.empty() ? kReadAgain : options_.timeout - waited);
}

void OwnWrites::read_live(const Owner& owner, Entry& entry) {
  ++entry.round;
  for (const Unknown& unknown : entry.unknown) {
    ask(owner, entry, unknown.write.resource, unknown.write.key,
        [this, unknown](const client::Outcome& outcome, Entry& e) { resolve_unknown(e, unknown, outcome); });
  }
  if (!entry.overdue) return;
  for (const OfKind& kind : entry.kinds) {
    const Written& newest = kind.newest;
    ask(owner, entry, kind.resource, newest.key,
        [this, resource = kind.resource, key = newest.key, version = newest.version](const client::Outcome& outcome, Entry& e) {
          if (!outcome && !outcome.error().not_found()) return;
          const auto live = outcome ? version_number(read_answer(outcome->body).resource_version) : std::nullopt;
          if (live && *live >= version) {
            versions_.refresh(resource);  // the server has it and the cache has not: the watch is at fault
          } else {
            // Deleted since, or the server was restored to an older state: no watch will ever reach this version.
            std::erase_if(e.kinds, [&](const OfKind& k) { return k.newest.version == version && k.newest.key == key; });
          }
        });
  }
  for (const OwnWrite& write : entry.absences) {
    ask(owner, entry, write.resource, write.key, [this, write](const client::Outcome& outcome, Entry& e) {
      if (!outcome) {
        if (outcome.error().not_found()) versions_.refresh(write.resource);
        return;
      }
      const AnswerMeta live = read_answer(outcome->body);
      if (live.uid == write.uid && !live.terminating) {  // the deletion was undone or never happened
        std::erase_if(e.absences, [&](const OwnWrite& w) { return w.key == write.key && w.resource == write.resource; });
      } else {
        versions_.refresh(write.resource);
      }
    });
  }
}

void OwnWrites::ask(const Owner& owner, Entry& entry, const api::Resource& resource, const api::Key& key,
                    std::function<void(const client::Outcome&, Entry&)> on_answer) {
  client_.send(client::get(resource, key),
               life_.bind([this, owner, round = entry.round, on_answer = std::move(on_answer)](const client::Outcome& outcome) {
                 const auto found = entries_.find(owner);
                 if (found == entries_.end() || found->second.round != round) return;
                 on_answer(outcome, found->second);
                 progress();
               }));
}

/// What the server holds now is what the cache has to show.
void OwnWrites::resolve_unknown(Entry& entry, const Unknown& unknown, const client::Outcome& outcome) {
  const OwnWrite& write = unknown.write;
  const bool is_gone = !outcome && outcome.error().not_found();
  if (!outcome && !is_gone) return;  // asked again later
  if (is_gone) {
    add(entry, {write.resource, write.key, OwnWrite::Expect::kAbsence});
  } else if (!unknown.missed) {
    const auto live = version_number(read_answer(outcome->body).resource_version);
    add(entry, {write.resource, write.key, OwnWrite::Expect::kVersion, live.value_or(0), {}, true});
  } else {
    list_anew(entry, write.resource);
  }
  std::erase_if(entry.unknown, [&](const Unknown& u) {
    return u.write.key == write.key && api::same_objects(u.write.resource, write.resource);
  });
}

/// No later event of a missed object need ever come; only a list is sure to show it. One is for all of the kind.
void OwnWrites::list_anew(Entry& entry, const api::Resource& resource) {
  const std::uint64_t next = versions_.lists(resource) + 1;
  const auto same = [&](const Relist& relist) { return relist.lists == next && api::same_objects(relist.resource, resource); };
  if (std::ranges::any_of(entry.relists, same)) return;
  entry.relists.push_back({resource, next});
  versions_.refresh(resource);
}

}  // namespace kruise::runtime
