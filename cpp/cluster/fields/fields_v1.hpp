// FieldsV1: a set of fields as JSON, {"f:spec":{"f:replicas":{},"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{}}}}}.
#pragma once

#include <optional>
#include <string>

#include "cluster/fields/field_set.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster::fields {

void append_fields_v1(std::string& out, const FieldSetPtr&);
[[nodiscard]] std::string fields_v1(const FieldSetPtr&);
/// Absent when the tree is no FieldsV1.
[[nodiscard]] std::optional<FieldSetPtr> parse_fields_v1(const Json&);

}  // namespace kruise::cluster::fields
