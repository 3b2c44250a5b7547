// JSON merge patch (RFC 7386): members replace, null removes, lists are taken whole.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch::merge_patch {

/// Applies in place; values are moved out of `patch`. Every patch applies; an API server refuses one that is no object with 400,
/// which is for the caller to check.
void apply(nlohmann::json& target, nlohmann::json patch);

/// The smallest patch that turns `from` into `to`. A merge patch cannot set a member to null: members of `to` that are null count
/// as absent (within lists, which travel whole, they are kept).
[[nodiscard]] nlohmann::json diff(const nlohmann::json& from, const nlohmann::json& to);

/// The same on texts. Text that is no JSON is a 400.
[[nodiscard]] base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch);
[[nodiscard]] base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to);

}  // namespace kruise::patch::merge_patch
