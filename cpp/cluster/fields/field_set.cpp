#include "cluster/fields/field_set.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/json_text.hpp"

namespace kruise::cluster::fields {
namespace {

using Entries = std::vector<FieldSet::Entry>;

const Entries& entries_of(const FieldSetPtr& set) {
  static const Entries kNone;
  return set ? set->entries() : kNone;
}

/// Walks two sets side by side: `visit` is given the entries of either under one key, null where one has none.
template <class Visit>
void each_pair(const FieldSetPtr& a, const FieldSetPtr& b, Visit&& visit) {
  auto left = entries_of(a).begin();
  const auto left_end = entries_of(a).end();
  auto right = entries_of(b).begin();
  const auto right_end = entries_of(b).end();
  while (left != left_end || right != right_end) {
    const int order = left == left_end ? 1 : right == right_end ? -1 : left->key.compare(right->key);
    visit(order <= 0 ? &*left : nullptr, order >= 0 ? &*right : nullptr);
    if (order <= 0) ++left;
    if (order >= 0) ++right;
  }
}

FieldSetPtr without(const FieldSetPtr& a, const FieldSetPtr& b, bool whole) {
  if (!a || !b) return a;
  Entries rest;
  bool changed = false;
  each_pair(a, b, [&](const FieldSet::Entry* has, const FieldSet::Entry* taken) {
    if (has == nullptr) return;
    if (taken == nullptr) {
      rest.push_back(*has);
      return;
    }
    const bool member = has->member && !taken->member;
    FieldSetPtr below = whole && taken->member ? nullptr : without(has->below, taken->below, whole);
    changed = changed || member != has->member || below != has->below;
    if (member || below) rest.push_back({has->key, member, std::move(below)});
  });
  return changed ? make_set(std::move(rest)) : a;
}

/// "f:spec" as ".spec", `k:{"name":"main"}` as `[name="main"]`, `v:"a"` as `[="a"]`, "i:0" as "[0]".
std::string shown_key(std::string_view key) {
  const std::string_view rest = key.substr(2);
  if (key.starts_with("f:")) return "." + std::string(rest);
  if (key.starts_with("v:")) return "[=" + std::string(rest) + "]";
  if (key.starts_with("i:")) return "[" + std::string(rest) + "]";
  const auto keys = parse_json(rest);
  std::string shown = "[";
  if (!keys || !keys->is_object()) return shown.append(rest) + "]";
  for (const auto& [name, value] : keys->items()) shown += (shown.size() > 1 ? "," : "") + name + "=" + json_text(value);
  return shown + "]";
}

void collect_paths(const FieldSetPtr& set, const std::string& path, std::vector<std::string>& out) {
  for (const auto& entry : entries_of(set)) {
    if (entry.member) out.push_back(path + shown_key(entry.key));
  }
  for (const auto& entry : entries_of(set)) {
    if (entry.below) collect_paths(entry.below, path + shown_key(entry.key), out);
  }
}

}  // namespace

const FieldSet::Entry* FieldSet::find(std::string_view key) const {
  const auto at = std::ranges::lower_bound(entries_, key, {}, &Entry::key);
  return at != entries_.end() && at->key == key ? &*at : nullptr;
}

FieldSetPtr make_set(Entries entries) {
  if (entries.empty()) return nullptr;
  return std::make_shared<const FieldSet>(std::move(entries));
}

FieldSetPtr set_of_path(std::span<const std::string_view> keys) {
  if (keys.empty()) return nullptr;
  return make_set({{std::string(keys.front()), keys.size() == 1, set_of_path(keys.subspan(1))}});
}

FieldSetPtr unite(const FieldSetPtr& a, const FieldSetPtr& b) {
  if (!b || a == b) return a;
  if (!a) return b;
  Entries all;
  bool changed = false;
  each_pair(a, b, [&](const FieldSet::Entry* left, const FieldSet::Entry* right) {
    if (right == nullptr) {
      all.push_back(*left);
    } else if (left == nullptr) {
      all.push_back(*right);
      changed = true;
    } else {
      FieldSet::Entry both{left->key, left->member || right->member, unite(left->below, right->below)};
      changed = changed || both.member != left->member || both.below != left->below;
      all.push_back(std::move(both));
    }
  });
  return changed ? make_set(std::move(all)) : a;
}

FieldSetPtr intersect(const FieldSetPtr& a, const FieldSetPtr& b) {
  if (!a || !b) return nullptr;
  if (a == b) return a;
  Entries shared;
  each_pair(a, b, [&](const FieldSet::Entry* left, const FieldSet::Entry* right) {
    if (left == nullptr || right == nullptr) return;
    const bool member = left->member && right->member;
    FieldSetPtr below = intersect(left->below, right->below);
    if (member || below) shared.push_back({left->key, member, std::move(below)});
  });
  return make_set(std::move(shared));
}

FieldSetPtr subtract(const FieldSetPtr& a, const FieldSetPtr& b) { return without(a, b, false); }
FieldSetPtr subtract_whole(const FieldSetPtr& a, const FieldSetPtr& b) { return without(a, b, true); }

bool contains(const FieldSetPtr& set, std::span<const std::string_view> keys) {
  if (!set || keys.empty()) return false;
  const FieldSet::Entry* entry = set->find(keys.front());
  if (entry == nullptr) return false;
  return keys.size() == 1 ? entry->member : contains(entry->below, keys.subspan(1));
}

bool equal(const FieldSetPtr& a, const FieldSetPtr& b) {
  if (a == b) return true;
  if (!a || !b) return false;
  return std::ranges::equal(a->entries(), b->entries(), [](const FieldSet::Entry& left, const FieldSet::Entry& right) {
    return left.member == right.member && left.key == right.key && equal(left.below, right.below);
  });
}

std::vector<std::string> paths_of(const FieldSetPtr& set) {
  std::vector<std::string> paths;
  collect_paths(set, "", paths);
  return paths;
}

std::string member_key(std::string_view name) {
  std::string key;
  key.reserve(name.size() + 2);
  return key.append("f:").append(name);
}

}  // namespace kruise::cluster::fields
