#include "base/printed_hash.hpp"

#include <charconv>

#include "base/hash.hpp"

namespace kruise::base {

std::uint32_t printed_bytes_hash(std::string_view bytes) {
  std::uint32_t hash = fnv1a_32("([]uint8)[");
  char text[] = " 255";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* end = std::to_chars(text + 1, text + sizeof text, static_cast<unsigned char>(bytes[i])).ptr;
    const char* begin = i == 0 ? text + 1 : text;
    hash = fnv1a_32({begin, end}, hash);
  }
  return fnv1a_32("]", hash);
}

}  // namespace kruise::base
