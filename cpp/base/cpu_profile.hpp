// Where the process spends its CPU time, in the form that pprof reads.
//
//     const auto profile = base::cpu_profile(std::chrono::seconds(30), stop);
//     // $ pprof -top build/release/bin/kruise-manager profile
#pragma once

#include <optional>
#include <string>

#include "base/thread.hpp"
#include "base/time.hpp"

namespace kruise::base {

/// Samples all threads a hundred times for each second of CPU time, for `span` or until `stop` is set, and blocks for so long.
/// Returns gperftools' format of CPU profiles with the memory map behind it; absent when another one is being taken.
[[nodiscard]] std::optional<std::string> cpu_profile(Duration span, Signal& stop);

}  // namespace kruise::base
