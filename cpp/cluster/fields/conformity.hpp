// Whether an applied configuration has the form of its type.
#pragma once

#include <string>

#include "cluster/fields/field_type.hpp"

namespace kruise::cluster::fields {

/// What is wrong, in the original's words: ".spec.replics: field not declared in schema". Empty when nothing is.
[[nodiscard]] std::string faults_of(const Json& config, const FieldType&);

}  // namespace kruise::cluster::fields
