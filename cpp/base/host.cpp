#include "base/host.hpp"

#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "base/random.hpp"

namespace kruise::base {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown");
}

int process_id() { return getpid(); }

std::string random_uuid() {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  Random random(random_seed());
  std::string text(kForm);
  for (char& c : text) {
    if (c == 'x') c = kHex[random.below(16)];
    if (c == 'y') c = kHex[8 + random.below(4)];
  }
  return text;
}

void prefer_small_memory() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

}  // namespace kruise::base
