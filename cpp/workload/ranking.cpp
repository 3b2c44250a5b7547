#include "workload/ranking.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "api/names.hpp"

namespace kruise::workload {
namespace {

enum class Purpose : std::uint8_t { kDelete, kDeleteInGroup, kUpdate };

/// Absent counts as zero time and goes first; of two times the later one.
int younger_first(const std::optional<base::Time>& a, const std::optional<base::Time>& b) {
  if (a == b) return 0;
  if (!a || !b) return a ? 1 : -1;
  return *a > *b ? -1 : 1;
}

/// Negative: a first; positive: b first.
int compare(const Rank& a, const Rank& b, Purpose purpose) {
  if (a.has_node != b.has_node) return a.has_node ? 1 : -1;
  if (a.phase != b.phase) return a.phase < b.phase ? -1 : 1;
  if (purpose == Purpose::kDelete && a.available != b.available) return a.available ? 1 : -1;
  if (a.ready != b.ready) return a.ready ? 1 : -1;
  if (purpose != Purpose::kUpdate) {
    if (a.deletion_cost != b.deletion_cost) return a.deletion_cost < b.deletion_cost ? -1 : 1;
    if (a.spread != b.spread) return a.spread > b.spread ? -1 : 1;
  }
  if (a.ready) {
    if (const int order = younger_first(a.ready_since, b.ready_since); order != 0) return order;
  }
  if (a.restarts != b.restarts) return a.restarts > b.restarts ? -1 : 1;
  if (purpose == Purpose::kUpdate && a.init_restarts != b.init_restarts) return a.init_restarts > b.init_restarts ? -1 : 1;
  return younger_first(a.created, b.created);
}

}  // namespace

Rank rank_of(const api::Pod& pod, bool available) {
  Rank rank{.has_node = !pod.node().empty(),
            .available = available,
            .restarts = pod.max_restart_count(),
            .init_restarts = pod.max_init_restart_count(),
            .created = pod.created(),
            .name = pod.name(),
            .node = pod.node()};
  if (const auto cost = pod.annotation(api::kAnnotationPodDeletionCost)) rank.deletion_cost = deletion_cost(*cost);
  if (pod.phase() == api::PodPhase::kUnknown) rank.phase = 1;
  if (pod.phase() == api::PodPhase::kRunning) rank.phase = 2;
  if (const auto ready = pod.condition(api::kConditionReady)) {
    rank.ready = ready->status == api::Tristate::kTrue;
    rank.ready_since = ready->last_transition;
  }
  return rank;
}

std::int32_t deletion_cost(std::string_view text) {
  const bool plain = text.starts_with('-') || text == "0" || (!text.empty() && text.front() >= '1' && text.front() <= '9');
  std::int32_t cost = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), cost);
  return plain && read.ec == std::errc() && read.ptr == text.data() + text.size() ? cost : 0;
}

bool deleted_before(const Rank& a, const Rank& b, RankRows rows) {
  const int order = compare(a, b, rows == RankRows::kAll ? Purpose::kDelete : Purpose::kDeleteInGroup);
  return order != 0 ? order < 0 : a.name < b.name;
}

bool updated_before(const Rank& a, const Rank& b) { return compare(a, b, Purpose::kUpdate) < 0; }

std::vector<std::size_t> choose_to_delete(std::span<const Rank> ranks, std::size_t count) {
  std::vector<std::size_t> order(ranks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (count >= order.size()) return order;
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), middle, order.end(),
                    [&](std::size_t a, std::size_t b) { return deleted_before(ranks[a], ranks[b]); });
  order.resize(count);
  return order;
}

}  // namespace kruise::workload
