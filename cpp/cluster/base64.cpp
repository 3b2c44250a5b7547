#include "cluster/base64.hpp"

#include <cstdint>

namespace kruise::cluster {

std::string base64_encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  encoded.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) encoded += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return encoded;
}

std::optional<std::size_t> base64_fault(std::string_view text) {
  const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  std::size_t at = 0;
  const auto skip_breaks = [&] {
    while (at < text.size() && is_break(text[at])) ++at;
  };
  for (std::size_t in_group = 0;; ++in_group) {
    skip_breaks();
    const std::size_t place = in_group % 4;
    if (at == text.size()) return place == 0 ? std::nullopt : std::optional(at - place);
    if (is_letter(text[at])) {
      ++at;
      continue;
    }
    if (text[at] != '=' || place < 2) return at;
    ++at;
    if (place == 2) {
      skip_breaks();
      if (at == text.size()) return at;
      if (text[at] != '=') return at - 1;
      ++at;
    }
    skip_breaks();
    return at == text.size() ? std::nullopt : std::optional(at);
  }
}

}  // namespace kruise::cluster
