// Lease (coordination.k8s.io/v1): who leads, and until when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/decode.hpp"
#include "api/meta.hpp"

namespace kruise::api {

struct Lease {
  ObjectMeta meta;
  std::string holder;                  // .spec.holderIdentity; empty: nobody
  std::int32_t duration_seconds = 0;   // .spec.leaseDurationSeconds
  std::optional<base::Time> acquired;  // .spec.acquireTime, microseconds
  std::optional<base::Time> renewed;   // .spec.renewTime, microseconds
  std::int32_t transitions = 0;        // .spec.leaseTransitions
  bool operator==(const Lease&) const = default;
};

template <>
Lease decode<Lease>(std::string_view json);
[[nodiscard]] std::string encode(const Lease&);

}  // namespace kruise::api
