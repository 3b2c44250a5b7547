#include "api/pod_layout.hpp"

namespace kruise::api::pod_layout {
namespace {

constexpr std::array<std::string_view, 3> kRuntimes{"containerd://", "docker://", "cri-o://"};
constexpr std::size_t kHexDigits = 64;
constexpr char kDigits[] = "0123456789abcdef";

/// What is no digit has a value beyond 15, and keeps it when it is ored with one.
constexpr unsigned kNoDigit = 16;

constexpr std::array<std::uint8_t, 256> make_nibbles() {
  std::array<std::uint8_t, 256> nibbles{};
  nibbles.fill(kNoDigit);
  for (unsigned i = 0; i < 16; ++i) nibbles[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return nibbles;
}
constexpr auto kNibbles = make_nibbles();

/// Two digits a byte; false when one is none.
template <class Byte>
bool pack_hex(std::string_view digits, Byte* bytes) {
  unsigned seen = 0;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const unsigned high = kNibbles[static_cast<unsigned char>(digits[i])],
                   low = kNibbles[static_cast<unsigned char>(digits[i + 1])];
    seen |= high | low;
    bytes[i / 2] = static_cast<Byte>(high * 16 + low);
  }
  return seen < kNoDigit;
}

void append_hex(std::string& text, unsigned char byte) {
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
}

}  // namespace

std::optional<std::array<std::byte, 16>> pack_uid(std::string_view text) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  std::array<std::byte, 16> bytes;
  const bool fits = pack_hex(text.substr(0, 8), bytes.data()) && pack_hex(text.substr(9, 4), bytes.data() + 4) &&
                    pack_hex(text.substr(14, 4), bytes.data() + 6) && pack_hex(text.substr(19, 4), bytes.data() + 8) &&
                    pack_hex(text.substr(24, 12), bytes.data() + 10);
  if (!fits || bytes == std::array<std::byte, 16>{}) return std::nullopt;
  return bytes;
}

std::string unpack_uid(const std::array<std::byte, 16>& bytes) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    append_hex(text, static_cast<unsigned char>(bytes[i]));
  }
  return text;
}

bool pack_container_id(std::string_view text, std::array<char, 33>& bytes) {
  for (std::size_t runtime = 0; runtime < kRuntimes.size(); ++runtime) {
    if (!text.starts_with(kRuntimes[runtime])) continue;
    const std::string_view digits = text.substr(kRuntimes[runtime].size());
    bytes[0] = static_cast<char>(runtime);
    return digits.size() == kHexDigits && pack_hex(digits, bytes.data() + 1);
  }
  return false;
}

std::string unpack_container_id(std::string_view bytes) {
  std::string text(kRuntimes[static_cast<unsigned char>(bytes[0])]);
  text.reserve(text.size() + kHexDigits);
  for (const char byte : bytes.substr(1)) append_hex(text, static_cast<unsigned char>(byte));
  return text;
}

}  // namespace kruise::api::pod_layout
