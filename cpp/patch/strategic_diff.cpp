#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "patch/directives.hpp"
#include "patch/strategic.hpp"
#include "patch/tree.hpp"

namespace kruise::patch::strategic {
namespace {

using nlohmann::json;

json object_diff(const json& from, const json& to, const api::TypeInfo* type, bool retains_keys);

std::string directive(std::string_view word, const std::string& list) { return std::string(word) + "/" + list; }

/// Whether the merge key tells the elements apart.
bool distinct(const json& list, std::string_view merge_key) {
  std::vector<const json*> keys;
  for (const auto& element : list) {
    if (!element.is_object()) return false;
    const auto key = element.find(merge_key);
    if (key == element.end() || key->is_structured() || key->is_null()) return false;
    if (std::ranges::any_of(keys, [&](const json* other) { return *other == *key; })) return false;
    keys.push_back(&*key);
  }
  return true;
}

const json* with_key(const json& list, const std::string& merge_key, const json& key) {
  const auto found = std::ranges::find_if(list, [&](const json& element) { return element.at(merge_key) == key; });
  return found == list.end() ? nullptr : &*found;
}

void keyed_list_diff(json& patch, const std::string& name, const json& from, const json& to, const Member& info) {
  const std::string key(info.merge_key);
  if (!distinct(from, key) || !distinct(to, key)) {
    patch[name] = to;
    patch[name].push_back({{kPatch, "replace"}});
    return;
  }
  json changes = json::array();
  for (const auto& element : to) {
    const json* old = with_key(from, key, element.at(key));
    json change = old == nullptr ? element : object_diff(*old, element, info.element(), info.retains_keys);
    if (change.empty()) continue;
    change[key] = element.at(key);
    changes.push_back(std::move(change));
  }
  for (const auto& element : from) {
    if (with_key(to, key, element.at(key)) == nullptr) changes.push_back({{kPatch, "delete"}, {key, element.at(key)}});
  }
  if (!changes.empty()) patch[name] = std::move(changes);
  const bool same_sequence = std::equal(from.begin(), from.end(), to.begin(), to.end(),
                                        [&](const json& a, const json& b) { return a.at(key) == b.at(key); });
  if (same_sequence || to.empty() || from.empty()) return;
  json& order = patch[directive(kSetElementOrder, name)] = json::array();
  for (const auto& element : to) order.push_back({{key, element.at(key)}});
}

void set_diff(json& patch, const std::string& name, const json& from, const json& to) {
  json added = json::array();
  json removed = json::array();
  for (const auto& element : to) {
    if (std::ranges::find(from, element) == from.end()) added.push_back(element);
  }
  for (const auto& element : from) {
    if (std::ranges::find(to, element) == to.end()) removed.push_back(element);
  }
  if (!added.empty()) patch[name] = std::move(added);
  if (!removed.empty()) patch[directive(kDeleteFromPrimitiveList, name)] = std::move(removed);
  if (!from.empty() && !to.empty()) patch[directive(kSetElementOrder, name)] = to;
}

void member_diff(json& patch, const std::string& name, const json& from, const json& to, const Member& info) {
  if (from.is_object() && to.is_object()) {
    if (json inner = object_diff(from, to, info.type, info.retains_keys); !inner.empty()) patch[name] = std::move(inner);
  } else if (from == to) {
    return;
  } else if (from.is_array() && to.is_array() && info.merges) {
    info.merge_key.empty() ? set_diff(patch, name, from, to) : keyed_list_diff(patch, name, from, to, info);
  } else {
    patch[name] = to;
  }
}

json object_diff(const json& from, const json& to, const api::TypeInfo* type, bool retains_keys) {
  json patch = json::object();
  json kept = json::array();
  for (const auto& [name, value] : to.items()) {
    if (value.is_null()) continue;
    kept.push_back(name);
    const auto old = from.find(name);
    if (old == from.end() || old->is_null()) {
      patch[name] = value;
    } else {
      member_diff(patch, name, *old, value, member_of(type, name));
    }
  }
  for (const auto& [name, value] : from.items()) {
    if (const auto now = to.find(name); now == to.end() || (now->is_null() && !value.is_null())) patch[name] = nullptr;
  }
  if (retains_keys && !patch.empty() && !kept.empty()) patch[std::string(kRetainKeys)] = std::move(kept);
  return patch;
}

}  // namespace

json diff(const json& from, const json& to, const api::TypeInfo* type) {
  const json empty = json::object();
  return object_diff(from.is_object() ? from : empty, to.is_object() ? to : empty, type, false);
}

base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to, const api::TypeInfo* type) {
  const auto old = parse_tree(from);
  if (!old) return old.error();
  const auto wanted = parse_tree(to);
  if (!wanted) return wanted.error();
  if (!old->is_object() || !wanted->is_object()) return Error::malformed("a strategic merge patch is made of two objects");
  return tree_text(diff(*old, *wanted, type));
}

}  // namespace kruise::patch::strategic
