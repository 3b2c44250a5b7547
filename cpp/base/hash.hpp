// FNV hashes, as Kubernetes names things with.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace kruise::base {

[[nodiscard]] constexpr std::uint32_t fnv1_32(std::string_view bytes, std::uint32_t seed = 2166136261U) {
  for (const char c : bytes) seed = (seed * 16777619U) ^ static_cast<unsigned char>(c);
  return seed;
}

[[nodiscard]] constexpr std::uint32_t fnv1a_32(std::string_view bytes, std::uint32_t seed = 2166136261U) {
  for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
  return seed;
}

[[nodiscard]] constexpr std::uint64_t fnv1a_64(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// A fast hash for tables of this process: eight bytes a step. Not stable between machines or versions.
[[nodiscard]] inline std::uint64_t table_hash(std::string_view bytes, std::uint64_t seed = 0x9e3779b97f4a7c15ULL) {
  __extension__ using Wide = unsigned __int128;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  constexpr std::uint64_t kFactor = 0xd6e8feb86659fd93ULL;
  std::uint64_t hash = fold(seed ^ bytes.size(), kFactor);
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = fold(hash ^ word, kFactor);
    bytes.remove_prefix(sizeof word);
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());  // an empty view may have no address
  return fold(hash ^ rest, kFactor);
}

}  // namespace kruise::base
