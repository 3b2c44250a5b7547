// The status of a CloneSet: counts of its pods, names of its revisions, and what went wrong.
#pragma once

#include <optional>
#include <string>

#include "api/generated/clone_set.hpp"
#include "controllers/cloneset/pass.hpp"

namespace kruise::controllers::cloneset {

inline constexpr std::string_view kConditionFailedScale = "FailedScale";
inline constexpr std::string_view kConditionFailedUpdate = "FailedUpdate";

/// Errors of one pass; absent ones take their condition away.
struct Failures {
  std::optional<std::string> scale{};
  std::optional<std::string> update{};
};

/// Counts and names as this pass sees them, before its own writes.
[[nodiscard]] api::CloneSetStatus status_of(const Pass&, const std::string& selector, std::int32_t collision_count);

/// Puts the conditions of `failures` in, leaves those of other types, and keeps the times of those that do not change.
void set_failures(api::CloneSetStatus&, const api::CloneSetStatus& before, const Failures&, base::Time now);

/// A merge patch of the status subresource; absent when nothing but times differs.
/// The set was on its way and still is, and `wanted` differs from its status in figures only, of which the next ones will tell
/// again.
[[nodiscard]] bool is_interim(const Pass&, const api::CloneSetStatus& wanted);

[[nodiscard]] std::optional<runtime::Write> status_write(const api::CloneSet&, const api::CloneSetStatus& wanted);

}  // namespace kruise::controllers::cloneset
