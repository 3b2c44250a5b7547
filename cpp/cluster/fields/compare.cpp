#include "cluster/fields/compare.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"

namespace kruise::cluster::fields {
namespace {

using Form = FieldType::Form;
using Entries = std::vector<FieldSet::Entry>;

enum class Mark : std::uint8_t { kNone, kAdded, kModified, kRemoved };

/// The entries of one level, gathered while it is walked.
struct Level {
  Entries added, modified, removed;
};

const Json::object_t* object_in(const Json* value) {
  return value != nullptr && value->is_object() ? &value->get_ref<const Json::object_t&>() : nullptr;
}
const Json::array_t* array_in(const Json* value) {
  return value != nullptr && value->is_array() ? &value->get_ref<const Json::array_t&>() : nullptr;
}

FieldSetPtr sealed(Entries&& entries) { return make_set(std::move(entries)); }

FieldSetPtr sorted(Entries&& entries) {
  std::ranges::sort(entries, {}, &FieldSet::Entry::key);
  return make_set(std::move(entries));
}

void put(Level& level, Mark mark, Level&& below, bool in_order, const auto& make_key) {
  const auto seal = [&](Entries& entries) { return in_order ? sealed(std::move(entries)) : sorted(std::move(entries)); };
  FieldSetPtr added = seal(below.added);
  FieldSetPtr modified = seal(below.modified);
  FieldSetPtr removed = seal(below.removed);
  if (added || mark == Mark::kAdded) level.added.push_back({make_key(), mark == Mark::kAdded, std::move(added)});
  if (modified || mark == Mark::kModified) level.modified.push_back({make_key(), mark == Mark::kModified, std::move(modified)});
  if (removed || mark == Mark::kRemoved) level.removed.push_back({make_key(), mark == Mark::kRemoved, std::move(removed)});
}

Mark mark_of(const Json* before, const Json* after) {
  if (before == nullptr) return Mark::kAdded;
  return after == nullptr ? Mark::kRemoved : Mark::kNone;
}

Mark mark_of_leaf(const Json* before, const Json* after) {
  const Mark mark = mark_of(before, after);
  return mark == Mark::kNone && *before != *after ? Mark::kModified : mark;
}

/// A list's elements go by the order of their keys only when they are sorted afterwards.
bool in_order_below(Form form) { return form == Form::kObject; }

Mark walk(const Json* before, const Json* after, const FieldType& type, Level& below, Form& form);

void walk_part(const Json* before, const Json* after, const FieldType& type, Level& level, const auto& make_key) {
  Level below;
  Form form = Form::kLeaf;
  const Mark mark = walk(before, after, type, below, form);
  if (mark == Mark::kNone && below.added.empty() && below.modified.empty() && below.removed.empty()) return;
  put(level, mark, std::move(below), in_order_below(form), make_key);
}

void walk_members(const Json::object_t* before, const Json::object_t* after, const FieldType& type, Level& level) {
  static const Json::object_t kNone;
  auto left = (before != nullptr ? *before : kNone).begin();
  const auto left_end = (before != nullptr ? *before : kNone).end();
  auto right = (after != nullptr ? *after : kNone).begin();
  const auto right_end = (after != nullptr ? *after : kNone).end();
  auto field = type.fields.begin();
  while (left != left_end || right != right_end) {
    const int order = left == left_end ? 1 : right == right_end ? -1 : left->first.compare(right->first);
    const std::string& name = order <= 0 ? left->first : right->first;
    while (field != type.fields.end() && field->name < name) ++field;
    const FieldType& part = field != type.fields.end() && field->name == name ? *field->type : type.item();
    walk_part(order <= 0 ? &left->second : nullptr, order >= 0 ? &right->second : nullptr, part, level,
              [&] { return member_key(name); });
    if (order <= 0) ++left;
    if (order >= 0) ++right;
  }
}

const Json* key_value(const Json& element, const FieldType::ListKey& key) {
  const auto found = element.find(key.name);
  return found == element.end() ? nullptr : &*found;
}

/// Whether both name the same element; what names neither is told apart by the slow way.
bool same_element(const Json& a, const Json& b, const FieldType& list) {
  if (list.form == Form::kSet) return a == b;
  if (!a.is_object() || !b.is_object()) return false;
  return std::ranges::all_of(list.keys, [&](const FieldType::ListKey& key) {
    const Json* left = key_value(a, key);
    const Json* right = key_value(b, key);
    return left != nullptr && right != nullptr && *left == *right;
  });
}

struct Elements {
  std::vector<const Json*> before, after;
};

/// Elements of one key: several are no element of their own, only the fact that there are several.
void walk_elements(const std::string& key, const Elements& elements, const FieldType& list, Level& level) {
  const auto one = [](const std::vector<const Json*>& all) { return all.empty() ? nullptr : all.front(); };
  const auto make_key = [&] { return key; };
  if (elements.before.size() <= 1 && elements.after.size() <= 1) {
    walk_part(one(elements.before), one(elements.after), list.item(), level, make_key);
    return;
  }
  const auto equal_lists = [&] {
    return std::ranges::equal(elements.before, elements.after, [](const Json* a, const Json* b) { return *a == *b; });
  };
  if (elements.before.size() > 1 && elements.after.size() > 1) {
    if (!equal_lists()) level.modified.push_back({key, true, nullptr});
  } else if (elements.before.size() > 1) {
    if (!elements.after.empty()) walk_part(nullptr, one(elements.after), list.item(), level, make_key);
    level.removed.push_back({key, true, nullptr});
  } else {
    if (!elements.before.empty()) walk_part(one(elements.before), nullptr, list.item(), level, make_key);
    level.added.push_back({key, true, nullptr});
  }
}

bool aligned(const Json::array_t& before, const Json::array_t& after, const FieldType& list) {
  if (before.size() != after.size()) return false;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!same_element(before[i], after[i], list)) return false;
  }
  return true;
}

bool has_twins(const Json::array_t& items, const FieldType& list) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same_element(items[i], items[j], list)) return true;
    }
  }
  return false;
}

void walk_list(const Json::array_t* before, const Json::array_t* after, const FieldType& list, Level& level) {
  constexpr std::size_t kFewItems = 32;
  if (before != nullptr && after != nullptr && before->size() <= kFewItems && aligned(*before, *after, list) &&
      !has_twins(*after, list)) {
    for (std::size_t i = 0; i < before->size(); ++i) {
      walk_part(&(*before)[i], &(*after)[i], list.item(), level, [&] { return element_key((*after)[i], list); });
    }
    return;
  }
  std::map<std::string, Elements> all;
  const auto gather = [&](const Json::array_t* items, std::vector<const Json*> Elements::* side) {
    if (items == nullptr) return;
    for (const Json& item : *items) {
      if (std::string key = element_key(item, list); !key.empty()) (all[std::move(key)].*side).push_back(&item);
    }
  };
  gather(before, &Elements::before);
  gather(after, &Elements::after);
  for (const auto& [key, elements] : all) walk_elements(key, elements, list, level);
}

/// What is below goes to `below`; what became of the value itself is returned. One of the two is there.
Mark walk(const Json* before, const Json* after, const FieldType& type, Level& below, Form& form) {
  const Form left = type.form_of(before);
  const Form right = type.form_of(after);
  form = before == nullptr ? right : after == nullptr ? left : std::max(left, right);
  if (before != nullptr && after != nullptr && left != right) {
    // An object took the place of something else, or the other way round.
    walk_members(object_in(before), object_in(after), type, below);
    return Mark::kModified;
  }
  if (form == Form::kLeaf) return mark_of_leaf(before, after);
  if (form == Form::kObject) {
    const auto* was = object_in(before);
    const auto* is = object_in(after);
    if ((was == nullptr || was->empty()) && (is == nullptr || is->empty())) return mark_of_leaf(before, after);
    walk_members(was, is, type, below);
  } else {
    const auto* was = array_in(before);
    const auto* is = array_in(after);
    if ((was == nullptr || was->empty()) && (is == nullptr || is->empty())) return mark_of_leaf(before, after);
    walk_list(was, is, type, below);
  }
  return mark_of(before, after);
}

/// The fields below a value; `self` is set where the value itself is a field.
FieldSetPtr set_fields(const Json& value, const FieldType& type, bool& self) {
  const Form form = type.form_of(&value);
  self = form == Form::kLeaf;
  Entries entries;
  if (form == Form::kObject && value.is_object()) {
    for (const auto& [name, part] : value.get_ref<const Json::object_t&>()) {
      bool member = false;
      FieldSetPtr below = set_fields(part, type.member(name), member);
      member = member || part.is_null() || (part.is_object() && part.empty()) || type.declared(name) == nullptr;
      if (member || below) entries.push_back({member_key(name), member, std::move(below)});
    }
    return sealed(std::move(entries));
  }
  if ((form != Form::kSet && form != Form::kKeyed) || !value.is_array()) return nullptr;
  for (const Json& item : value) {
    std::string key = element_key(item, type);
    if (key.empty()) continue;
    bool ignored = false;
    FieldSetPtr below = set_fields(item, type.item(), ignored);
    const auto known = std::ranges::find(entries, key, &FieldSet::Entry::key);
    if (known == entries.end()) {
      entries.push_back({std::move(key), true, std::move(below)});
    } else {
      known->below = nullptr;  // twice: no element of its own
    }
  }
  return sorted(std::move(entries));
}

}  // namespace

std::string element_key(const Json& element, const FieldType& list) {
  if (list.form == Form::kSet) return element.is_null() || element.is_structured() ? std::string() : "v:" + json_text(element);
  if (!element.is_object()) return {};
  std::string key = "k:{";
  for (const auto& name : list.keys) {
    const Json* value = key_value(element, name);
    if (value == nullptr && name.fallback.empty()) return {};
    if (key.size() > 3) key += ',';
    base::append_json_string(key, name.name);
    key += ':';
    if (value != nullptr) {
      append_json(key, *value);
    } else {
      key += name.fallback;
    }
  }
  return key + "}";
}

Changes compare(const Json& before, const Json& after, const FieldType& type) {
  Level level;
  Form form = Form::kLeaf;
  static_cast<void>(walk(&before, &after, type, level, form));
  return {sealed(std::move(level.added)), sealed(std::move(level.modified)), sealed(std::move(level.removed))};
}

FieldSetPtr fields_of(const Json& value, const FieldType& type) {
  bool self = false;
  return set_fields(value, type, self);
}

}  // namespace kruise::cluster::fields
