// Seeded randomness: one stream per subsystem, so that a new draw in one does
// not reshuffle the others.
#pragma once

#include <cstdint>
#include <string_view>

namespace kruise::base {

/// SplitMix64: small, fast, the same sequence for the same seed on every
/// machine. Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// The stream of a subsystem: independent of the draws of every other name.
  [[nodiscard]] Random stream(std::string_view name) const;
  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();

 private:
  std::uint64_t state_;
};

/// A seed from the operating system's entropy.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace kruise::base
