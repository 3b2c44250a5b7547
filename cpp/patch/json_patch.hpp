// JSON patch (RFC 6902): a list of operations addressed by JSON pointers (RFC 6901).
//
//     if (auto error = patch::json_patch::apply(tree, patch)) return refuse(error->code, error->message);
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch::json_patch {

/// Longer patches are refused with 413, as by an API server.
inline constexpr std::size_t kOperationsMax = 10'000;
/// `copy` operations of one patch may together copy about so many bytes of JSON.
inline constexpr std::size_t kCopyBytesMax = std::size_t{3} * 1024 * 1024;

/// Where API servers depart from the RFC: `replace` of an absent member adds it, `copy` of one gives null and `test` for null
/// passes on one; indexes below zero count from the end; a missing `value` is null; 1 and 1.0 differ; only `replace` and `test`
/// may name the whole document.
enum class Dialect : bool { kKubernetes, kStrict };

/// Applies in place; values are moved out of `patch`; null is the empty patch. On an error (400: no list of operations, 413, 422:
/// the operation named by `Error::operation` does not apply or its test failed) `target` is left half patched: give a copy where
/// that matters.
[[nodiscard]] std::optional<Error> apply(nlohmann::json& target, nlohmann::json patch, Dialect = Dialect::kKubernetes);

/// Operations that turn `from` into `to` in either dialect; empty when they are equal. Lists are compared by position.
[[nodiscard]] nlohmann::json diff(const nlohmann::json& from, const nlohmann::json& to);

/// The same on texts. Text that is no JSON is a 400.
[[nodiscard]] base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch,
                                                          Dialect = Dialect::kKubernetes);
[[nodiscard]] base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to);

}  // namespace kruise::patch::json_patch
