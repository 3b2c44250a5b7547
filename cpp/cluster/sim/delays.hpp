// How long a simulated thing takes.
#pragma once

#include <cstdint>

#include "base/random.hpp"
#include "base/time.hpp"

namespace kruise::cluster::sim {

/// At least `least`, and evenly up to `jitter` more.
struct Delay {
  base::Duration least{0};
  base::Duration jitter{0};
};

/// Delays are multiples of this, so that instants of many pods coincide and are handled at once.
inline constexpr base::Duration kDelayQuantum = std::chrono::milliseconds(10);

/// Draws from a delay, `slowness` times as long as usual.
[[nodiscard]] inline base::Duration draw(const Delay& delay, double slowness, base::Random& random) {
  const auto exact = static_cast<double>(delay.least.count()) + static_cast<double>(delay.jitter.count()) * random.unit();
  const auto slowed = static_cast<std::int64_t>(exact * slowness);
  return (slowed + kDelayQuantum.count() / 2) / kDelayQuantum.count() * kDelayQuantum;
}

}  // namespace kruise::cluster::sim
