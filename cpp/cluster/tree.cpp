#include "cluster/tree.hpp"

#include <nlohmann/json.hpp>

namespace kruise::cluster {

const Json* member(const Json& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  const auto& members = value.get_ref<const Json::object_t&>();
  const auto found = members.find(name);
  return found == members.end() || found->second.is_null() ? nullptr : &found->second;
}

const Json& object_of(const Json& value, std::string_view name) {
  static const Json kNone = Json::object();
  const Json* found = member(value, name);
  return found != nullptr ? *found : kNone;
}

const Json* member_at(const Json& value, std::initializer_list<std::string_view> path) {
  const Json* at = &value;
  for (const auto name : path) {
    at = member(*at, name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string_view text_of(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : std::string_view{};
}

std::string_view text_at(const Json& value, std::initializer_list<std::string_view> path) {
  const Json* found = member_at(value, path);
  return found != nullptr && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : std::string_view{};
}

std::int64_t integer_of(const Json& value, std::string_view name, std::int64_t otherwise) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_number() ? found->get<std::int64_t>() : otherwise;
}

bool bool_of(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

Json& object_in(Json& value, std::string_view name) {
  if (!value.is_object()) value = Json::object();
  Json& found = value[std::string(name)];
  if (!found.is_object()) found = Json::object();
  return found;
}

void copy_member(Json& to, const Json& from, std::string_view name) {
  const Json* found = member(from, name);
  if (found != nullptr) {
    const Json* has = member(to, name);
    if (has == nullptr || *has != *found) to[std::string(name)] = *found;  // comparing is cheaper than copying
  } else if (to.is_object()) {
    to.erase(std::string(name));
  }
}

bool empty_value(const Json* value) {
  return value == nullptr || value->is_null() || ((value->is_object() || value->is_array()) && value->empty());
}

bool same(const Json* a, const Json* b) {
  if (empty_value(a) || empty_value(b)) return empty_value(a) && empty_value(b);
  return *a == *b;
}

}  // namespace kruise::cluster
