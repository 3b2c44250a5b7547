#include "workload/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace kruise::workload {
namespace {

std::size_t rounded(std::size_t a, std::size_t b) {
  return static_cast<std::size_t>(std::round(static_cast<double>(a) / static_cast<double>(b)));
}

float ratio(std::size_t a, std::size_t b) { return static_cast<float>(a) / static_cast<float>(b); }

}  // namespace

std::vector<std::size_t> scatter(std::vector<std::size_t> candidates, const std::vector<bool>& labelled, ScatterTotals totals) {
  std::vector<std::size_t> hits;
  std::vector<std::size_t> misses;
  for (const std::size_t i : candidates) (labelled[i] ? hits : misses).push_back(i);
  if (hits.size() <= 1 || misses.size() <= 1) return candidates;

  // The last labelled pod closes the rollout, so the rest is laid out without
  // it.
  const std::size_t last = hits.back();
  hits.pop_back();
  const std::size_t total_hits = std::max<std::size_t>(totals.with_label, hits.size() + 1) - 1;
  const std::size_t total_misses = std::max(totals.without_label, misses.size());

  std::size_t lead = 0;
  std::size_t groups = std::min(hits.size(), misses.size());
  std::size_t hit_run = rounded(hits.size(), groups);
  std::size_t miss_run = rounded(misses.size(), groups);
  if (ratio(total_misses, total_hits) < ratio(misses.size(), hits.size())) {
    // Labelled pods are ahead already: go on in the proportions of the whole
    // set, and let unlabelled ones lead until it is even.
    const std::size_t all_groups = std::min(total_hits, total_misses);
    hit_run = rounded(total_hits, all_groups);
    miss_run = rounded(total_misses, all_groups);
    groups = std::min(hits.size() / hit_run, misses.size() / miss_run);
    lead = misses.size() - groups * miss_run;
  }

  std::vector<std::size_t> order;
  order.reserve(candidates.size());
  std::span<const std::size_t> hit(hits);
  std::span<const std::size_t> miss(misses);
  const auto take = [&order](std::span<const std::size_t>& from, std::size_t count) {
    count = std::min(count, from.size());
    order.insert(order.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
    from = from.subspan(count);
  };
  take(miss, lead);
  for (std::size_t group = 0; group < groups; ++group) {
    take(hit, hit_run);
    take(miss, miss_run);
  }
  take(hit, hit.size());
  take(miss, miss.size());
  order.push_back(last);
  return order;
}

}  // namespace kruise::workload
