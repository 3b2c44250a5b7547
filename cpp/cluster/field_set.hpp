// Sets of fields as managedFields writes them (FieldsV1), and what server-side apply does with them.
//
//     {"f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"main\"}": {".": {}, "f:image": {}}}}}
#pragma once

#include <string>
#include <vector>

#include "api/schema.hpp"
#include "cluster/crd/schema.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

/// Where in a kind's types a value stands: tells which objects and lists merge, and by which keys.
class TypeNode {
 public:
  /// The root of a kind: core types, or a custom schema (null: everything merges, lists are taken whole).
  [[nodiscard]] static TypeNode core(const api::TypeInfo*);
  [[nodiscard]] static TypeNode custom(const Schema*);

  enum class Merge : std::uint8_t { kAtomic, kObject, kSet, kKeyed };
  [[nodiscard]] Merge merge_of(const Json& value) const;
  [[nodiscard]] TypeNode child(std::string_view name) const;
  [[nodiscard]] TypeNode item() const;
  /// The keys that name an element, as JSON: {"name":"main"}.
  [[nodiscard]] Json key_of(const Json& element) const;

 private:
  const api::TypeInfo* core_ = nullptr;
  const api::FieldInfo* field_ = nullptr;
  const Schema* custom_ = nullptr;
  bool custom_root_ = false;
};

/// The fields that a value sets.
[[nodiscard]] Json fields_of(const Json& value, const TypeNode&);
/// What is in `a` and not in `b`.
[[nodiscard]] Json fields_without(const Json& a, const Json& b);
/// Writes what `config` sets over `live`.
void merge_fields(Json& live, const Json& config, const TypeNode&);
/// Takes the fields of the set out of `live`; what becomes empty goes with them.
void remove_fields(Json& live, const Json& fields, const TypeNode&);
/// Paths (".spec.replicas") of fields in both sets whose values differ between the two trees.
[[nodiscard]] std::vector<std::string> differing_fields(const Json& fields, const Json& others, const Json& live,
                                                        const Json& config, const TypeNode&);

}  // namespace kruise::cluster
