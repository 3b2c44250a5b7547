// How many pods a CloneSet may create, delete and update now: arithmetic on
// counts, the same for scaling and updating.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "api/int_or_percent.hpp"
#include "base/result.hpp"

namespace kruise::controllers::cloneset {

/// The pods at one side: those at the update revision, or the others.
struct Group {
  std::int64_t all = 0;
  std::int64_t preparing_delete = 0;
  std::int64_t active = 0;       // all but those preparing to be deleted
  std::int64_t planned = 0;      // of the active: named for deletion
  std::int64_t unavailable = 0;  // of the active that are not planned
  bool operator==(const Group&) const = default;
};

/// A pod as far as counting is concerned.
struct Counted {
  bool preparing_delete = false;
  bool planned = false;
  bool available = false;
};
void count(Group&, const Counted&);

/// The strategies in pods, resolved against `replicas`.
struct Targets {
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int32_t>::max();
  std::int64_t replicas = 1;
  std::int64_t partition = 0;  // 0…replicas: pods that stay at old revisions
  std::int64_t max_unavailable = 0;
  std::int64_t surge = 0;
  std::int64_t scale_max_unavailable = kNoLimit;
  bool operator==(const Targets&) const = default;
};

/// The fields as written; absent ones take their documented defaults.
struct Strategy {
  std::optional<std::int64_t> replicas{};
  std::optional<api::IntOrString> partition{};
  std::optional<api::IntOrString> max_unavailable{};
  std::optional<api::IntOrString> max_surge{};
  std::optional<api::IntOrString> scale_max_unavailable{};
  bool paused = false;
};

/// The error names the faulty field: `spec.updateStrategy.partition: "5x" is
/// neither a number nor a percentage`.
[[nodiscard]] base::Result<Targets, std::string> resolve(const Strategy&);

struct Switches {
  bool at_rest = false;             // current and update revision are the same
  bool partition_rollback = false;  // raising the partition moves pods back
  bool exclude_preparing_delete = false;
};

struct Numbers {
  std::int64_t surge_used = 0, surge_used_old = 0;
  std::int64_t create = 0, create_old = 0,
               create_limit = 0;  // create_old is a cap, it may exceed create
  std::int64_t remove = 0, remove_old = 0, ready_deletable = 0;
  std::int64_t update = 0;      // > 0 forward, < 0 back to the current revision
  std::int64_t update_max = 0;  // how many pods may be unavailable
  bool operator==(const Numbers&) const = default;
};
[[nodiscard]] Numbers numbers(const Group& updated, const Group& old, const Targets&, const Switches&);

}  // namespace kruise::controllers::cloneset
