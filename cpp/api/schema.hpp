// What is known of the types of core Kubernetes kinds: tables, generated from
// the schema files of cpp/api/schema.
//
// Readers: patch (merge keys, normal form), cluster (pruning, validation,
// defaults, protobuf bodies, openapi).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kruise::api {

struct TypeInfo;

/// How a list or object counts in server-side apply and in openapi
/// (`x-kubernetes-list-type` and its kin).
enum class Topology : std::uint8_t { kUnset, kAtomic, kSet, kMap, kGranular };

/// What few fields have.
struct FieldExtras {
  std::span<const std::string_view> list_keys;    // of a list of topology kMap: the fields that name an element
  std::span<const std::string_view> enum_values;  // every value allowed, where the type declares them
  std::string_view default_json;                  // filled in when absent; "{}" means an empty
                                                  // object, whose own fields then get theirs
};

struct FieldInfo {
  std::string_view name;  // JSON name
  const TypeInfo* type = nullptr;
  bool pointer = false;            // presence means something, even with a zero value
  bool omit_empty = false;         // absent when zero; otherwise it is always written
  bool inlined = false;            // never set here: inlined members are listed as fields
                                   // of their own
  bool patch_merge = false;        // strategic merge: lists merge (by `merge_key`, or
                                   // as a set when it is empty), maps merge
  bool patch_retain_keys = false;  // strategic merge: retainKeys
  bool required = false;           // openapi's word; structs that are always written are required too
  Topology topology = Topology::kUnset;
  std::uint8_t proto_outer = 0;   // number of the inlined message that holds the
                                  // field on the wire, 0: none
  std::uint16_t proto_field = 0;  // field number in the published .proto, 0: none
  std::string_view merge_key;
  const FieldExtras* extras = nullptr;

  [[nodiscard]] std::span<const std::string_view> list_keys() const {
    return extras ? extras->list_keys : std::span<const std::string_view>{};
  }
  [[nodiscard]] std::span<const std::string_view> enum_values() const {
    return extras ? extras->enum_values : std::span<const std::string_view>{};
  }
  /// JSON text, empty where the field has no default of its own (see
  /// cpp/api/README.md for those that depend on other fields).
  [[nodiscard]] std::string_view default_json() const { return extras ? extras->default_json : std::string_view{}; }
};

struct TypeInfo {
  enum class Kind : std::uint8_t {
    kObject,
    kMap,
    kList,
    kString,
    kBytes,
    kInt32,
    kInt64,
    kFloat,
    kBool,
    kQuantity,
    kIntOrString,
    kTime,
    kMicroTime,
    kAny
  };
  Kind kind = Kind::kAny;
  std::string_view name;              // kObject: Go's name, "PodSpec"
  std::span<const FieldInfo> fields;  // kObject: in declaration order
  const TypeInfo* element = nullptr;  // kMap (string keys) and kList
  std::string_view package;           // kObject: the schema file it comes from, "core_v1"

  /// Linear (the longest object has 40 fields and most names differ in length);
  /// null when there is no such field.
  [[nodiscard]] const FieldInfo* field(std::string_view name) const;
};

/// The type of a core kind ("", "v1", "Pod"), or of a part by Go's name with an
/// empty version ("core/v1.PodTemplateSpec" is part_type("PodTemplateSpec")).
/// Null when we have no schema of it.
[[nodiscard]] const TypeInfo* core_type(std::string_view group, std::string_view version, std::string_view kind);
/// Where several groups have a part of that name, core and meta come first.
/// "events_v1.Event" names one for certain.
[[nodiscard]] const TypeInfo* part_type(std::string_view go_name);

struct CoreKind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  const TypeInfo* type = nullptr;
};
/// Every core kind with a schema, by group, version and kind.
[[nodiscard]] std::span<const CoreKind> core_kinds();

/// Every object type, by package and name: what openapi documents list.
[[nodiscard]] std::span<const TypeInfo* const> core_parts();

/// `Always` for an image of tag `latest` or with neither tag nor digest, else
/// `IfNotPresent`.
[[nodiscard]] std::string_view default_pull_policy(std::string_view image);

}  // namespace kruise::api
