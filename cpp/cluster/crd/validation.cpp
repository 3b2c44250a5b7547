#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_writer.hpp"
#include "base/time.hpp"
#include "cluster/crd/schema.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

using Type = Schema::Type;

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kObject:
      return "object";
    case Type::kArray:
      return "array";
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kNumber:
      return "number";
    case Type::kBoolean:
      return "boolean";
    default:
      return "";
  }
}

std::string_view type_name(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  if (value.is_array()) return "array";
  return value.is_null() ? "null" : "object";
}

bool has_type(const Json& value, Type type) {
  switch (type) {
    case Type::kAny:
      return true;
    case Type::kObject:
      return value.is_object();
    case Type::kArray:
      return value.is_array();
    case Type::kString:
      return value.is_string();
    case Type::kInteger:
      return value.is_number_integer() || (value.is_number() && std::floor(value.get<double>()) == value.get<double>());
    case Type::kNumber:
      return value.is_number();
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kIntOrString:
      return value.is_number_integer() || value.is_string();
  }
  return false;
}

std::string in_body(const std::string& path, std::string_view what) { return path + " in body " + std::string(what); }

std::string number_text(double value) {
  return std::floor(value) == value && std::abs(value) < 1e15 ? std::to_string(static_cast<std::int64_t>(value))
                                                              : Json(value).dump();
}

std::int64_t count_runes(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void validate_number(const Json& value, const Schema& schema, const std::string& path, FieldErrors& errors) {
  const auto number = value.get<double>();
  if (schema.minimum && (schema.exclusive_minimum ? number <= *schema.minimum : number < *schema.minimum)) {
    errors.invalid(path, value,
                   in_body(path, (schema.exclusive_minimum ? "should be greater than " : "should be greater than or equal to ") +
                                     number_text(*schema.minimum)));
  }
  if (schema.maximum && (schema.exclusive_maximum ? number >= *schema.maximum : number > *schema.maximum)) {
    errors.invalid(path, value,
                   in_body(path, (schema.exclusive_maximum ? "should be less than " : "should be less than or equal to ") +
                                     number_text(*schema.maximum)));
  }
}

void validate_string(const Json& value, const Schema& schema, const std::string& path, FieldErrors& errors) {
  const auto& text = value.get_ref<const std::string&>();
  if (schema.length_max && count_runes(text) > *schema.length_max)
    errors.too_long(path, static_cast<std::size_t>(*schema.length_max));
  if (schema.length_min && count_runes(text) < *schema.length_min) {
    errors.invalid(path, value, in_body(path, "should be at least " + std::to_string(*schema.length_min) + " chars long"));
  }
  if (schema.pattern_regex && !std::regex_search(text, *schema.pattern_regex)) {
    errors.invalid(path, value, in_body(path, "should match '" + schema.pattern + "'"));
  }
  if (schema.format == "date-time" && !base::parse_time(text)) {
    errors.invalid(path, value, in_body(path, "must be of type date-time: " + shown(value)));
  }
}

void validate_list_type(const Json& list, const Schema& schema, const std::string& path, FieldErrors& errors) {
  if (schema.list_type == Schema::ListType::kAtomic && !schema.unique_items) return;
  std::set<std::string> seen;
  std::size_t i = 0;
  for (const Json& item : list) {
    Json key = item;
    if (schema.list_type == Schema::ListType::kMap) {
      key = Json::object();
      for (const auto& name : schema.list_keys) {
        if (const Json* part = member(item, name)) key[name] = *part;
      }
    }
    if (!seen.insert(json_text(key)).second) errors.duplicate(index(path, i), key);
    ++i;
  }
}

void validate_at(const Json& value, const Schema& schema, const std::string& path, bool resource, FieldErrors& errors);

void validate_list(const Json& list, const Schema& schema, const std::string& path, FieldErrors& errors) {
  const auto count = static_cast<std::int64_t>(list.size());
  if (schema.items_max && count > *schema.items_max)
    errors.too_many(path, list.size(), static_cast<std::size_t>(*schema.items_max));
  if (schema.items_min && count < *schema.items_min) {
    errors.invalid(path, count, in_body(path, "should have at least " + std::to_string(*schema.items_min) + " items"));
  }
  if (schema.items) {
    std::size_t i = 0;
    for (const Json& item : list) validate_at(item, *schema.items, index(path, i++), schema.items->embedded_resource, errors);
  }
  validate_list_type(list, schema, path, errors);
}

void validate_object(const Json& object, const Schema& schema, const std::string& path, bool resource, FieldErrors& errors) {
  const auto count = static_cast<std::int64_t>(object.size());
  if (schema.properties_max && count > *schema.properties_max)
    errors.too_many(path, object.size(), static_cast<std::size_t>(*schema.properties_max));
  if (schema.properties_min && count < *schema.properties_min) {
    errors.invalid(path, count, in_body(path, "should have at least " + std::to_string(*schema.properties_min) + " properties"));
  }
  for (const auto& name : schema.required) {
    if (!object.contains(name)) errors.required(child(path, name), "");
  }
  for (const auto& [name, item] : object.get_ref<const Json::object_t&>()) {
    if (resource && name == "metadata") continue;
    if (const auto property = schema.properties.find(name); property != schema.properties.end()) {
      validate_at(item, *property->second, child(path, name), property->second->embedded_resource, errors);
    } else if (schema.additional) {
      validate_at(item, *schema.additional, child(path, name), schema.additional->embedded_resource, errors);
    }
  }
}

void validate_at(const Json& value, const Schema& schema, const std::string& path, bool resource, FieldErrors& errors) {
  if (value.is_null() && schema.nullable) return;
  if (!has_type(value, schema.type)) {
    const std::string said = "\"" + std::string(type_name(value)) + "\"";
    const std::string wanted(schema.type == Type::kIntOrString ? "integer,string" : type_name(schema.type));
    errors.type_invalid(path, std::string(type_name(value)), in_body(path, "must be of type " + wanted + ": ") + said);
    return;
  }
  if (schema.enum_values && std::ranges::find(*schema.enum_values, value) == schema.enum_values->end()) {
    std::vector<std::string> supported;
    for (const Json& allowed : *schema.enum_values)
      supported.push_back(allowed.is_string() ? allowed.get<std::string>() : allowed.dump());
    errors.not_supported(path, value, supported);
  }
  if (value.is_number()) validate_number(value, schema, path, errors);
  if (value.is_string()) validate_string(value, schema, path, errors);
  if (value.is_array()) validate_list(value, schema, path, errors);
  if (value.is_object()) validate_object(value, schema, path, resource, errors);
}

}  // namespace

void validate(const Json& tree, const Schema& schema, FieldErrors& errors) { validate_at(tree, schema, "", true, errors); }

}  // namespace kruise::cluster
