// The bytes of a compact pod's own block: name, numbers, tagged records. Private to api/pod*.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "api/pod.hpp"

namespace kruise::api {

enum class Pod::Tag : std::uint8_t {
  kAnnotation,       // index: of kept_pod_annotations()
  kLabel,            // index: of kInstanceLabels
  kNamedLabel,       // "key\0value"
  kNamedAnnotation,  // "key\0value", of one that a variable of a container is taken from
  kClaim,            // a claim's name, in order
  kMessage,          // index: of the condition
  kContainerId,      // index: of the status; packed
  kContainerIdText,  // index: of the status
  kUid,              // a UID that is no usual one
  kContainerHash,    // index: of the container
};

namespace pod_layout {

constexpr std::size_t kConditionBytes = sizeof(std::int64_t);                                // time of the last transition
constexpr std::size_t kStatusBytes = sizeof(std::int32_t) + 1;                               // restart count, ready
constexpr std::size_t kInitBytes = sizeof(std::int32_t);                                     // restart count
constexpr std::size_t kRecordHeadBytes = 1 + sizeof(std::uint16_t) + sizeof(std::uint32_t);  // tag, index, size
constexpr std::int64_t kNoTime = INT64_MIN;

template <class T>
void put(std::string& block, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  block.append(bytes, sizeof value);
}
template <class T>
[[nodiscard]] T get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

[[nodiscard]] inline std::int64_t pack_time(const std::optional<base::Time>& time) {
  return time ? time->time_since_epoch().count() : kNoTime;
}
[[nodiscard]] inline std::optional<base::Time> unpack_time(std::int64_t ns) {
  if (ns == kNoTime) return std::nullopt;
  return base::Time{base::Duration{ns}};
}

/// "0a1b…-…" of 36 lower-case characters as 16 bytes; nothing when the text is another, or all zero.
[[nodiscard]] std::optional<std::array<std::byte, 16>> pack_uid(std::string_view text);
[[nodiscard]] std::string unpack_uid(const std::array<std::byte, 16>&);
/// "containerd://<64 lower-case hex digits>" as 33 bytes; false when the text is another.
[[nodiscard]] bool pack_container_id(std::string_view text, std::array<char, 33>& bytes);
[[nodiscard]] std::string unpack_container_id(std::string_view bytes);

}  // namespace pod_layout

template <class Visit>
void Pod::each_record(Visit&& visit) const {
  const char* at = block_.get() + records_at_;
  const char* const end = block_.get() + block_bytes_;
  while (at != end) {
    const auto tag = static_cast<Tag>(*at);
    const std::size_t index = pod_layout::get<std::uint16_t>(at + 1), size = pod_layout::get<std::uint32_t>(at + 3);
    visit(tag, index, std::string_view(at + pod_layout::kRecordHeadBytes, size));
    at += pod_layout::kRecordHeadBytes + size;
  }
}

}  // namespace kruise::api
