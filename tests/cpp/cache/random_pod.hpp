// Random pods for properties: every decoded field absent, null, empty or full, among members that nobody reads.
#pragma once

#include <nlohmann/json.hpp>

#include "base/random.hpp"

namespace kruise::cache {

[[nodiscard]] nlohmann::json random_pod(base::Random&);

/// The text of a tree, its members shuffled and spaces strewn in.
[[nodiscard]] std::string shuffled_text(const nlohmann::json&, base::Random&);

}  // namespace kruise::cache
