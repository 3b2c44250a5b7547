// The objects of one kind as last seen, immutable and shared, with indexes. One writer: the kind's feed.
//
// Lives on one executor (no locks); the objects it hands out may be kept and read by any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/key.hpp"
#include "cache/index.hpp"
#include "cache/slot_table.hpp"
#include "cache/traits.hpp"

namespace kruise::cache {

/// What happened to one object. `before` is null for an addition, `after` for a deletion.
template <class T>
struct Change {
  std::shared_ptr<const T> before;
  std::shared_ptr<const T> after;
};

/// Reading side of a store, what controllers see.
template <class T>
class Reader {
 public:
  using Ptr = std::shared_ptr<const T>;
  virtual ~Reader() = default;
  [[nodiscard]] virtual Ptr get(const api::Key&) const = 0;
  /// Objects with an owner reference to this UID (any, not only the controller), in order of name.
  [[nodiscard]] virtual std::vector<Ptr> owned_by(std::string_view uid) const = 0;
  [[nodiscard]] virtual std::vector<Ptr> in_namespace(std::string_view ns) const = 0;
  /// By an index added with `Store::add_index`, in order of namespace and name; nothing when there is no such index.
  [[nodiscard]] virtual std::vector<Ptr> indexed(std::string_view index, std::string_view key) const = 0;
  /// In no particular order.
  [[nodiscard]] virtual std::vector<Ptr> all() const = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;
  /// The newest resourceVersion that the watch has reached, objects and bookmarks alike; 0 before the first list.
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual bool synced() const = 0;
  /// Called after each change, in the order of the watch; a relist reports only what differs. Register before start.
  virtual void subscribe(std::function<void(const Change<T>&)>) = 0;
  /// Called when `version` advanced or the first list is done (own writes may now be visible).
  virtual void on_progress(std::function<void()>) = 0;
};

/// A hash table by key and an index each by owner UID, by namespace and by whatever `add_index` names. Reads copy pointers, never
/// objects. Beside its objects it takes about 60 bytes each.
template <class T>
class Store final : public Reader<T> {
 public:
  using Ptr = std::shared_ptr<const T>;
  /// Appends the keys under which an object is found; views into the object.
  using IndexFunction = std::function<void(const T&, IndexKeys&)>;

  Store() {
    add_index(std::string(kByOwner), Traits<T>::owner_uids);
    add_index(std::string(kByNamespace), [](const T& object, IndexKeys& keys) { keys.push_back(Traits<T>::key(object).ns); });
  }
  Store(const Store&) = delete;  // indexes hold the store's address
  Store& operator=(const Store&) = delete;

  /// Before the first object.
  void add_index(std::string name, IndexFunction keys) {
    indexes_.push_back({std::move(name), std::move(keys), Index([this](Slot a, Slot b) { return key(a) < key(b); })});
  }

  [[nodiscard]] Ptr get(const api::Key& key) const override {
    const auto slot = find(view(key));
    return slot ? entries_[*slot].object : nullptr;
  }
  [[nodiscard]] std::vector<Ptr> owned_by(std::string_view uid) const override { return indexed(kByOwner, uid); }
  [[nodiscard]] std::vector<Ptr> in_namespace(std::string_view ns) const override { return indexed(kByNamespace, ns); }
  [[nodiscard]] std::vector<Ptr> indexed(std::string_view index, std::string_view key) const override {
    std::vector<Ptr> found;
    for (const auto& candidate : indexes_) {
      if (candidate.name != index) continue;
      const auto& slots = candidate.index.find(key);
      found.reserve(slots.size());
      for (const Slot slot : slots) found.push_back(entries_[slot].object);
    }
    return found;
  }
  [[nodiscard]] std::vector<Ptr> all() const override {
    std::vector<Ptr> found;
    found.reserve(size_);
    for (const auto& entry : entries_) {
      if (entry.object) found.push_back(entry.object);
    }
    return found;
  }
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] std::uint64_t version() const override { return version_; }
  [[nodiscard]] bool synced() const override { return synced_; }
  void subscribe(std::function<void(const Change<T>&)> subscriber) override { subscribers_.push_back(std::move(subscriber)); }
  void on_progress(std::function<void()> callback) override { progress_.push_back(std::move(callback)); }

  /// What the objects take, as counted by the decoder.
  [[nodiscard]] std::size_t object_bytes() const { return object_bytes_; }
  /// What table and indexes take. Walks the indexes.
  [[nodiscard]] std::size_t index_bytes() const {
    std::size_t bytes = entries_.capacity() * sizeof(Entry) + table_.bytes();
    for (const auto& named : indexes_) bytes += named.index.bytes();
    return bytes;
  }

  // The writer's side, for `Feed` alone.

  /// An object as the watch shows it. One no newer than what the watch has reached is a repetition and is passed over.
  void put(Ptr object, std::size_t bytes) {
    const std::uint64_t version = Traits<T>::version(*object);
    if (synced_ && version != 0 && version <= version_) return;
    const Change<T> change = set(std::move(object), bytes);
    notify(change);
    advance(version);
  }
  /// An object that the watch shows gone.
  void erase(KeyView key, std::uint64_t version) {
    if (synced_ && version != 0 && version <= version_) return;
    if (const auto slot = find(key)) notify(take(*slot));
    advance(version);
  }
  /// Everything up to this version has been seen.
  void advance(std::uint64_t version) {
    if (version <= version_) return;
    version_ = version;
    for (const auto& callback : progress_) callback();
  }
  /// An item of a list under way. The store's readers do not see it before `end_list`; an item that is known already in this
  /// version costs a pointer, so that a relist never holds two copies.
  void list_item(Ptr object, std::size_t bytes) {
    if (const auto slot = find(Traits<T>::key(*object))) {
      const Ptr& known = entries_[*slot].object;
      if (Traits<T>::version(*known) == Traits<T>::version(*object) && Traits<T>::same_uid(*known, *object)) object = known;
    }
    listed_.push_back({std::move(object), static_cast<std::uint32_t>(bytes)});
  }
  /// An item of a list under way that cannot be decoded: what is known of it, if anything, stays.
  void keep_listed(KeyView key) {
    if (const auto slot = find(key)) listed_.push_back(entries_[*slot]);
  }
  /// A streamed list shows an object gone that it had shown before.
  void unlist_item(KeyView key) {
    std::erase_if(listed_, [&](const Entry& entry) { return Traits<T>::key(*entry.object) == key; });
  }
  void abort_list() { listed_ = {}; }
  /// The list replaces everything at once; subscribers hear the differences, deletions first.
  void end_list(std::uint64_t version) {
    std::vector<Entry> listed = std::exchange(listed_, {});
    std::vector<Change<T>> changes;
    std::vector<bool> seen(entries_.size());
    std::vector<Entry> fresh;
    for (Entry& entry : listed) {
      const auto slot = find(Traits<T>::key(*entry.object));
      if (!slot) {
        fresh.push_back(std::move(entry));
        continue;
      }
      seen[*slot] = true;
      if (entries_[*slot].object != entry.object) changes.push_back(set(std::move(entry.object), entry.bytes));
    }
    listed = {};
    const std::size_t updates = changes.size();
    for (Slot slot = 0; slot < seen.size(); ++slot) {
      if (!seen[slot] && entries_[slot].object) changes.push_back(take(slot));
    }
    std::rotate(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(updates), changes.end());
    const bool report_additions = !subscribers_.empty();
    for (Entry& entry : fresh) {
      Change<T> change = set(std::move(entry.object), entry.bytes);
      if (report_additions) changes.push_back(std::move(change));
    }
    fresh = {};
    version_ = version;  // may be lower than before: a restored etcd counts anew
    synced_ = true;
    for (const Change<T>& change : changes) notify(change);
    for (const auto& callback : progress_) callback();
  }

 private:
  static constexpr std::string_view kByOwner = "owner", kByNamespace = "namespace";
  struct Entry {
    Ptr object;  // null: the slot is free
    std::uint32_t bytes = 0;
  };
  struct NamedIndex {
    std::string name;
    IndexFunction keys;
    Index index;
  };

  [[nodiscard]] KeyView key(Slot slot) const { return Traits<T>::key(*entries_[slot].object); }
  [[nodiscard]] static std::uint32_t hash(KeyView key) {
    const std::hash<std::string_view> hash;
    const std::uint64_t mixed = (hash(key.ns) * 31 + hash(key.name)) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::uint32_t>(mixed >> 32);
  }
  [[nodiscard]] std::optional<Slot> find(KeyView wanted) const {
    return table_.find(hash(wanted), [&](Slot slot) { return key(slot) == wanted; });
  }

  Change<T> set(Ptr object, std::size_t bytes) {
    const KeyView at = Traits<T>::key(*object);
    object_bytes_ += bytes;
    if (const auto known = find(at)) {
      Entry& entry = entries_[*known];
      object_bytes_ -= entry.bytes;
      for (NamedIndex& named : indexes_) reindex(named, *known, *entry.object, *object);
      Change<T> change{std::move(entry.object), object};
      entry = {std::move(object), static_cast<std::uint32_t>(bytes)};
      return change;
    }
    Slot slot = static_cast<Slot>(entries_.size());
    if (free_.empty()) {
      entries_.push_back({object, static_cast<std::uint32_t>(bytes)});
    } else {
      slot = free_.back();
      free_.pop_back();
      entries_[slot] = {object, static_cast<std::uint32_t>(bytes)};
    }
    table_.insert(hash(at), slot);
    ++size_;
    for (NamedIndex& named : indexes_) {
      for (const auto index_key : keys_of(named, *object, keys_after_)) named.index.add(index_key, slot);
    }
    return {nullptr, std::move(object)};
  }

  Change<T> take(Slot slot) {
    Entry& entry = entries_[slot];
    for (NamedIndex& named : indexes_) {
      for (const auto index_key : keys_of(named, *entry.object, keys_before_)) named.index.remove(index_key, slot);
    }
    table_.erase(hash(key(slot)), slot);
    object_bytes_ -= entry.bytes;
    Change<T> change{std::move(entry.object), nullptr};
    entry = {};
    free_.push_back(slot);
    --size_;
    return change;
  }

  void reindex(NamedIndex& named, Slot slot, const T& before, const T& after) {
    const IndexKeys& old_keys = keys_of(named, before, keys_before_);
    const IndexKeys& new_keys = keys_of(named, after, keys_after_);
    if (old_keys == new_keys) return;
    for (const auto index_key : old_keys) {
      if (std::find(new_keys.begin(), new_keys.end(), index_key) == new_keys.end()) named.index.remove(index_key, slot);
    }
    for (const auto index_key : new_keys) {
      if (std::find(old_keys.begin(), old_keys.end(), index_key) == old_keys.end()) named.index.add(index_key, slot);
    }
  }

  static const IndexKeys& keys_of(const NamedIndex& named, const T& object, IndexKeys& keys) {
    keys.clear();
    named.keys(object, keys);
    if (keys.size() > 1) {  // two references to one owner are one key
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    }
    return keys;
  }

  void notify(const Change<T>& change) {
    for (const auto& subscriber : subscribers_) subscriber(change);
  }

  std::vector<Entry> entries_;
  std::vector<Slot> free_;
  std::size_t size_ = 0;
  std::size_t object_bytes_ = 0;
  SlotTable table_;
  std::vector<NamedIndex> indexes_;
  IndexKeys keys_before_, keys_after_;  // scratch
  std::vector<Entry> listed_;
  std::uint64_t version_ = 0;
  bool synced_ = false;
  std::vector<std::function<void(const Change<T>&)>> subscribers_;
  std::vector<std::function<void()>> progress_;
};

}  // namespace kruise::cache
