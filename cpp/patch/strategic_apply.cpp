#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "patch/directives.hpp"
#include "patch/element_order.hpp"
#include "patch/strategic.hpp"
#include "patch/tree.hpp"

namespace kruise::patch::strategic {

Member member_of(const api::TypeInfo* type, std::string_view name) {
  using Kind = api::TypeInfo::Kind;
  if (type == nullptr) return {};
  if (type->kind == Kind::kMap) return {type->element, true, false, false, {}};
  if (type->kind != Kind::kObject) return {};
  const api::FieldInfo* field = type->field(name);
  if (field == nullptr) return {};
  return {field->type, true, field->patch_merge, field->patch_retain_keys, field->merge_key};
}

namespace {

using nlohmann::json;
using Failure = std::optional<Error>;
using Keys = std::vector<json>;
using Offset = std::ptrdiff_t;

bool is_directive(std::string_view name) {
  return name == kPatch || name == kRetainKeys || name.starts_with(kSetElementOrder) ||
         name.starts_with(kDeleteFromPrimitiveList);
}

/// The tree in the notation of a server's messages: `map[name:web ports:[80 81]]`.
std::string spelled(const json& tree) {
  if (tree.is_string()) return tree.get<std::string>();
  if (tree.is_null()) return "<nil>";
  if (!tree.is_structured()) return tree_text(tree);
  std::string out = tree.is_object() ? "map[" : "[";
  for (auto it = tree.begin(); it != tree.end(); ++it) {
    if (it != tree.begin()) out += ' ';
    if (tree.is_object()) out += it.key() + ":";
    out += spelled(*it);
  }
  return out + "]";
}

Error no_merge_key(const json& element, std::string_view key) {
  return Error::internal("map: " + spelled(element) + " does not contain declared merge key: " + std::string(key));
}
Error unknown_patch_type(const json& directive, const json& element) {
  return Error::internal("unknown patch type: " + spelled(directive) + " in map: " + spelled(element));
}
Error bad_order_list() { return Error::malformed("invalid patch format of setElementOrder list"); }

/// The keys of the elements; without a merge key the elements themselves.
base::Result<Keys, Error> keys_of(const json& list, std::string_view merge_key) {
  Keys keys;
  for (const auto& element : list) {
    if (merge_key.empty()) {
      keys.push_back(element);
      continue;
    }
    if (!element.is_object())
      return Error::internal("expected a map[string]interface {}, but received a " + std::string(element.type_name()));
    const auto key = element.find(merge_key);
    if (key == element.end()) return no_merge_key(element, merge_key);
    keys.push_back(*key);
  }
  return keys;
}

/// All elements of both lists are of one kind, and that is no list.
Failure check_elements(const json& a, const json& b) {
  const json* first = nullptr;
  for (const json* list : {&a, &b}) {
    for (const auto& element : *list) {
      if (element.is_array()) return Error::invalid("lists of lists are not supported");
      if (first == nullptr) first = &element;
      const bool same = element.is_number() ? first->is_number() && first->is_number_float() == element.is_number_float()
                                            : first->type() == element.type();
      if (!same) return Error::internal("list element types are not identical: [" + spelled(a) + " " + spelled(b) + "]");
    }
  }
  return {};
}

class Merge {
 public:
  Failure run(json& target, json&& patch, const api::TypeInfo* type) {
    auto failure = object(target, std::move(patch), type);
    return failure ? failure : misplaced_;
  }

 private:
  bool settle(json& value, bool marked_go, const api::TypeInfo* type);
  Failure object(json& target, json&& patch, const api::TypeInfo* type);
  Failure member(json& target, const std::string& name, json&& value, const api::TypeInfo* type);
  Failure retain(json& target, json& patch);
  Failure set_orders(json& target, json& patch, const api::TypeInfo* type);
  Failure set_order(json& target, json& patch, const std::string& list, const json& order, const api::TypeInfo* type);
  Failure list(json& target, json&& patch, const Member& member, Keys* slots);
  Failure keyed_list(json& target, json&& patch, const Member& member, Keys& before, Keys& wanted, Keys* slots);

  Failure misplaced_;  // a directive where a typed decoder meets it as a value
};

/// Takes out what a typed decoder would not keep of new values: null members (in maps null is an empty value) and directives.
/// With `marked_go`, objects that carry a `$patch` go as a whole. False: the value itself is one of these. In maps a directive is
/// a key like any other, and is refused where its value does not fit.
bool Merge::settle(json& value, bool marked_go, const api::TypeInfo* type) {
  if (value.is_object()) {
    if (marked_go && value.contains(kPatch)) return false;
    const bool is_map = type != nullptr && type->kind == api::TypeInfo::Kind::kMap;
    for (auto it = value.begin(); it != value.end();) {
      const bool directive = is_directive(it.key());
      if (directive && is_map && it->is_structured())
        misplaced_ = Error::invalid("unrecognized type of " + it.key() + " in " + spelled(value));
      if (it->is_null() && is_map && !marked_go) *it = type->element->kind == api::TypeInfo::Kind::kQuantity ? "0" : "";
      const bool goes = it->is_null() || (directive && !is_map) || !settle(*it, marked_go, member_of(type, it.key()).type);
      it = goes ? value.erase(it) : std::next(it);
    }
  } else if (value.is_array()) {
    const auto* element = type != nullptr && type->kind == api::TypeInfo::Kind::kList ? type->element : nullptr;
    json kept = json::array();
    for (auto& item : value) {
      if (settle(item, marked_go, element)) kept.push_back(std::move(item));
    }
    value = std::move(kept);
  }
  return true;
}

Failure Merge::object(json& target, json&& patch, const api::TypeInfo* type) {
  if (const auto directive = patch.find(kPatch); directive != patch.end()) {
    if (*directive == "delete") {
      target = json::object();
      return {};
    }
    if (*directive != "replace") return unknown_patch_type(*directive, patch);
    patch.erase(directive);
    settle(patch, false, type);
    target = std::move(patch);
    return {};
  }
  if (auto failure = retain(target, patch)) return failure;
  if (auto failure = set_orders(target, patch, type)) return failure;
  for (auto it = patch.begin(); it != patch.end(); ++it) {
    if (auto failure = member(target, it.key(), std::move(*it), type)) return failure;
  }
  return {};
}

Failure Merge::member(json& target, const std::string& given_name, json&& value, const api::TypeInfo* type) {
  std::string name = given_name;
  const bool deletes = name.starts_with(kDeleteFromPrimitiveList);
  if (deletes) {
    if (!name.starts_with(std::string(kDeleteFromPrimitiveList) + "/"))
      return Error::malformed("invalid patch format of primitive list");
    name.erase(0, kDeleteFromPrimitiveList.size() + 1);
  }
  if (value.is_null()) {
    target.erase(name);
    return {};
  }
  const auto found = target.find(name);
  const bool merges =
      found != target.end() && ((found->is_object() && value.is_object()) || (found->is_array() && value.is_array()));
  if (deletes && !(merges && value.is_array())) return {};  // nothing to delete from
  if (deletes) {
    if (auto failure = check_elements(*found, value)) return failure;
    json kept = json::array();
    for (auto& element : *found) {
      if (std::ranges::find(value, element) == value.end()) kept.push_back(std::move(element));
    }
    *found = std::move(kept);
    return {};
  }
  if (merges) {
    const Member info = member_of(type, name);
    if (value.is_object()) return object(*found, std::move(value), info.type);
    if (info.merges) return list(*found, std::move(value), info, nullptr);
    settle(value, false, info.type);
    *found = std::move(value);
    return {};
  }
  if (!settle(value, true, member_of(type, name).type)) {
    target.erase(name);
  } else {
    target[name] = std::move(value);
  }
  return {};
}

/// `$retainKeys` lists every member that may remain, and must list those that the patch sets.
Failure Merge::retain(json& target, json& patch) {
  const auto found = patch.find(kRetainKeys);
  if (found == patch.end()) return {};
  const json keep = std::move(*found);
  patch.erase(found);
  Error bad = Error::malformed("invalid patch format of retainKeys");
  if (!keep.is_array()) return bad;
  for (const auto& [name, value] : patch.items()) {
    if (value.is_null() || name.starts_with(kDeleteFromPrimitiveList) || name.starts_with(kSetElementOrder)) continue;
    if (std::ranges::find(keep, json(name)) == keep.end()) return bad;
  }
  for (auto it = target.begin(); it != target.end();) {
    it = std::ranges::find(keep, json(it.key())) == keep.end() ? target.erase(it) : std::next(it);
  }
  return {};
}

Failure Merge::set_orders(json& target, json& patch, const api::TypeInfo* type) {
  std::vector<std::string> names;
  for (const auto& [name, value] : patch.items()) {
    if (name.starts_with(kSetElementOrder)) names.push_back(name);
  }
  for (const auto& name : names) {
    const json order = std::move(patch[name]);
    patch.erase(name);
    if (!name.starts_with(std::string(kSetElementOrder) + "/")) return bad_order_list();
    if (auto failure = set_order(target, patch, name.substr(kSetElementOrder.size() + 1), order, type)) return failure;
  }
  return {};
}

/// The order must list what the patch sets, in the order in which the patch sets it. Deletions do not count; a directive behind
/// the last element of the order does, as it does for an API server.
Failure check_order(const json& change, const json& order, const Keys& wanted, std::string_view merge_key) {
  if (order.empty()) return {};
  auto next = wanted.begin();
  for (const auto& element : change) {
    const json* key = &element;
    if (!merge_key.empty()) {
      if (!element.is_object())
        return Error::internal("expected a map[string]interface {}, but received a " + std::string(element.type_name()));
      const auto directive = element.find(kPatch);
      if (directive != element.end() && (*directive == "delete" || next != wanted.end())) continue;
      const auto found = element.find(merge_key);
      if (next != wanted.end() && found == element.end()) return no_merge_key(element, merge_key);
      key = found == element.end() ? nullptr : &*found;
    }
    next = key == nullptr ? wanted.end() : std::find(next, wanted.end(), *key);
    if (next == wanted.end()) {
      return Error::internal("The order in patch list:\n" + spelled(change) + "\n doesn't match $setElementOrder list:\n" +
                             spelled(order) + "\n");
    }
    ++next;
  }
  return {};
}

/// The patch's part of the list (if any) is merged here and taken out of the patch.
Failure Merge::set_order(json& target, json& patch, const std::string& name, const json& order, const api::TypeInfo* type) {
  const auto in_patch = patch.find(name);
  const auto in_target = target.find(name);
  json change = in_patch != patch.end() ? std::move(*in_patch) : json::array();
  json elements = in_target != target.end() && !in_target->is_null() ? *in_target : json::array();
  for (const json* part : {&order, static_cast<const json*>(&change), static_cast<const json*>(&elements)}) {
    if (!part->is_array()) return Error::internal("expected a []interface {}, but received a " + std::string(part->type_name()));
  }
  const Member info = member_of(type, name);
  if (!info.known) return Error::internal("unable to find api field for the json field \"" + name + "\"");

  auto wanted = keys_of(order, info.merge_key);
  if (!wanted) return wanted.error();
  if (auto failure = check_order(change, order, *wanted, info.merge_key)) return failure;
  const bool patched = in_patch != patch.end();
  if (patched) patch.erase(in_patch);
  if (elements.empty() && change.empty()) return {};

  const json given = info.merge_key.empty() ? elements : json();
  auto before = keys_of(elements, info.merge_key);
  if (!before) return before.error();
  if (elements.empty()) {
    settle(change, true, info.type);
    elements = std::move(change);
  } else if (patched) {
    if (info.merges) {
      if (auto failure = list(elements, std::move(change), info, &*before)) return failure;
    } else {
      settle(change, false, info.type);
      elements = std::move(change);
    }
  }
  if (info.merge_key.empty()) {
    for (const json* list : {static_cast<const json*>(&elements), &given}) {
      if (!list->empty() && list->front().is_object()) return no_merge_key(list->front(), "");
    }
  }
  const auto keys = keys_of(elements, info.merge_key);
  if (!keys) return keys.error();
  target[name] = ordered(std::move(elements), *keys, *wanted, *before);
  return {};
}

/// Merges a list that is a set or keyed. What the patch names comes in the patch's order.
/// `slots`: the keys of the list as it was, which API servers overwrite while they delete and append, and then take for the order
/// that the list had before: elements that go make room for those that come.
Failure Merge::list(json& target, json&& patch, const Member& info, Keys* slots) {
  if (target.empty() && patch.empty()) return {};
  if (auto failure = check_elements(target, patch)) return failure;
  const json& sample = target.empty() ? patch.front() : target.front();
  Keys before;
  Keys wanted;
  if (sample.is_object()) {
    if (info.merge_key.empty()) return Error::internal("cannot merge lists without merge key for map");
    if (auto failure = keyed_list(target, std::move(patch), info, before, wanted, slots)) return failure;
  } else {
    if (!info.merge_key.empty())
      return Error::internal("expected a map[string]interface {}, but received a " + std::string(sample.type_name()));
    before.assign(target.begin(), target.end());
    wanted.assign(patch.begin(), patch.end());
    json merged = json::array();
    for (json* part : {&target, &patch}) {
      for (auto& element : *part) {
        if (std::ranges::find(merged, element) == merged.end()) merged.push_back(std::move(element));
      }
    }
    target = std::move(merged);
  }
  const auto keys = keys_of(target, info.merge_key);
  if (!keys) return keys.error();
  target = ordered(std::move(target), *keys, wanted, before);
  return {};
}

Failure Merge::keyed_list(json& target, json&& patch, const Member& info, Keys& before, Keys& wanted, Keys* slots) {
  json changes = json::array();
  bool replaces = false;
  for (auto& element : patch) {
    const auto directive = element.find(kPatch);
    if (directive == element.end()) {
      changes.push_back(std::move(element));
    } else if (*directive == "delete") {
      const auto key = element.find(info.merge_key);
      if (key == element.end()) return no_merge_key(element, info.merge_key);
      for (std::size_t i = 0; i < target.size();) {
        const auto old_key = target[i].find(info.merge_key);
        if (old_key == target[i].end() || *old_key != *key) {
          ++i;
          continue;
        }
        if (slots != nullptr)
          std::copy(slots->begin() + static_cast<Offset>(i) + 1, slots->begin() + static_cast<Offset>(target.size()),
                    slots->begin() + static_cast<Offset>(i));
        target.erase(i);
      }
    } else if (*directive == "replace") {
      replaces = true;
    } else if (*directive == "merge") {
      return Error::internal("merging lists cannot yet be specified in the patch");
    } else {
      return unknown_patch_type(*directive, element);
    }
  }
  auto keys = keys_of(changes, info.merge_key);
  if (!keys) return keys.error();
  if (replaces) {
    settle(changes, false, info.type);
    target = std::move(changes);
    before = std::move(*keys);
    return {};
  }
  for (const auto& element : target) {
    const auto key = element.find(info.merge_key);
    before.push_back(key == element.end() ? json() : *key);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const json& key = (*keys)[i];
    const auto old = std::ranges::find_if(target, [&](const json& element) {
      const auto found = element.find(info.merge_key);
      return found != element.end() && *found == key;
    });
    if (old == target.end()) {
      settle(changes[i], false, info.element());
      if (slots != nullptr && target.size() < slots->size()) (*slots)[target.size()] = key;
      target.push_back(std::move(changes[i]));
    } else if (auto failure = object(*old, std::move(changes[i]), info.element())) {
      return failure;
    }
  }
  wanted = std::move(*keys);
  return {};
}

}  // namespace

std::optional<Error> apply(json& target, json patch, const api::TypeInfo* type) {
  if (patch.is_null()) return {};
  if (!patch.is_object() || !target.is_object()) {
    return Error::malformed("a strategic merge patch and its target are objects, this is " +
                            std::string(patch.is_object() ? target.type_name() : patch.type_name()));
  }
  return Merge().run(target, std::move(patch), type);
}

base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch, const api::TypeInfo* type) {
  auto tree = parse_tree(target);
  if (!tree) return tree.error();
  auto change = parse_tree(patch);
  if (!change) return change.error();
  if (auto error = apply(*tree, std::move(*change), type)) return *error;
  return tree_text(*tree);
}

}  // namespace kruise::patch::strategic
