// How often this program has allocated memory with `new`. A file of its own replaces that, or the compiler would see through it
// and take its `free` for a mistake.
#pragma once

#include <cstddef>

namespace kruise::testing {

[[nodiscard]] std::size_t allocations();

}  // namespace kruise::testing
