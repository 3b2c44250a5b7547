// Spreads labelled pods evenly over a rollout.
#pragma once

#include <cstddef>
#include <vector>

namespace kruise::workload {

/// How one label lies in the whole set, updated pods included.
struct ScatterTotals {
  std::size_t with_label = 0;
  std::size_t without_label = 0;
};

/// Reorders `candidates` (indexes into `labelled`) so that those with the label
/// are spread over the order; each kind keeps its own order.
[[nodiscard]] std::vector<std::size_t> scatter(std::vector<std::size_t> candidates, const std::vector<bool>& labelled,
                                               ScatterTotals);

}  // namespace kruise::workload
