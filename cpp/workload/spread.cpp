#include "workload/spread.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace kruise::workload {
namespace {

constexpr std::string_view kHostname = "kubernetes.io/hostname";

using Groups = std::map<std::string_view, std::vector<Rank*>>;

/// The worst first; availability decides between groups only.
void sort_worst_first(std::vector<Rank*>& group) {
  std::ranges::sort(group, [](const Rank* a, const Rank* b) { return deleted_before(*a, *b, RankRows::kWithoutAvailability); });
}

void spread_over_nodes(std::span<Rank> candidates) {
  Groups nodes;
  for (Rank& rank : candidates) {
    rank.spread = 0;
    if (rank.has_node) nodes[rank.node].push_back(&rank);
  }
  // All spreads are zero while groups are sorted, so that none counts.
  std::vector<std::pair<Rank*, double>> spreads;
  for (auto& [node, group] : nodes) {
    if (group.size() < 2) continue;
    sort_worst_first(group);
    for (std::size_t i = 0; i < group.size(); ++i) spreads.emplace_back(group[i], static_cast<double>(group.size() - 1 - i));
  }
  for (const auto& [rank, spread] : spreads) rank->spread = spread;
}

void add_domains(std::span<Rank> candidates, std::string_view key, const NodeLabels& labels_of, std::vector<double>& sums) {
  std::map<std::string_view, std::vector<Rank*>> domains;
  for (Rank& rank : candidates) {
    const api::StringMap* labels = rank.has_node ? labels_of(rank.node) : nullptr;
    if (labels == nullptr) continue;
    if (const auto value = labels->find(key); value != labels->end()) domains[value->second].push_back(&rank);
  }
  const double weight = std::log(static_cast<double>(domains.size()) + 2);
  for (auto& [value, group] : domains) {
    sort_worst_first(group);
    for (std::size_t i = 0; i < group.size(); ++i)
      sums[static_cast<std::size_t>(group[i] - candidates.data())] += static_cast<double>(group.size() - i) * weight;
  }
}

}  // namespace

void set_spread(std::span<Rank> candidates, std::span<const std::string> topology_keys, const NodeLabels& labels_of) {
  spread_over_nodes(candidates);
  if (topology_keys.empty()) return;
  std::vector<double> by_node;
  for (const Rank& rank : candidates) by_node.push_back(rank.spread);
  std::vector<double> sums(candidates.size());
  for (const std::string& key : topology_keys) {
    // Within a domain, pods that share a node go first; a domain that is a node has no such distinction.
    for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].spread = key == kHostname ? 0 : by_node[i];
    add_domains(candidates, key, labels_of, sums);
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].spread = sums[i];
}

}  // namespace kruise::workload
