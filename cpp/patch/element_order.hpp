// The order in which a strategic merge leaves the elements of a merged list. Private to this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace kruise::patch::strategic {

/// `elements` beside `keys` (the merge key of each, or the element itself in a set). Elements named in `wanted` come in its
/// order; the others keep the order they had in `before`, and each stands ahead of the wanted ones that it preceded there, as far
/// as both orders allow.
[[nodiscard]] nlohmann::json ordered(nlohmann::json elements, const std::vector<nlohmann::json>& keys,
                                     const std::vector<nlohmann::json>& wanted, const std::vector<nlohmann::json>& before);

}  // namespace kruise::patch::strategic
