// Which fields of an object differ between two states of it, and which fields a value sets.
#pragma once

#include <optional>
#include <string>

#include "cluster/fields/field_set.hpp"
#include "cluster/fields/field_type.hpp"

namespace kruise::cluster::fields {

struct Changes {
  FieldSetPtr added, modified, removed;
  [[nodiscard]] bool none() const { return !added && !modified && !removed; }
};

/// What became of `before`. Equal parts cost a walk and no memory.
[[nodiscard]] Changes compare(const Json& before, const Json& after, const FieldType&);

/// The fields that a value sets: what an applied configuration owns.
[[nodiscard]] FieldSetPtr fields_of(const Json& value, const FieldType&);

/// The key of an element of a list of form kSet or kKeyed; empty for an element that has none (a key left out, a null).
[[nodiscard]] std::string element_key(const Json& element, const FieldType& list);

}  // namespace kruise::cluster::fields
