// JSON text of which there is one for each value: what hashes are made of.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "api/schema.hpp"
#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch {

/// Members sorted bytewise, no spaces, `<` `>` `&` U+2028 U+2029 as \u escapes, numbers passed through an IEEE double and written
/// in their shortest form (exponents from 1e21 up and below 1e-6).
[[nodiscard]] std::string canonical_text(const nlohmann::json&);
/// The same from text; 400 when it is no JSON.
[[nodiscard]] base::Result<std::string, Error> canonical_text(std::string_view text);

/// Like canonical_text, but members in the order in which their type declares them (unknown ones last), and integers as they are:
/// the text that a typed encoder would write.
[[nodiscard]] std::string declared_text(const nlohmann::json&, const api::TypeInfo*);

/// Whether two texts say the same: order of members and spelling aside. False when either is no JSON.
[[nodiscard]] bool same_text(std::string_view a, std::string_view b);

}  // namespace kruise::patch
