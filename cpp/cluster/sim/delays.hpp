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

/// Draws from a delay, slowed down, rounded to the quantum, so that instants of many pods coincide and are handled at once.
[[nodiscard]] inline base::Duration draw(const Delay& delay, double slowness, base::Duration quantum, base::Random& random) {
  const auto exact = static_cast<double>(delay.least.count()) + static_cast<double>(delay.jitter.count()) * random.unit();
  const auto slowed = static_cast<std::int64_t>(exact * slowness);
  if (quantum.count() <= 1) return base::Duration(slowed);
  return base::Duration((slowed + quantum.count() / 2) / quantum.count() * quantum.count());
}

}  // namespace kruise::cluster::sim
