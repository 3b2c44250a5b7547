// What the API server remembers: objects, the counter of versions, and a log of what happened from which watches read.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/api_server.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

/// Told when something was logged in a table; called under no lock, from the writer's thread.
class Waker {
 public:
  void set(std::function<void()>);
  void wake();

 private:
  std::mutex mutex_;  // guards the one below; held while it runs, so that nothing runs after `set({})` returned
  std::function<void()> wake_;
};

/// One thing that happened. `before` is null for an addition; for a deletion `object` is the last state with the version of the
/// deletion.
struct LoggedEvent {
  ObjectPtr object;
  ObjectPtr before;
  [[nodiscard]] EventType type() const { return object->type(); }
  [[nodiscard]] std::uint64_t version() const { return object->version(); }
};

/// The objects of one resource. Belongs to a Storage, which alone looks inside.
class Table;

/// Thread-safe. One mutex: writes take it for the assignment of the version, the text and the log entry, nothing else.
class Storage {
 public:
  /// `history_events`: how many events each table remembers; who watches from before them is told 410.
  explicit Storage(std::size_t history_events);
  ~Storage();

  /// The table of a resource; the same one for the same names, for ever.
  Table& table(std::string_view group, std::string_view plural);
  [[nodiscard]] std::uint64_t version() const;
  /// A copy: its tree goes with it.
  [[nodiscard]] ObjectPtr get(const Table&, std::string_view path) const;

  struct ListQuery {
    std::string prefix;               // "namespace/", or empty for all
    std::string start;                // first path that may appear
    std::optional<std::uint64_t> at;  // the state as of that version; empty: now
    std::size_t count_max = SIZE_MAX;
  };
  struct Listing {
    std::vector<ObjectPtr> objects;  // in order of path
    std::uint64_t version = 0;       // of the state shown
    bool compacted = false;          // `at` is too old to be reconstructed
  };
  [[nodiscard]] Listing list(const Table&, const ListQuery&) const;

  struct Writer {
    std::string_view user_agent;
  };
  /// Makes `tree`, with the owners of its fields, the successor of `before` (null: there must be none) under the next version,
  /// which is written into it. Null when storage meanwhile holds something else: read again and decide again.
  ObjectPtr put(Table&, std::string path, Json&& tree, OwnersPtr owners, const ObjectPtr& before, const Writer&);
  /// Takes `before` out. Returns its last state, null when storage holds something else.
  ObjectPtr remove(Table&, const ObjectPtr& before, const Writer&);
  /// Puts back what an earlier process stored, with its version; for loading only, before anything else.
  void restore(Table&, std::string path, std::uint64_t version, const Json& tree, OwnersPtr owners);
  /// The counter will not fall below this, and watches from before it are told 410.
  void restore_version(std::uint64_t);

  /// A place in a table's log.
  struct Cursor {
    std::uint64_t sequence = 0;
    std::uint64_t incarnation = 0;  // of the table
  };
  /// After `version`; nothing when that is compacted.
  [[nodiscard]] std::optional<Cursor> cursor_after(const Table&, std::uint64_t version) const;
  /// A consistent start: the state now, and the cursor behind it.
  struct Start {
    Listing listing;
    Cursor cursor;
  };
  [[nodiscard]] Start start(const Table&, const ListQuery&) const;
  struct Read {
    std::vector<LoggedEvent> events;
    std::uint64_t version = 0;  // everything of the table up to this version has been read once these are
    bool compacted = false;     // the cursor fell out of the log
    bool over = false;          // the table was retired since: once these events are read, no more come
  };
  /// The next events, at most `count_max`; moves the cursor.
  [[nodiscard]] Read read(const Table&, Cursor&, std::size_t count_max) const;
  void listen(Table&, const std::shared_ptr<Waker>&);
  /// Forgets the log, as a compaction does: a watch that is not up to date, or starts from before, is told 410.
  void compact(Table&);
  /// Nobody serves the table any more: its watches end once they have read what happened. What follows is another incarnation.
  void retire(Table&);
  using Observer = std::function<void(const StorageEvent&)>;
  /// Called with each write, under the lock, in order of version, for ever.
  void observe(Observer);
  /// The same, instead of the one set before. Empty: nobody is called any more.
  void set_checker(Observer);

  /// Told of each event in order of version, under the lock.
  class Follower {
   public:
    virtual ~Follower() = default;
    virtual void on_event(const Table&, const LoggedEvent&) = 0;
  };
  /// Gives `other`, which is empty, all that is held, and tells `follower` of what comes after, for as long as it lives.
  void replicate(Storage& other, const std::shared_ptr<Follower>& follower);
  /// Repeats an event of another storage's table under its own version.
  void apply(const Table& of, const LoggedEvent&);

 private:
  void log(Table&, LoggedEvent, const Writer&, std::vector<std::shared_ptr<Waker>>& woken);

  const std::size_t history_events_;
  mutable std::mutex mutex_;  // guards everything below
  std::uint64_t version_ = 1;
  std::uint64_t restored_version_ = 0;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Table>> tables_;
  std::vector<Observer> observers_;
  Observer checker_;
  std::vector<std::weak_ptr<Follower>> followers_;
};

}  // namespace kruise::cluster
