#include "cluster/crd/schema.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr int kDepthMax = 64;

/// Thrown within this file only, to unwind the recursion.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Schema::Type type_of(const Json& openapi, const std::string& path) {
  if (bool_of(openapi, "x-kubernetes-int-or-string")) return Schema::Type::kIntOrString;
  const auto name = text_of(openapi, "type");
  if (name.empty()) return Schema::Type::kAny;
  if (name == "object") return Schema::Type::kObject;
  if (name == "array") return Schema::Type::kArray;
  if (name == "string") return Schema::Type::kString;
  if (name == "integer") return Schema::Type::kInteger;
  if (name == "number") return Schema::Type::kNumber;
  if (name == "boolean") return Schema::Type::kBoolean;
  throw Fault(path + ": unknown type \"" + std::string(name) + "\"");
}

std::optional<std::int64_t> limit(const Json& openapi, std::string_view name) {
  const Json* value = member(openapi, name);
  return value != nullptr && value->is_number_integer() ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::optional<double> bound(const Json& openapi, std::string_view name) {
  const Json* value = member(openapi, name);
  return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

std::vector<std::string> texts(const Json* list) {
  std::vector<std::string> out;
  if (list == nullptr || !list->is_array()) return out;
  for (const Json& item : *list) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

Schema::Ptr compile_at(const Json& openapi, const std::string& path, int depth) {
  if (!openapi.is_object()) throw Fault(path + ": a schema must be an object");
  if (depth > kDepthMax) throw Fault(path + ": nested more than " + std::to_string(kDepthMax) + " levels deep");
  auto schema = std::make_shared<Schema>();
  schema->type = type_of(openapi, path);
  if (const Json* properties = member(openapi, "properties")) {
    for (const auto& [name, property] : properties->items())
      schema->properties.emplace(name, compile_at(property, child(path, name), depth + 1));
  }
  if (const Json* additional = member(openapi, "additionalProperties")) {
    if (additional->is_object()) schema->additional = compile_at(*additional, path + ".*", depth + 1);
    if (additional->is_boolean() && additional->get<bool>()) {
      auto anything = std::make_shared<Schema>();
      anything->preserve_unknown = true;
      schema->additional = std::move(anything);
    }
  }
  if (const Json* items = member(openapi, "items")) schema->items = compile_at(*items, path + "[]", depth + 1);
  schema->required = texts(member(openapi, "required"));
  if (const Json* value = member(openapi, "default")) schema->default_value = std::make_shared<const Json>(*value);
  if (const Json* values = member(openapi, "enum")) schema->enum_values = std::make_shared<const Json>(*values);
  schema->minimum = bound(openapi, "minimum");
  schema->maximum = bound(openapi, "maximum");
  schema->exclusive_minimum = bool_of(openapi, "exclusiveMinimum");
  schema->exclusive_maximum = bool_of(openapi, "exclusiveMaximum");
  schema->length_min = limit(openapi, "minLength");
  schema->length_max = limit(openapi, "maxLength");
  schema->items_min = limit(openapi, "minItems");
  schema->items_max = limit(openapi, "maxItems");
  schema->properties_min = limit(openapi, "minProperties");
  schema->properties_max = limit(openapi, "maxProperties");
  schema->pattern = text_of(openapi, "pattern");
  if (!schema->pattern.empty()) {
    try {
      schema->pattern_regex = std::make_shared<const std::regex>(schema->pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      throw Fault(path + ".pattern: " + error.what());
    }
  }
  schema->format = text_of(openapi, "format");
  schema->unique_items = bool_of(openapi, "uniqueItems");
  schema->nullable = bool_of(openapi, "nullable");
  schema->preserve_unknown = bool_of(openapi, "x-kubernetes-preserve-unknown-fields");
  schema->embedded_resource = bool_of(openapi, "x-kubernetes-embedded-resource");
  schema->map_atomic = text_of(openapi, "x-kubernetes-map-type") == "atomic";
  const auto list_type = text_of(openapi, "x-kubernetes-list-type");
  schema->list_type = list_type == "set"   ? Schema::ListType::kSet
                      : list_type == "map" ? Schema::ListType::kMap
                                           : Schema::ListType::kAtomic;
  schema->list_keys = texts(member(openapi, "x-kubernetes-list-map-keys"));
  return schema;
}

void prune_at(Json& value, const Schema& schema, bool resource, const std::string& path, std::vector<std::string>& unknown) {
  if (value.is_array()) {
    if (!schema.items) return;
    std::size_t i = 0;
    for (Json& item : value) prune_at(item, *schema.items, schema.items->embedded_resource, index(path, i++), unknown);
    return;
  }
  if (!value.is_object()) return;
  auto& members = value.get_ref<Json::object_t&>();
  for (auto at = members.begin(); at != members.end();) {
    const std::string& name = at->first;
    const bool typed = resource && (name == "apiVersion" || name == "kind" || name == "metadata");
    if (const auto property = schema.properties.find(name); property != schema.properties.end()) {
      if (!(resource && name == "metadata"))
        prune_at(at->second, *property->second, property->second->embedded_resource, child(path, name), unknown);
    } else if (!typed && schema.additional) {
      prune_at(at->second, *schema.additional, schema.additional->embedded_resource, child(path, name), unknown);
    } else if (!typed && !schema.preserve_unknown) {
      unknown.push_back(child(path, name));
      at = members.erase(at);
      continue;
    }
    ++at;
  }
}

void default_at(Json& value, const Schema& schema) {
  if (value.is_array() && schema.items) {
    for (Json& item : value) {
      if (item.is_null() && !schema.items->nullable && schema.items->default_value) item = *schema.items->default_value;
      default_at(item, *schema.items);
    }
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, property] : schema.properties) {
    auto found = value.find(name);
    if (found != value.end() && found->is_null() && !property->nullable) {
      value.erase(found);
      found = value.end();
    }
    if (found == value.end() && property->default_value) {
      value[name] = *property->default_value;
      found = value.find(name);
    }
    if (found != value.end()) default_at(*found, *property);
  }
  if (!schema.additional) return;
  for (auto& [name, item] : value.items()) {
    if (!schema.properties.contains(name)) default_at(item, *schema.additional);
  }
}

}  // namespace

base::Result<Schema::Ptr, std::string> Schema::compile(const Json& openapi) {
  try {
    return compile_at(openapi, "", 0);
  } catch (const Fault& fault) {
    return std::string(fault.what());
  }
}

void prune(Json& tree, const Schema& schema, std::vector<std::string>& unknown) { prune_at(tree, schema, true, "", unknown); }
void apply_defaults(Json& tree, const Schema& schema) { default_at(tree, schema); }

}  // namespace kruise::cluster
