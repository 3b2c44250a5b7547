// The machine and this process on it.
#pragma once

#include <string>

namespace kruise::base {

[[nodiscard]] std::string host_name();
/// Changes in the child of a fork, which has none of its parent's threads.
[[nodiscard]] int process_id();
/// A random UUID (version 4) from the operating system's entropy.
[[nodiscard]] std::string random_uuid();
/// Few heaps, and memory given back: for a process that is idle most of its life. Call before threads are made.
void prefer_small_memory();

}  // namespace kruise::base
