// Whose pod is it: kept, released, adopted or none of ours.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/meta.hpp"
#include "api/pod.hpp"
#include "api/selector.hpp"
#include "runtime/plan.hpp"

namespace kruise::workload {

enum class Ownership : std::uint8_t {
  kOwned,    // controlled by us and selected
  kRelease,  // controlled by us, no longer selected
  kAdopt,    // names us as owner but nobody as controller, and is selected
  kForeign,
};

/// `being_deleted`: the owner has a deletion timestamp; then nothing is released or adopted any more.
[[nodiscard]] Ownership ownership_of(const api::Pod&, std::string_view owner_uid, const api::Selector&, bool being_deleted);

/// Removes our reference; a pod that is gone is released already.
[[nodiscard]] runtime::Write release(const api::Pod&, std::string_view owner_uid);
/// Makes `owner` the pod's controller.
[[nodiscard]] runtime::Write adopt(const api::Pod&, const api::OwnerReference& owner);

}  // namespace kruise::workload
