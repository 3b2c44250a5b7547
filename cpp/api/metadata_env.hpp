// What containers take from their pod's own metadata (the downward API), and the order in which they are to be launched: both are
// read from their environment variables.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kruise::api {

enum class MetadataMap : std::uint8_t { kLabels, kAnnotations };

/// One label or annotation, as the field path of a variable names it.
struct MetadataKey {
  MetadataMap map = MetadataMap::kLabels;
  std::string_view key;
  bool operator==(const MetadataKey&) const = default;
};

/// Of `metadata.labels['app']`; absent for paths to anything else.
[[nodiscard]] std::optional<MetadataKey> metadata_key_of(std::string_view field_path);

/// The variable by which a container waits for its turn at the start of its pod.
inline constexpr std::string_view kEnvContainerBarrier = "KRUISE_CONTAINER_BARRIER";

/// Of that variable's key in its config map, `p_10`: the higher goes first. Absent where the key has another form; what is no
/// number counts as 0.
[[nodiscard]] std::optional<std::int32_t> launch_priority_of(std::string_view barrier_key);

}  // namespace kruise::api
