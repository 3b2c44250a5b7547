#include "cluster/storage.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace kruise::cluster {

class Table {
 public:
  std::string group;
  std::string plural;
  std::map<std::string, ObjectPtr, std::less<>> objects;
  std::deque<LoggedEvent> log;
  std::uint64_t first_sequence = 0;     // of log.front()
  std::uint64_t compacted_version = 0;  // everything up to this one has left the log
  std::uint64_t incarnation = 0;
  std::vector<std::weak_ptr<Waker>> listeners;
};

namespace {

using Objects = std::map<std::string, ObjectPtr, std::less<>>;

/// The log entry from which on everything is newer than `version`.
std::size_t index_after(const Table& table, std::uint64_t version) {
  const auto found = std::ranges::upper_bound(table.log, version, {}, [](const LoggedEvent& e) { return e.version(); });
  return static_cast<std::size_t>(found - table.log.begin());
}

void collect(const Objects& objects, const Storage::ListQuery& query, std::vector<ObjectPtr>& out) {
  for (auto at = objects.lower_bound(std::max(query.prefix, query.start)); at != objects.end(); ++at) {
    if (!at->first.starts_with(query.prefix) || out.size() >= query.count_max) break;
    out.push_back(at->second);
  }
}

/// The objects as they were: what happened since is undone, newest first.
Objects state_at(const Table& table, std::uint64_t version) {
  Objects objects = table.objects;
  for (std::size_t i = table.log.size(); i > index_after(table, version); --i) {
    const LoggedEvent& event = table.log[i - 1];
    if (event.before) {
      objects.insert_or_assign(event.before->path(), event.before);
    } else {
      objects.erase(event.object->path());
    }
  }
  return objects;
}

/// Whether `before` is what the table holds; objects are handed out as copies.
bool is_version(const ObjectPtr& held, const ObjectPtr& before) {
  return before != nullptr && held->version() == before->version();
}

void stamp(Json& tree, std::uint64_t version) { tree["metadata"]["resourceVersion"] = std::to_string(version); }

}  // namespace

void Waker::set(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Waker::wake() {
  const std::lock_guard lock(mutex_);
  if (wake_) wake_();
}

Storage::Storage(std::size_t history_events) : history_events_(history_events) {}
Storage::~Storage() = default;

Table& Storage::table(std::string_view group, std::string_view plural) {
  const std::lock_guard lock(mutex_);
  auto& slot = tables_[{std::string(group), std::string(plural)}];
  if (!slot) {
    slot = std::make_unique<Table>();
    slot->group = group;
    slot->plural = plural;
    slot->compacted_version = restored_version_;
  }
  return *slot;
}

std::uint64_t Storage::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

ObjectPtr Storage::get(const Table& table, std::string_view path) const {
  const std::lock_guard lock(mutex_);
  const auto found = table.objects.find(path);
  return found == table.objects.end() ? nullptr : std::make_shared<const Object>(*found->second);
}

Storage::Listing Storage::list(const Table& table, const ListQuery& query) const {
  const std::lock_guard lock(mutex_);
  Listing listing;
  listing.version = query.at.value_or(version_);
  if (!query.at || index_after(table, *query.at) == table.log.size()) {
    if (query.at && *query.at < table.compacted_version) return {.objects = {}, .version = version_, .compacted = true};
    collect(table.objects, query, listing.objects);
  } else if (*query.at < table.compacted_version) {
    return {.objects = {}, .version = version_, .compacted = true};
  } else {
    collect(state_at(table, *query.at), query, listing.objects);
  }
  return listing;
}

ObjectPtr Storage::put(Table& table, std::string path, Json&& tree, OwnersPtr owners, const ObjectPtr& before,
                       const Writer& writer) {
  std::vector<std::shared_ptr<Waker>> woken;
  ObjectPtr object;
  {
    const std::lock_guard lock(mutex_);
    const auto found = table.objects.find(path);
    if (found == table.objects.end() ? before != nullptr : !is_version(found->second, before)) return nullptr;
    const std::uint64_t version = ++version_;
    stamp(tree, version);
    const EventType type = before ? EventType::kModified : EventType::kAdded;
    object = std::make_shared<const Object>(path, version, tree, type, std::move(owners));
    ObjectPtr replaced;
    if (found == table.objects.end()) {
      table.objects.emplace(std::move(path), object);
    } else {
      replaced = std::exchange(found->second, object);
    }
    log(table, {object, replaced}, writer, woken);
  }
  for (const auto& waker : woken) waker->wake();
  return std::make_shared<const Object>(*object);
}

ObjectPtr Storage::remove(Table& table, const ObjectPtr& before, const Writer& writer) {
  Json last = before->tree();
  std::vector<std::shared_ptr<Waker>> woken;
  ObjectPtr object;
  {
    const std::lock_guard lock(mutex_);
    const auto found = table.objects.find(before->path());
    if (found == table.objects.end() || !is_version(found->second, before)) return nullptr;
    const std::uint64_t version = ++version_;
    stamp(last, version);
    object = std::make_shared<const Object>(before->path(), version, last, EventType::kDeleted, before->owners());
    const ObjectPtr replaced = std::move(found->second);
    table.objects.erase(found);
    log(table, {object, replaced}, writer, woken);
  }
  for (const auto& waker : woken) waker->wake();
  return std::make_shared<const Object>(*object);
}

void Storage::log(Table& table, LoggedEvent event, const Writer& writer, std::vector<std::shared_ptr<Waker>>& woken) {
  if (!observers_.empty() || checker_) {
    const StorageEvent told{.type = event_name(event.type()),
                            .group = table.group,
                            .plural = table.plural,
                            .ns = event.object->ns(),
                            .name = event.object->name(),
                            .resource_version = event.version(),
                            .user_agent = writer.user_agent,
                            .before = event.before ? event.before->text() : std::string_view{},
                            .after = event.object->text()};
    for (const auto& observer : observers_) observer(told);
    if (checker_) checker_(told);
  }
  std::erase_if(followers_, [&](const std::weak_ptr<Follower>& weak) {
    const auto follower = weak.lock();
    if (follower) follower->on_event(table, event);
    return !follower;
  });
  table.log.push_back(std::move(event));
  if (table.log.size() > history_events_) {
    table.compacted_version = table.log.front().version();
    table.log.pop_front();
    ++table.first_sequence;
  }
  std::erase_if(table.listeners, [&](const std::weak_ptr<Waker>& listener) {
    auto waker = listener.lock();
    if (!waker) return true;
    woken.push_back(std::move(waker));
    return false;
  });
}

void Storage::restore(Table& table, std::string path, std::uint64_t version, const Json& tree, OwnersPtr owners) {
  const std::lock_guard lock(mutex_);
  auto object = std::make_shared<const Object>(path, version, tree, EventType::kModified, std::move(owners));
  table.objects.insert_or_assign(std::move(path), std::move(object));
}

void Storage::restore_version(std::uint64_t version) {
  const std::lock_guard lock(mutex_);
  version_ = std::max(version_, version);
  restored_version_ = version_;
  for (const auto& [_, table] : tables_) table->compacted_version = version_;
}

std::optional<Storage::Cursor> Storage::cursor_after(const Table& table, std::uint64_t version) const {
  const std::lock_guard lock(mutex_);
  if (version < table.compacted_version) return std::nullopt;
  return Cursor{.sequence = table.first_sequence + index_after(table, version), .incarnation = table.incarnation};
}

Storage::Start Storage::start(const Table& table, const ListQuery& query) const {
  const std::lock_guard lock(mutex_);
  Start start;
  start.listing.version = version_;
  collect(table.objects, query, start.listing.objects);
  start.cursor = {.sequence = table.first_sequence + table.log.size(), .incarnation = table.incarnation};
  return start;
}

Storage::Read Storage::read(const Table& table, Cursor& cursor, std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  Read result;
  result.version = version_;
  result.over = cursor.incarnation != table.incarnation;
  if (cursor.sequence < table.first_sequence) {
    result.compacted = true;
    return result;
  }
  const std::size_t begin = cursor.sequence - table.first_sequence;
  const std::size_t end = std::min(table.log.size(), begin + std::min(count_max, table.log.size()));
  for (std::size_t i = begin; i < end; ++i) result.events.push_back(table.log[i]);
  cursor.sequence = table.first_sequence + end;
  if (end < table.log.size()) result.version = table.log[end].version() - 1;
  return result;
}

void Storage::listen(Table& table, const std::shared_ptr<Waker>& waker) {
  const std::lock_guard lock(mutex_);
  table.listeners.push_back(waker);
}

void Storage::compact(Table& table) {
  const std::lock_guard lock(mutex_);
  table.first_sequence += table.log.size();
  table.log.clear();
  table.compacted_version = version_;
}

void Storage::retire(Table& table) {
  std::vector<std::shared_ptr<Waker>> woken;
  {
    const std::lock_guard lock(mutex_);
    ++table.incarnation;
    for (const auto& listener : table.listeners) {
      if (auto waker = listener.lock()) woken.push_back(std::move(waker));
    }
  }
  for (const auto& waker : woken) waker->wake();
}

void Storage::observe(Observer observer) {
  const std::lock_guard lock(mutex_);
  observers_.push_back(std::move(observer));
}

void Storage::set_checker(Observer checker) {
  const std::lock_guard lock(mutex_);
  checker_.swap(checker);  // the old one goes when the lock is free
}

void Storage::replicate(Storage& other, const std::shared_ptr<Follower>& follower) {
  const std::lock_guard lock(mutex_);
  for (const auto& [_, table] : tables_) {
    Table& copy = other.table(table->group, table->plural);
    const std::lock_guard other_lock(other.mutex_);
    copy.objects = table->objects;
    copy.incarnation = table->incarnation;
  }
  other.restore_version(version_);
  followers_.push_back(follower);
}

void Storage::apply(const Table& of, const LoggedEvent& event) {
  Table& table = this->table(of.group, of.plural);
  std::vector<std::shared_ptr<Waker>> woken;
  {
    const std::lock_guard lock(mutex_);
    version_ = event.version();
    if (event.type() == EventType::kDeleted) {
      table.objects.erase(event.object->path());
    } else {
      table.objects.insert_or_assign(event.object->path(), event.object);
    }
    log(table, event, {}, woken);
  }
  for (const auto& waker : woken) waker->wake();
}

}  // namespace kruise::cluster
