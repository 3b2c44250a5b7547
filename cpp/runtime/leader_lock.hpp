// Where leadership is written down: a Lease, or a ConfigMap's annotation as older managers use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/scheme.hpp"
#include "base/time.hpp"

namespace kruise::runtime {

struct ElectionRecord {
  std::string holder;  // empty: free
  int lease_duration_s = 0;
  std::string acquire_time;  // as written; compared, never computed with: clocks of two machines differ
  std::string renew_time;
  int transitions = 0;
  bool operator==(const ElectionRecord&) const = default;
};

enum class LockKind : std::uint8_t { kLease, kConfigMap };

[[nodiscard]] const api::Resource& resource_of(LockKind);
/// How times are written in this kind of record.
[[nodiscard]] std::string lock_time(LockKind, base::Time);

/// Absent when the object carries no record (a ConfigMap without the annotation, a Lease without a spec) or a malformed one.
[[nodiscard]] std::optional<ElectionRecord> read_lock(LockKind, std::string_view object_json);
/// The object with this record, everything else in it as it was; a new object when there is none yet.
[[nodiscard]] std::string write_lock(LockKind, std::string_view ns, std::string_view name,
                                     const std::optional<std::string>& object_json, const ElectionRecord&);

}  // namespace kruise::runtime
