// JSON text to trees and back, with the limits that keep every recursion over a tree safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch {

/// Deeper text is refused: no API object comes near, and recursion over trees needs a bound.
inline constexpr std::size_t kDepthMax = 500;

/// Reads one JSON document. The error is a 400 that says where the text stops making sense.
[[nodiscard]] base::Result<nlohmann::json, Error> parse_tree(std::string_view text);

/// Compact text, members in order of their names; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string tree_text(const nlohmann::json&);

}  // namespace kruise::patch
