// JSON with its members in the order in which their type declares them, as Go prints structs.
#pragma once

#include <string>

#include "api/schema.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

/// `value` is an object of the type, or a list of such. Members that the type does not know come last, by name.
[[nodiscard]] std::string declared_text(const Json& value, const api::TypeInfo& type);

}  // namespace kruise::cluster
