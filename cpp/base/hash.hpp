// FNV hashes, as Kubernetes names things with.
#pragma once

#include <cstdint>
#include <string_view>

namespace kruise::base {

[[nodiscard]] constexpr std::uint32_t
fnv1_32(std::string_view bytes, std::uint32_t seed = 2166136261U) {
  for (const char c : bytes)
    seed = (seed * 16777619U) ^ static_cast<unsigned char>(c);
  return seed;
}

[[nodiscard]] constexpr std::uint32_t
fnv1a_32(std::string_view bytes, std::uint32_t seed = 2166136261U) {
  for (const char c : bytes)
    seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
  return seed;
}

[[nodiscard]] constexpr std::uint64_t fnv1a_64(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

} // namespace kruise::base
