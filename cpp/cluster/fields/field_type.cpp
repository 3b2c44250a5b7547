#include "cluster/fields/field_type.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

namespace kruise::cluster::fields {
namespace {

using Kind = api::TypeInfo::Kind;
using Form = FieldType::Form;

using Scalar = FieldType::Scalar;

const FieldType& leaf(Scalar scalar = Scalar::kAny) {
  static const FieldType types[] = {{.form = Form::kLeaf, .scalar = Scalar::kAny},
                                    {.form = Form::kLeaf, .scalar = Scalar::kString},
                                    {.form = Form::kLeaf, .scalar = Scalar::kNumber},
                                    {.form = Form::kLeaf, .scalar = Scalar::kBoolean}};
  return types[static_cast<std::size_t>(scalar)];
}

Scalar scalar_of(Kind kind) {
  switch (kind) {
    case Kind::kString:
    case Kind::kBytes:
      return Scalar::kString;
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kFloat:
      return Scalar::kNumber;
    case Kind::kBool:
      return Scalar::kBoolean;
    default:
      return Scalar::kAny;
  }
}

/// The value that an element of a list without a key has in its place; members that are always written have one.
std::string key_fallback(const api::FieldInfo* key) {
  if (key == nullptr) return {};
  if (!key->default_json().empty()) return std::string(key->default_json());
  if (key->omit_empty || key->pointer) return {};
  return key->type->kind == Kind::kString ? "\"\"" : scalar_of(key->type->kind) == Scalar::kNumber ? "0" : "";
}

/// Structs that are owned as a whole wherever they stand: the tables say so at the fields that hold one, and an element of a list
/// is no field.
const std::set<const api::TypeInfo*>& atomic_structs() {
  static const std::set<const api::TypeInfo*> types = [] {
    std::set<const api::TypeInfo*> found;
    for (const api::TypeInfo* part : api::core_parts()) {
      for (const auto& field : part->fields) {
        if (field.topology == api::Topology::kAtomic && field.type->kind == Kind::kObject) found.insert(field.type);
      }
    }
    for (const char* name : {"OwnerReference", "NodeSelectorTerm", "TopologySelectorTerm"}) {
      if (const auto* type = api::part_type(name)) found.insert(type);
    }
    return found;
  }();
  return types;
}

/// All types of the tables, compiled when they are first asked for.
class Book {
 public:
  const FieldType& of(const api::TypeInfo& type) {
    const std::lock_guard lock(mutex_);
    return structure(type, atomic_structs().contains(&type));
  }

 private:
  const FieldType& structure(const api::TypeInfo& info, bool atomic) {
    if (atomic) return whole(structure(info, false));
    const auto [slot, fresh] = objects_.try_emplace(&info);
    FieldType& type = slot->second;
    if (!fresh) return type;
    type.form = Form::kObject;
    for (const auto& field : info.fields) type.fields.push_back({std::string(field.name), &field_type(field)});
    std::ranges::sort(type.fields, {}, &FieldType::Field::name);
    return type;
  }

  const FieldType& field_type(const api::FieldInfo& field) {
    const api::TypeInfo& info = *field.type;
    if (info.kind == Kind::kObject) {
      const bool atomic = field.topology == api::Topology::kAtomic ||
                          (field.topology == api::Topology::kUnset && atomic_structs().contains(&info));
      return structure(info, atomic);
    }
    if (info.kind != Kind::kMap && info.kind != Kind::kList) return value_type(info);
    const FieldType& element = value_type(*info.element);
    if (info.kind == Kind::kMap) {
      const FieldType& type = add({.form = Form::kObject, .element = &element});
      return field.topology == api::Topology::kAtomic ? whole(type) : type;
    }
    if (field.topology != api::Topology::kSet && field.topology != api::Topology::kMap)
      return whole(add({.form = Form::kSet, .element = &element}));
    FieldType type{.form = field.topology == api::Topology::kSet ? Form::kSet : Form::kKeyed, .element = &element};
    for (const auto name : field.list_keys()) type.keys.push_back({std::string(name), key_fallback(info.element->field(name))});
    std::ranges::sort(type.keys, {}, &FieldType::ListKey::name);
    return add(std::move(type));
  }

  const FieldType& add(FieldType type) { return collections_.emplace_back(std::move(type)); }
  const FieldType& whole(const FieldType& inside) { return add({.form = Form::kLeaf, .inside = &inside}); }

  const FieldType& value_type(const api::TypeInfo& info) {
    if (info.kind == Kind::kObject) return structure(info, atomic_structs().contains(&info));
    if (info.kind == Kind::kMap) return add({.form = Form::kObject, .element = &value_type(*info.element)});
    if (info.kind == Kind::kList) return whole(add({.form = Form::kSet, .element = &value_type(*info.element)}));
    return leaf(scalar_of(info.kind));
  }

  std::mutex mutex_;  // guards everything below
  std::map<const api::TypeInfo*, FieldType> objects_;
  std::deque<FieldType> collections_;
};

Json zero_value(const api::FieldInfo& field) {
  if (field.pointer) return nullptr;
  switch (field.type->kind) {
    case Kind::kObject:
      return zero_of(*field.type);
    case Kind::kString:
      return "";
    case Kind::kBool:
      return false;
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kFloat:
      return 0;
    default:
      return nullptr;
  }
}

}  // namespace

const FieldType* FieldType::declared(std::string_view name) const {
  const auto at = std::ranges::lower_bound(fields, name, {}, &Field::name);
  return at != fields.end() && at->name == name ? at->type : nullptr;
}

const FieldType& FieldType::member(std::string_view name) const {
  if (const FieldType* type = declared(name)) return *type;
  return item();
}

const FieldType& FieldType::item() const { return element != nullptr ? *element : deduced(); }

FieldType::Form FieldType::form_of(const Json* value) const {
  if (form != Form::kDeduced) return form;
  return value != nullptr && value->is_object() ? Form::kObject : Form::kLeaf;
}

const FieldType& FieldType::deduced() {
  static const FieldType type;
  return type;
}

const FieldType& FieldType::of(const api::TypeInfo& type) {
  static Book book;
  return book.of(type);
}

Json zero_of(const api::TypeInfo& type) {
  Json zero = Json::object();
  for (const auto& field : type.fields) {
    const Kind kind = field.type->kind;
    const bool always =
        kind == Kind::kObject || ((kind == Kind::kTime || kind == Kind::kMicroTime) && field.name != "creationTimestamp");
    const bool written = !field.omit_empty || (!field.pointer && always);
    if (written) zero[std::string(field.name)] = zero_value(field);
  }
  return zero;
}

TypeArena::TypeArena(const Schema* schema) : root_(&FieldType::deduced()) {
  FieldType root_type = schema != nullptr ? compile(*schema) : FieldType{.element = &FieldType::deduced()};
  root_type.form = Form::kObject;
  FieldType& root = types_.emplace_back(std::move(root_type));
  add_identity(root);
  root_ = &root;
}

void TypeArena::add_identity(FieldType& type) {
  std::erase_if(type.fields, [](const FieldType::Field& field) {
    return field.name == "metadata" || field.name == "kind" || field.name == "apiVersion";
  });
  type.fields.push_back({"apiVersion", &leaf()});
  type.fields.push_back({"kind", &leaf()});
  type.fields.push_back({"metadata", &FieldType::of(*api::part_type("ObjectMeta"))});
  std::ranges::sort(type.fields, {}, &FieldType::Field::name);
}

const FieldType& TypeArena::compile(const Schema& schema) {
  switch (schema.type) {
    case Schema::Type::kAny:
      return FieldType::deduced();
    case Schema::Type::kObject: {
      FieldType type{.form = Form::kObject};
      for (const auto& [name, property] : schema.properties) type.fields.push_back({name, &compile(*property)});
      if (schema.additional) {
        type.element = &compile(*schema.additional);
      } else if (schema.preserve_unknown || schema.properties.empty()) {
        type.element = &FieldType::deduced();
      }
      if (schema.embedded_resource) add_identity(type);
      const FieldType& parts = types_.emplace_back(std::move(type));
      return schema.map_atomic ? types_.emplace_back(FieldType{.form = Form::kLeaf, .inside = &parts}) : parts;
    }
    case Schema::Type::kArray: {
      FieldType type{.form = schema.list_type == Schema::ListType::kMap ? Form::kKeyed : Form::kSet};
      type.element = schema.items ? &compile(*schema.items) : nullptr;
      for (const auto& name : schema.list_keys) {
        const auto key = schema.items ? schema.items->properties.find(name) : schema.properties.end();
        const bool has = schema.items && key != schema.items->properties.end() && key->second->default_value;
        type.keys.push_back({name, has ? key->second->default_value->dump() : std::string()});
      }
      std::ranges::sort(type.keys, {}, &FieldType::ListKey::name);
      const FieldType& parts = types_.emplace_back(std::move(type));
      const bool atomic = schema.list_type == Schema::ListType::kAtomic;
      return atomic ? types_.emplace_back(FieldType{.form = Form::kLeaf, .inside = &parts}) : parts;
    }
    case Schema::Type::kString:
      return leaf(Scalar::kString);
    case Schema::Type::kInteger:
    case Schema::Type::kNumber:
      return leaf(Scalar::kNumber);
    case Schema::Type::kBoolean:
      return leaf(Scalar::kBoolean);
    default:
      return leaf();
  }
}

}  // namespace kruise::cluster::fields
