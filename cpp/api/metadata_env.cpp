#include "api/metadata_env.hpp"

#include <charconv>

namespace kruise::api {
namespace {

std::optional<std::string_view> between(std::string_view text, std::string_view head, std::string_view tail) {
  if (text.size() <= head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return std::nullopt;
  return text.substr(head.size(), text.size() - head.size() - tail.size());
}

}  // namespace

std::optional<MetadataKey> metadata_key_of(std::string_view field_path) {
  if (const auto key = between(field_path, "metadata.labels['", "']")) return MetadataKey{MetadataMap::kLabels, *key};
  if (const auto key = between(field_path, "metadata.annotations['", "']")) return MetadataKey{MetadataMap::kAnnotations, *key};
  return std::nullopt;
}

std::optional<std::int32_t> launch_priority_of(std::string_view barrier_key) {
  constexpr std::string_view kHead = "p_";
  if (!barrier_key.starts_with(kHead)) return std::nullopt;
  const std::string_view digits = barrier_key.substr(kHead.size());
  std::int32_t priority = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), priority);
  return error == std::errc{} && end == digits.data() + digits.size() ? priority : 0;
}

}  // namespace kruise::api
