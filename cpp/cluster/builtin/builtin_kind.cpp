#include "cluster/builtin/builtin_kind.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/fields/field_type.hpp"
#include "cluster/metadata.hpp"
#include "cluster/tables/builtin_columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// Everything but metadata, status and the type counts as specification.
bool spec_differs(const Json& now, const Json& before) {
  const auto same_members = [](const Json& a, const Json& b) {
    return std::ranges::all_of(a.get_ref<const Json::object_t&>(), [&](const auto& entry) {
      const std::string& name = entry.first;
      if (name == "metadata" || name == "status" || name == "kind" || name == "apiVersion") return true;
      return same(&entry.second, member(b, name));
    });
  };
  return !same_members(now, before) || !same_members(before, now);
}

/// What a status says before anybody wrote it: the zeros that are always written.
Json first_status(const Shape* shape) {
  Json tree = Json::object();
  std::vector<std::string> unknown;
  if (shape != nullptr) static_cast<void>(shape->conform(tree, unknown));
  const Json* status = member(tree, "status");
  return status != nullptr ? *status : Json::object();
}

}  // namespace

BuiltinKind::BuiltinKind(BuiltinSpec spec, Table& table)
    : Kind(std::move(spec.names), spec.traits, table),
      rules_(spec.rules),
      selectable_fields_(std::move(spec.selectable_fields)),
      type_(api::core_type(names().group, names().version, names().kind)),
      shape_(type_ != nullptr ? &Shape::of(*type_) : nullptr),
      first_status_(std::make_shared<const Json>(first_status(shape_))),
      zero_(std::make_shared<const Json>(type_ != nullptr ? fields::zero_of(*type_) : Json::object())) {}

const fields::FieldType& BuiltinKind::field_type() const {
  return type_ != nullptr ? fields::FieldType::of(*type_) : Kind::field_type();
}

std::optional<std::string> BuiltinKind::coerce(Json& tree, std::vector<std::string>& unknown) const {
  if (shape_ == nullptr) return std::nullopt;
  return shape_->conform(tree, unknown);
}

void BuiltinKind::set_defaults(Json& tree) const {
  if (rules_.set_defaults != nullptr) rules_.set_defaults(tree);
}

void BuiltinKind::prepare_create(Json& tree) const {
  if (traits().generation) tree["metadata"]["generation"] = 1;
  if (traits().status && !traits().status_at_birth) tree["status"] = *first_status_;
  if (rules_.prepare_create != nullptr) rules_.prepare_create(tree);
}

void BuiltinKind::prepare_update(Json& now, const Json& before) const {
  if (traits().status) copy_member(now, before, "status");
  if (rules_.prepare_update != nullptr) rules_.prepare_update(now, before);
  if (traits().generation && spec_differs(now, before)) {
    now["metadata"]["generation"] = integer_of(before.at("metadata"), "generation", 0) + 1;
  }
}

void BuiltinKind::prepare_status_update(Json& now, const Json& before) const {
  Json metadata = before.at("metadata");
  Json& wanted = now["metadata"];
  if (traits().status_takes_labels) {
    copy_member(metadata, wanted, "labels");
    copy_member(metadata, wanted, "annotations");
  }
  if (traits().status_takes_metadata) copy_member(metadata, wanted, "finalizers");
  wanted = std::move(metadata);
  auto& members = now.get_ref<Json::object_t&>();
  std::erase_if(members, [&](const auto& entry) {
    return entry.first != "metadata" && entry.first != "status" && !before.contains(entry.first);
  });
  for (const auto& [name, value] : before.get_ref<const Json::object_t&>()) {
    if (name != "metadata" && name != "status") copy_member(now, before, name);
  }
  if (rules_.prepare_status_update != nullptr) rules_.prepare_status_update(now, before);
}

void BuiltinKind::validate_create(const Json& tree, FieldErrors& errors) const {
  validate_metadata(*this, tree, errors);
  if (rules_.validate != nullptr) rules_.validate(tree, errors);
}

void BuiltinKind::validate_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {}, errors);
  if (rules_.validate_update != nullptr) {
    rules_.validate_update(now, before, errors);
  } else if (rules_.validate != nullptr) {
    rules_.validate(now, errors);
  }
}

void BuiltinKind::validate_status_update(const Json& now, const Json& before, FieldErrors& errors) const {
  validate_metadata_update(now, before, {.of_form = 1}, errors);
}

std::vector<Column> BuiltinKind::columns() const { return builtin_columns(names().group, names().plural); }

bool BuiltinKind::keeps_while_deleting(const Json& tree) const {
  return rules_.keeps_while_deleting != nullptr && rules_.keeps_while_deleting(tree);
}

void BuiltinKind::prepare_deletion(Json& tree) const {
  if (rules_.prepare_deletion != nullptr) rules_.prepare_deletion(tree);
}

bool BuiltinKind::is_selectable(std::string_view field) const {
  return field == "metadata.name" || field == "metadata.namespace" ||
         std::ranges::find(selectable_fields_, field) != selectable_fields_.end();
}

std::optional<std::string> BuiltinKind::selectable(const Object& object, std::string_view field) const {
  const Json value = object.value_at(field);
  if (value.is_null()) return std::nullopt;
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace kruise::cluster
