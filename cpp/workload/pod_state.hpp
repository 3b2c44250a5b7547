// What workloads ask of a pod: is it there, ready, in service, and at which
// revision. Pure functions of the observed pod.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/pod.hpp"

namespace kruise::workload {

/// The label `lifecycle.apps.kruise.io/state`. An empty label reads as an
/// absent one; words we do not know as `kOther`.
enum class LifecycleState : std::uint8_t {
  kAbsent,
  kPreparingNormal,
  kNormal,
  kPreparingUpdate,
  kUpdating,
  kUpdated,
  kPreparingDelete,
  kOther
};
[[nodiscard]] LifecycleState lifecycle_state(const api::Pod&);
/// The label's value; empty for kAbsent and kOther.
[[nodiscard]] std::string_view text_of(LifecycleState);
/// A pod in this state serves, as far as the lifecycle is concerned.
[[nodiscard]] constexpr bool in_service(LifecycleState s) { return s == LifecycleState::kAbsent || s == LifecycleState::kNormal; }

/// Not terminating, neither Succeeded nor Failed. Only active pods count
/// anywhere.
[[nodiscard]] bool is_active(const api::Pod&);

/// Running, Ready, and InPlaceUpdateReady absent or True.
[[nodiscard]] bool is_ready(const api::Pod&);
/// Ready for strictly longer than `seconds` (0: ready is enough).
[[nodiscard]] bool is_ready_for(const api::Pod&, std::int32_t seconds, base::Time now);
/// In service and ready for `min_ready_seconds`.
[[nodiscard]] bool is_available(const api::Pod&, std::int32_t min_ready_seconds, base::Time now);

/// The part after the last dash: revision labels may hold the whole name or
/// this hash only.
[[nodiscard]] std::string_view revision_hash(std::string_view revision);
[[nodiscard]] bool same_revision(std::string_view label, std::string_view revision);
/// The revision label; empty when there is none.
[[nodiscard]] std::string_view revision_of(const api::Pod&);
[[nodiscard]] bool is_at(const api::Pod&, std::string_view revision);

}  // namespace kruise::workload
