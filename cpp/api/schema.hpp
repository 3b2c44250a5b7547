// What is known of the types of core Kubernetes kinds: tables, generated from the schema files of cpp/api/schema.
//
// Readers: patch (merge keys, normal form), cluster (pruning, validation, defaults, protobuf bodies, openapi).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kruise::api {

struct TypeInfo;

struct FieldInfo {
  std::string_view name;  // JSON name
  const TypeInfo* type = nullptr;
  bool pointer = false;     // presence means something, even with a zero value
  bool omit_empty = false;  // absent when zero; otherwise it is always written
  bool inlined = false;     // never set here: inlined members are listed as fields of their own
  bool patch_merge = false;        // strategic merge: lists merge (by `merge_key`, or as a set when it is empty), maps merge
  bool patch_retain_keys = false;  // strategic merge: retainKeys
  std::string_view merge_key;
  std::uint32_t proto_field = 0;  // field number in the published .proto, 0: none
};

struct TypeInfo {
  enum class Kind : std::uint8_t {
    kObject, kMap, kList, kString, kBytes, kInt32, kInt64, kFloat, kBool, kQuantity, kIntOrString, kTime, kMicroTime, kAny
  };
  Kind kind = Kind::kAny;
  std::string_view name;              // kObject: Go's name, "PodSpec"
  std::span<const FieldInfo> fields;  // kObject: in declaration order
  const TypeInfo* element = nullptr;  // kMap (string keys) and kList

  /// Linear for small objects, by name for large ones; null when there is no such field.
  [[nodiscard]] const FieldInfo* field(std::string_view name) const;
};

/// The type of a core kind ("", "v1", "Pod"), or of a part by Go's name with an empty version ("core/v1.PodTemplateSpec" is
/// part_type("PodTemplateSpec")). Null when we have no schema of it.
[[nodiscard]] const TypeInfo* core_type(std::string_view group, std::string_view version, std::string_view kind);
[[nodiscard]] const TypeInfo* part_type(std::string_view go_name);

}  // namespace kruise::api
