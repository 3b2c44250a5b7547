#include "cluster/field_set.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kSelf = ".";

std::string field_key(std::string_view name) { return "f:" + std::string(name); }
std::string element_key(const Json& key) { return "k:" + json_text(key); }
std::string value_key(const Json& value) { return "v:" + json_text(value); }

bool leaf(const Json& set) { return set.empty() || (set.size() == 1 && set.contains(kSelf)); }

/// The element of a list that a key ("k:..." or "v:...") names; end when there is none.
Json::iterator find_element(Json& list, const std::string& key, const TypeNode& type) {
  return std::find_if(list.begin(), list.end(), [&](const Json& element) {
    return key.starts_with("k:") ? element_key(type.key_of(element)) == key : value_key(element) == key;
  });
}

/// The part of `value` that a key of a field set names; null when there is none.
const Json* part_of(const Json& value, const std::string& key, const TypeNode& type) {
  if (key.starts_with("f:")) return member(value, std::string_view(key).substr(2));
  if (!value.is_array()) return nullptr;
  for (const Json& element : value) {
    if (key == (key.starts_with("k:") ? element_key(type.key_of(element)) : value_key(element))) return &element;
  }
  return nullptr;
}

TypeNode type_below(const TypeNode& type, const std::string& key) {
  return key.starts_with("f:") ? type.child(std::string_view(key).substr(2)) : type.item();
}

/// ".spec", "[name=\"main\"]"
std::string shown_key(const std::string& key) {
  if (key.starts_with("f:")) return "." + key.substr(2);
  if (key.starts_with("v:")) return "[=" + key.substr(2) + "]";
  std::string shown = "[";
  const auto keys = parse_json(std::string_view(key).substr(2));
  if (!keys) return key;
  for (const auto& [name, value] : keys->items()) shown += (shown.size() > 1 ? "," : "") + name + "=" + json_text(value);
  return shown + "]";
}

void find_differing(const Json& fields, const Json& others, const Json* live, const Json& config, const TypeNode& type,
                    const std::string& path, std::vector<std::string>& out) {
  for (const auto& [key, below] : fields.items()) {
    if (key == kSelf || !others.contains(key)) continue;
    const Json* wanted = part_of(config, key, type);
    const Json* has = live != nullptr ? part_of(*live, key, type) : nullptr;
    if (wanted == nullptr) continue;
    const Json& theirs = others.at(key);
    const std::string at = path + shown_key(key);
    if (leaf(below) || leaf(theirs)) {
      if (!key.starts_with("k:") && (has == nullptr || *has != *wanted)) out.push_back(at);
    } else {
      find_differing(below, theirs, has, *wanted, type_below(type, key), at, out);
    }
  }
}

}  // namespace

TypeNode TypeNode::core(const api::TypeInfo* type) {
  TypeNode node;
  node.core_ = type;
  return node;
}

TypeNode TypeNode::custom(const Schema* schema) {
  TypeNode node;
  node.custom_ = schema;
  node.custom_root_ = true;
  return node;
}

TypeNode::Merge TypeNode::merge_of(const Json& value) const {
  if (value.is_object()) return field_ != nullptr && field_->topology == api::Topology::kAtomic ? Merge::kAtomic : Merge::kObject;
  if (!value.is_array()) return Merge::kAtomic;
  if (custom_ != nullptr) {
    switch (custom_->list_type) {
      case Schema::ListType::kSet:
        return Merge::kSet;
      case Schema::ListType::kMap:
        return Merge::kKeyed;
      default:
        return Merge::kAtomic;
    }
  }
  if (field_ == nullptr) return Merge::kAtomic;
  if (field_->topology == api::Topology::kSet) return Merge::kSet;
  return field_->topology == api::Topology::kMap && !field_->list_keys().empty() ? Merge::kKeyed : Merge::kAtomic;
}

TypeNode TypeNode::child(std::string_view name) const {
  TypeNode node;
  if (custom_root_ && name == "metadata") return core(api::part_type("ObjectMeta"));
  if (custom_ != nullptr) {
    const auto property = custom_->properties.find(name);
    node.custom_ = property != custom_->properties.end() ? property->second.get() : custom_->additional.get();
  } else if (core_ != nullptr) {
    node.field_ = core_->field(name);
    node.core_ = node.field_ != nullptr ? node.field_->type : core_->element;
  }
  return node;
}

TypeNode TypeNode::item() const {
  TypeNode node;
  if (custom_ != nullptr) node.custom_ = custom_->items.get();
  if (core_ != nullptr) node.core_ = core_->element;
  return node;
}

Json TypeNode::key_of(const Json& element) const {
  Json key = Json::object();
  const auto add = [&](std::string_view name) {
    if (const Json* value = member(element, name)) key[std::string(name)] = *value;
  };
  if (custom_ != nullptr) {
    for (const auto& name : custom_->list_keys) add(name);
  } else if (field_ != nullptr) {
    for (const auto name : field_->list_keys()) add(name);
  }
  return key;
}

Json fields_of(const Json& value, const TypeNode& type) {
  Json set = Json::object();
  switch (type.merge_of(value)) {
    case TypeNode::Merge::kObject:
      for (const auto& [name, below] : value.items()) set[field_key(name)] = fields_of(below, type.child(name));
      break;
    case TypeNode::Merge::kKeyed:
      for (const Json& element : value) {
        Json below = fields_of(element, type.item());
        below[std::string(kSelf)] = Json::object();
        set[element_key(type.key_of(element))] = std::move(below);
      }
      break;
    case TypeNode::Merge::kSet:
      for (const Json& element : value) set[value_key(element)] = Json::object();
      break;
    case TypeNode::Merge::kAtomic:
      break;
  }
  return set;
}

Json fields_without(const Json& a, const Json& b) {
  Json rest = Json::object();
  for (const auto& [key, below] : a.items()) {
    if (!b.contains(key)) {
      rest[key] = below;
    } else if (!leaf(below) && !leaf(b.at(key))) {
      if (Json deeper = fields_without(below, b.at(key)); !deeper.empty()) rest[key] = std::move(deeper);
    }
  }
  return rest;
}

void merge_fields(Json& live, const Json& config, const TypeNode& type) {
  const TypeNode::Merge merge = type.merge_of(config);
  if (merge == TypeNode::Merge::kObject && live.is_object()) {
    for (const auto& [name, value] : config.items()) {
      if (live.contains(name)) {
        merge_fields(live[name], value, type.child(name));
      } else {
        live[name] = value;
      }
    }
  } else if ((merge == TypeNode::Merge::kKeyed || merge == TypeNode::Merge::kSet) && live.is_array()) {
    for (const Json& element : config) {
      const std::string key = merge == TypeNode::Merge::kKeyed ? element_key(type.key_of(element)) : value_key(element);
      if (const auto found = find_element(live, key, type); found == live.end()) {
        live.push_back(element);
      } else if (merge == TypeNode::Merge::kKeyed) {
        merge_fields(*found, element, type.item());
      }
    }
  } else {
    live = config;
  }
}

void remove_fields(Json& live, const Json& fields, const TypeNode& type) {
  for (const auto& [key, below] : fields.items()) {
    if (key == kSelf) continue;
    if (key.starts_with("f:")) {
      const auto found = live.is_object() ? live.find(key.substr(2)) : live.end();
      if (!live.is_object() || found == live.end()) continue;
      if (!below.empty()) remove_fields(*found, below, type.child(key.substr(2)));
      if (below.empty() || ((found->is_object() || found->is_array()) && found->empty())) live.erase(found);
      continue;
    }
    if (!live.is_array()) continue;
    const auto found = find_element(live, key, type);
    if (found == live.end()) continue;
    if (below.empty() || below.contains(kSelf)) {
      live.erase(found);
    } else {
      remove_fields(*found, below, type.item());
    }
  }
}

std::vector<std::string> differing_fields(const Json& fields, const Json& others, const Json& live, const Json& config,
                                          const TypeNode& type) {
  std::vector<std::string> out;
  find_differing(fields, others, &live, config, type, "", out);
  return out;
}

}  // namespace kruise::cluster
