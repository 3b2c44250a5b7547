#include "cluster/fields/tracker.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/fields/compare.hpp"
#include "cluster/fields/merge.hpp"

namespace kruise::cluster::fields {
namespace {

/// More entries of updates than that are merged into one, the oldest first.
constexpr std::size_t kUpdatersMax = 10;
constexpr const char* kOldUpdates = "ancient-changes";
constexpr const char* kBeforeFirstApply = "before-first-apply";
constexpr const char* kUnknown = "unknown";

Owner own_entry(const Write& write, bool applied) {
  return {.manager = write.manager.empty() ? kUnknown : write.manager,
          .applied = applied,
          .api_version = write.api_version,
          .subresource = write.subresource,
          .time = write.time,
          .fields = nullptr};
}

void set_fields(Owner& owner, const FieldSetPtr& set, FieldTexts& texts) {
  if (!owner.fields || !equal(owner.fields->set, set)) owner.fields = texts.intern(set);
}

std::vector<Owner>::iterator find_owner(std::vector<Owner>& owners, const Owner& like) {
  return std::ranges::find_if(owners, [&](const Owner& owner) { return owner.is_same_as(like); });
}

Changes without(const Changes& changes, const FieldSetPtr& ignored) {
  return {.added = subtract_whole(changes.added, ignored),
          .modified = subtract_whole(changes.modified, ignored),
          .removed = subtract_whole(changes.removed, ignored)};
}

/// The changes between two states, in each version that an owner speaks of.
class VersionedChanges {
 public:
  VersionedChanges(const Write& write, const Json& before, const Json& after) : write_(write), before_(before), after_(after) {
    changes_.emplace(write.api_version, without(compare(before, after, write.type), write.ignored));
  }

  [[nodiscard]] const Changes& own() const { return *changes_.at(write_.api_version); }
  /// Null: the version is served no more.
  const Changes* in(const std::string& api_version) {
    const auto known = changes_.find(api_version);
    if (known != changes_.end()) return known->second ? &*known->second : nullptr;
    std::optional<Changes> changes;
    if (const auto version = write_.version(api_version))
      changes = compare(version->from_written(before_), version->from_written(after_), *version->type);
    const auto& kept = changes_.emplace(api_version, std::move(changes)).first->second;
    return kept ? &*kept : nullptr;
  }

 private:
  const Write& write_;
  const Json& before_;
  const Json& after_;
  std::map<std::string, std::optional<Changes>> changes_;
};

/// Takes what changed from the owners; those who lose everything go. `spared` is left as it is.
void take_changes(VersionedChanges& changes, std::vector<Owner>& owners, const Owner& spared, FieldTexts& texts) {
  std::erase_if(owners, [&](Owner& owner) {
    if (owner.is_same_as(spared)) return false;
    const Changes* changed = changes.in(owner.api_version);
    if (changed == nullptr) return true;
    FieldSetPtr rest = subtract(owner.fields->set, changed->modified);
    rest = subtract(subtract(rest, changed->added), changed->removed);
    if (rest != owner.fields->set) set_fields(owner, rest, texts);
    return rest == nullptr;
  });
}

/// Merges the oldest updates of one version until there are few enough.
void cap_updaters(std::vector<Owner>& owners, FieldTexts& texts) {
  const auto updates = [&] { return static_cast<std::size_t>(std::ranges::count(owners, false, &Owner::applied)); };
  if (updates() <= kUpdatersMax) return;
  sort_owners(owners);
  std::map<std::string, Owner> first_of_version;
  std::vector<Owner> oldest;
  for (const Owner& owner : owners) {
    if (!owner.applied) oldest.push_back(owner);
  }
  for (const Owner& owner : oldest) {
    if (updates() <= kUpdatersMax) break;
    const auto [first, fresh] = first_of_version.try_emplace(owner.api_version, owner);
    if (fresh) continue;
    Owner bucket{
        .manager = kOldUpdates, .applied = false, .api_version = owner.api_version, .subresource = {}, .time = {}, .fields = {}};
    auto at = find_owner(owners, bucket);
    if (at == owners.end()) {
      auto taken = find_owner(owners, first->second);
      bucket.fields = taken->fields;
      owners.erase(taken);
      owners.push_back(bucket);
      at = owners.end() - 1;
    }
    at->time = owner.time;
    set_fields(*at, unite(owner.fields->set, at->fields->set), texts);
    if (!owner.is_same_as(*at)) owners.erase(find_owner(owners, owner));
  }
}

std::vector<Owner> updated(const Write& write, const Json& before, const Json& after, std::vector<Owner> owners) {
  VersionedChanges changes(write, before, after);
  Owner own = own_entry(write, false);
  take_changes(changes, owners, own, write.texts);
  const FieldSetPtr taken = subtract(unite(changes.own().modified, changes.own().added), identity_fields());
  if (const auto known = find_owner(owners, own); known != owners.end()) {
    // Most often an owner changes what it has: its set then stays the one it was, text and all.
    set_fields(*known, unite(subtract(known->fields->set, changes.own().removed), taken), write.texts);
    if (taken) known->time = write.time;
    if (!known->fields->set) owners.erase(known);
  } else if (taken) {
    own.fields = write.texts.intern(taken);
    owners.push_back(std::move(own));
  }
  cap_updaters(owners, write.texts);
  sort_owners(owners);
  return owners;
}

/// What others own of the fields that change.
std::vector<Conflict> conflicts_of(VersionedChanges& changes, const std::vector<Owner>& owners, const Owner& own) {
  std::vector<Conflict> conflicts;
  for (const Owner& owner : owners) {
    if (owner.is_same_as(own)) continue;
    const Changes* changed = changes.in(owner.api_version);
    if (changed == nullptr) continue;
    if (auto fields = intersect(owner.fields->set, unite(changed->modified, changed->added)))
      conflicts.push_back({owner, std::move(fields)});
  }
  return conflicts;
}

/// Takes out what the manager named last time and nobody owns now.
class Pruner {
 public:
  Pruner(const Write& write, const std::vector<Owner>& owners, const Owner& last) : write_(write), owners_(owners), last_(last) {}

  [[nodiscard]] Json pruned(const Json& merged) const {
    const Version of_last = version_of(last_.api_version);
    if (of_last.type == nullptr) return merged;
    const FieldType& type = *of_last.type;
    const Json whole = of_last.from_written(merged);
    const FieldSetPtr last = with_declared_members(last_.fields->set, type);
    Json rest = remove_fields(whole, last, type);
    rest = with_owned(whole, std::move(rest), of_last);
    // What was not the manager's stays, owned or not.
    const FieldSetPtr gone = subtract(all_of(whole, type), all_of(rest, type));
    return of_last.to_written(remove_fields(whole, intersect(gone, last), type));
  }

 private:
  static FieldSetPtr all_of(const Json& value, const FieldType& type) {
    return with_declared_members(fields_of(value, type), type);
  }

  [[nodiscard]] Version version_of(const std::string& api_version) const {
    if (api_version == write_.api_version) {
      return {.type = &write_.type,
              .from_written = [](const Json& tree) { return tree; },
              .to_written = [](Json tree) { return tree; }};
    }
    return write_.version(api_version).value_or(Version{});
  }

  /// `rest` with what some owner claims, as `whole` has it; both in the version of the last configuration.
  [[nodiscard]] Json with_owned(const Json& whole, Json rest, const Version& of_last) const {
    std::map<std::string, FieldSetPtr> owned;
    for (const Owner& owner : owners_) owned[owner.api_version] = unite(owned[owner.api_version], owner.fields->set);
    const auto add_back = [&](const std::string& api_version, const FieldSetPtr& set) {
      const Version version = version_of(api_version);
      if (version.type == nullptr) return;
      const bool same = api_version == last_.api_version;
      const auto there = [&](const Json& tree) { return same ? tree : version.from_written(of_last.to_written(tree)); };
      const Json all = there(whole);
      const FieldSetPtr kept = unite(all_of(there(rest), *version.type), with_declared_members(set, *version.type));
      Json filled = remove_fields(all, subtract(all_of(all, *version.type), kept), *version.type);
      rest = same ? std::move(filled) : of_last.from_written(version.to_written(std::move(filled)));
    };
    if (const auto first = owned.find(last_.api_version); first != owned.end()) add_back(first->first, first->second);
    for (const auto& [api_version, set] : owned) {
      if (api_version != last_.api_version) add_back(api_version, set);
    }
    return rest;
  }

  const Write& write_;
  const std::vector<Owner>& owners_;  // with the entry of the new configuration
  const Owner& last_;
};

}  // namespace

const FieldSetPtr& identity_fields() {
  static const FieldSetPtr fields = [] {
    FieldSetPtr all;
    const auto add = [&](std::initializer_list<std::string_view> path) {
      all = unite(all, set_of_path(std::span(path.begin(), path.size())));
    };
    for (const std::string_view name : {"f:apiVersion", "f:kind", "f:metadata"}) add({name});
    for (const std::string_view name : {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName",
                                        "f:generation", "f:managedFields", "f:resourceVersion"}) {
      add({"f:metadata", name});
    }
    return all;
  }();
  return fields;
}

std::vector<Owner> track_update(const Write& write, const Json& before, const Json& after, std::vector<Owner> owners,
                                bool creating) {
  if (owners.empty() && !creating) return owners;
  return updated(write, before, after, std::move(owners));
}

std::variant<Applied, std::vector<Conflict>> apply(const Write& write, const Json& live, const Json& zero, const Json& config,
                                                   std::vector<Owner> owners, bool force) {
  if (owners.empty()) {
    // Nobody knows who wrote what is there.
    Write unknown = write;
    unknown.manager = kBeforeFirstApply;
    owners = updated(unknown, zero, live, std::move(owners));
  }
  Owner own = own_entry(write, true);
  const auto known = find_owner(owners, own);
  std::optional<Owner> last;
  if (known != owners.end()) {
    last = *known;
    own.time = last->time;
    owners.erase(known);
  } else {
    own.time.reset();
  }
  const FieldSetPtr set = subtract_whole(fields_of(config, write.type), write.ignored);
  own.fields = write.texts.intern(set);
  owners.push_back(own);

  Json made = merge(live, config, write.type);
  if (last && last->fields->set) made = Pruner(write, owners, *last).pruned(made);

  VersionedChanges changes(write, live, made);
  if (!force) {
    if (auto conflicts = conflicts_of(changes, owners, own); !conflicts.empty()) return conflicts;
  }
  take_changes(changes, owners, own, write.texts);
  Applied applied;
  const bool changed = made != live;
  if (const auto entry = find_owner(owners, own); entry != owners.end()) {
    if (changed) entry->time = write.time;
    set_fields(*entry, subtract(set, identity_fields()), write.texts);
    if (!entry->fields->set) owners.erase(entry);
  }
  sort_owners(owners);
  applied.owners = std::move(owners);
  if (changed) applied.tree = std::make_shared<Json>(std::move(made));
  return applied;
}

}  // namespace kruise::cluster::fields
