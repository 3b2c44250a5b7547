#include "cluster/crd/custom_kind.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cluster/json_path.hpp"
#include "cluster/json_text.hpp"
#include "cluster/metadata.hpp"
#include "cluster/tables/columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// Whether anything but metadata (and status, where that is a resource of its own) differs.
bool spec_differs(const Json& now, const Json& before, bool status_apart) {
  const auto without = [&](const Json& tree) {
    Json rest = tree;
    rest.erase("metadata");
    rest.erase("apiVersion");
    if (status_apart) rest.erase("status");
    return rest;
  };
  return without(now) != without(before);
}

Json cell(const JsonPath& path, const std::string& type, const Json& tree, base::Time now) {
  const std::vector<const Json*> found = path.find(tree);
  if (found.empty() || found.front()->is_null()) return nullptr;
  const Json& value = *found.front();
  if (type == "date") return value.is_string() ? Json(age_of(value.get_ref<const std::string&>(), now)) : Json(nullptr);
  if (type == "integer" || type == "number" || type == "boolean") return value;
  if (found.size() == 1) return value.is_string() ? value : Json(value.dump());
  std::string joined;
  for (const Json* each : found)
    joined += (joined.empty() ? "" : " ") + (each->is_string() ? each->get<std::string>() : each->dump());
  return joined;
}

std::string accessor_error(const std::string& path, const Json& value, std::string_view expected) {
  const std::string_view type = value.is_string()           ? "string"
                                : value.is_boolean()        ? "bool"
                                : value.is_number_integer() ? "int64"
                                : value.is_number()         ? "float64"
                                : value.is_array()          ? "[]interface {}"
                                                            : "map[string]interface {}";
  return path + " accessor error: " + (value.is_string() ? value.get<std::string>() : value.dump()) + " is of the type " +
         std::string(type) + ", expected " + std::string(expected);
}

/// The value at a path of members; null when it is absent, or when something on the way is no object, which is a fault that
/// shows `zero`.
const Json* value_at(const Json& tree, const std::string& path, const Json& zero, FieldErrors& errors) {
  const Json* at = &tree;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t end = std::min(path.find('.', from), path.size());
    if (!at->is_object()) {
      errors.invalid("." + path, zero, accessor_error("." + path, *at, "map[string]interface{}"));
      return nullptr;
    }
    const auto found = at->find(path.substr(from, end - from));
    if (found == at->end()) return nullptr;
    at = &*found;
    from = end + 1;
  }
  return at;
}

/// What a scale subresource reads and writes must be a count, whatever the schema says.
void validate_count(const Json& tree, const std::string& path, FieldErrors& errors) {
  const Json* value = value_at(tree, path, 0, errors);
  if (value == nullptr) return;
  constexpr std::int64_t kCountMax = std::numeric_limits<std::int32_t>::max();
  if (!value->is_number_integer()) {
    errors.invalid("." + path, 0, accessor_error("." + path, *value, "int64"));
  } else if (*value < 0) {
    errors.invalid("." + path, *value, "should be a non-negative integer");
  } else if (*value > kCountMax) {
    errors.invalid("." + path, *value, "should be less than or equal to " + std::to_string(kCountMax));
  }
}

/// In a write to the status the original's words count from there: "replicas in body".
void validate_within_status(const Json& tree, const Schema& schema, FieldErrors& errors) {
  FieldErrors found;
  validate(tree, schema, found);
  for (client::Cause cause : found.causes()) {
    const std::string said = cause.field + " in body";
    const auto at = cause.message.find(said);
    if (cause.field.starts_with("status") && at != std::string::npos)
      cause.message.erase(at, std::min(std::string_view("status.").size(), cause.field.size()));
    errors.append(std::move(cause));
  }
}

std::optional<Json> converted_or_none(const Convert& convert, const Json& tree, const std::string& api_version) {
  try {
    auto made = parse_json(convert(json_text(tree), api_version));
    return made ? std::optional<Json>(std::move(*made)) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

CustomKind::CustomKind(CustomSpec spec, Table& table)
    : Kind(spec.names, spec.traits, table),
      spec_(std::move(spec)),
      field_types_(spec_.schema.get()),
      metadata_(Shape::of(*api::part_type("ObjectMeta"))) {}

std::optional<std::string> CustomKind::coerce(Json& tree, std::vector<std::string>& unknown) const {
  if (auto metadata = tree.find("metadata"); metadata != tree.end()) {
    if (metadata->is_null()) *metadata = Json::object();
    std::vector<std::string> dropped;
    if (const auto error = metadata_.conform(*metadata, dropped)) return error;
    for (const auto& name : dropped) unknown.push_back("metadata." + name);
  }
  if (!spec_.schema) return std::nullopt;
  prune(tree, *spec_.schema, unknown);
  apply_defaults(tree, *spec_.schema);
  return std::nullopt;
}

void CustomKind::to_served(Json& tree) const { convert(tree, names().api_version()); }
void CustomKind::to_stored(Json& tree) const { convert(tree, spec_.stored_api_version); }

void CustomKind::convert(Json& tree, const std::string& api_version) const {
  if (spec_.convert && converted() && text_of(tree, "apiVersion") != api_version) {
    // An object from before its schema cannot be converted: it is shown as it is, and judged when it is written.
    if (auto made = converted_or_none(spec_.convert, tree, api_version)) tree = std::move(*made);
  }
  tree["apiVersion"] = api_version;
}

void CustomKind::set_defaults(Json&) const {}

void CustomKind::prepare_create(Json& tree) const {
  if (traits().status) tree.erase("status");
  tree["metadata"]["generation"] = 1;
}

void CustomKind::prepare_update(Json& now, const Json& before) const {
  if (traits().status) copy_member(now, before, "status");
  if (spec_differs(now, before, traits().status)) {
    now["metadata"]["generation"] = integer_of(before.at("metadata"), "generation", 0) + 1;
  }
}

void CustomKind::prepare_status_update(Json& now, const Json& before) const {
  const std::string api_version(text_of(now, "apiVersion"));
  Json status = member(now, "status") != nullptr ? now.at("status") : Json(nullptr);
  now = before;
  now["apiVersion"] = api_version;
  if (status.is_null()) {
    now.erase("status");
  } else {
    now["status"] = std::move(status);
  }
}

void CustomKind::validate_create(const Json& tree, FieldErrors& errors) const {
  validate_metadata(*this, tree, errors);
  validate_type(tree, errors);
  if (spec_.schema) validate(tree, *spec_.schema, errors);
  validate_scale_spec(tree, errors);
  validate_scale_status(tree, errors);
}

void CustomKind::validate_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {.of_form = 1}, errors);
  validate_type(now, errors);
  if (spec_.schema) validate(now, *spec_.schema, errors);
  validate_scale_spec(now, errors);
  validate_scale_status(now, errors);
}

void CustomKind::validate_status_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {.of_form = 1}, errors);
  if (spec_.schema) validate_within_status(now, *spec_.schema, errors);
  validate_scale_status(now, errors);
}

void CustomKind::validate_type(const Json& tree, FieldErrors& errors) const {
  const std::string kind(text_of(tree, "kind"));
  if (kind != names().kind) errors.invalid("kind", kind, "must be " + names().kind);
}

void CustomKind::validate_scale_spec(const Json& tree, FieldErrors& errors) const {
  if (!traits().scale) return;
  validate_count(tree, scale_paths().spec_replicas, errors);
}

void CustomKind::validate_scale_status(const Json& tree, FieldErrors& errors) const {
  if (!traits().scale) return;
  validate_count(tree, scale_paths().status_replicas, errors);
  const std::string selector = scale_paths().selector;
  if (selector.empty()) return;
  const Json* text = value_at(tree, selector, "", errors);
  if (text != nullptr && !text->is_string()) errors.invalid("." + selector, "", accessor_error("." + selector, *text, "string"));
}

bool CustomKind::is_selectable(std::string_view field) const {
  return field == "metadata.name" || field == "metadata.namespace" ||
         std::ranges::find(spec_.selectable_fields, field) != spec_.selectable_fields.end();
}

std::optional<std::string> CustomKind::selectable(const Object& object, std::string_view field) const {
  const auto found = JsonPath::parse("." + std::string(field)).find(object.tree());
  if (found.empty()) return std::nullopt;
  return found.front()->is_string() ? found.front()->get<std::string>() : found.front()->dump();
}

namespace {

std::string description_of(const Json& column) {
  const std::string_view said = text_of(column, "description");
  return said.empty() ? "What " + std::string(text_of(column, "jsonPath")) + " holds." : std::string(said);
}

}  // namespace

std::vector<Column> CustomKind::columns() const {
  if (!spec_.printer_columns || !spec_.printer_columns->is_array() || spec_.printer_columns->empty()) return {};
  std::vector<Column> columns;
  columns.push_back({.name = "Name",
                     .format = "name",
                     .description = "Name must be unique within a namespace.",
                     .cell = [](const Json& tree, base::Time) { return Json(text_at(tree, {"metadata", "name"})); }});
  for (const Json& declared : *spec_.printer_columns) {
    const std::string type(text_of(declared, "type"));
    columns.push_back({.name = std::string(text_of(declared, "name")),
                       .type = type,
                       .format = std::string(text_of(declared, "format")),
                       .description = description_of(declared),
                       .priority = static_cast<int>(integer_of(declared, "priority", 0)),
                       .cell = [path = JsonPath::parse(text_of(declared, "jsonPath")), type](const Json& tree, base::Time now) {
                         return cell(path, type, tree, now);
                       }});
  }
  return columns;
}

}  // namespace kruise::cluster
