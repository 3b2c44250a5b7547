// Which pods are updated first: the worst, then by the user's priorities, then scattered, those already waiting before all
// others.
#pragma once

#include <span>
#include <vector>

#include "api/generated/shared.hpp"
#include "api/pod.hpp"
#include "api/selector.hpp"
#include "workload/ranking.hpp"

namespace kruise::workload {

/// Sorts by the user's priority strategy: larger sum of matching weights first, or by ordered keys (pods with none of them
/// first). Equal pods keep their order. `pods` is permuted through the indexes in `order`.
void sort_by_priority(std::vector<std::size_t>& order, std::span<const api::Pod* const> pods, const api::UpdatePriorityStrategy&);

/// Spreads the pods of each term; terms that match most candidates first. `pods` are all pods of the set.
[[nodiscard]] std::vector<std::size_t> scatter_by_terms(std::vector<std::size_t> order, std::span<const api::Pod* const> pods,
                                                        std::span<const api::UpdateScatterTerm>);

/// The run of digits at the end of a label's value; 0 for none and for what 64 bits do not hold.
[[nodiscard]] std::int64_t trailing_number(std::string_view);

}  // namespace kruise::workload
