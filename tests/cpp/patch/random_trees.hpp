// Seeded random JSON for properties.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/schema.hpp"
#include "base/random.hpp"

namespace kruise::patch::test {

/// An object of small depth with few names, so that two of them share many.
[[nodiscard]] nlohmann::json random_object(base::Random&, int depth = 3);
/// Any value: scalars (null among them unless `nulls` is false), lists, objects.
[[nodiscard]] nlohmann::json random_value(base::Random&, int depth, bool nulls = true);
/// A value of the type without nulls: few members, and keyed lists and sets without doubles.
[[nodiscard]] nlohmann::json random_of_type(base::Random&, const api::TypeInfo&, int depth);
/// The tree with one place changed, added or removed.
[[nodiscard]] nlohmann::json mutated(nlohmann::json, base::Random&);
/// The text with some bytes changed, dropped or doubled.
[[nodiscard]] std::string damaged(std::string, base::Random&);
/// Without null members, at any depth outside lists.
[[nodiscard]] nlohmann::json without_null_members(nlohmann::json);

}  // namespace kruise::patch::test
