// How Go programs hash what they print.
#pragma once

#include <cstdint>
#include <string_view>

namespace kruise::base {

/// FNV-1a over the text in which Go prints a list of bytes, `([]uint8)[123 34 ...]`: how claim templates and node agents
/// hash.
[[nodiscard]] std::uint32_t printed_bytes_hash(std::string_view bytes);

}  // namespace kruise::base
