// Which pod goes first: the worst one. Used to scale in and to order an update.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/pod.hpp"

namespace kruise::workload {

/// What the order looks at, taken from a pod once, so that a sort touches no
/// pod.
struct Rank {
  bool has_node = false;
  std::uint8_t phase = 0;  // Pending (and anything unusual) 0, Unknown 1, Running 2
  bool available = false;
  bool ready = false;                       // condition Ready is True
  std::int32_t deletion_cost = 0;           // as the user says
  double spread = 0;                        // see set_spread
  std::optional<base::Time> ready_since{};  // its transition
  std::int32_t restarts = 0;
  std::int32_t init_restarts = 0;
  std::optional<base::Time> created{};
  std::string_view name{};  // of the pod, which must outlive the rank
  std::string_view node{};
};
[[nodiscard]] Rank rank_of(const api::Pod&, bool available);

/// The value of `controller.kubernetes.io/pod-deletion-cost`; 0 for what is no number of 32 bits in its plain form ("+5", "05").
[[nodiscard]] std::int32_t deletion_cost(std::string_view);

enum class RankRows : bool { kAll, kWithoutAvailability };
/// Scale-in: `a` is deleted before `b`. A total order (names decide last).
[[nodiscard]] bool deleted_before(const Rank& a, const Rank& b, RankRows = RankRows::kAll);
/// Update: `a` is updated before `b`; for a stable sort, ties keep the order
/// they had.
[[nodiscard]] bool updated_before(const Rank& a, const Rank& b);

/// Indexes into `ranks` of the `count` pods to delete, first to go first. When
/// all are taken their order is kept.
[[nodiscard]] std::vector<std::size_t> choose_to_delete(std::span<const Rank> ranks, std::size_t count);

}  // namespace kruise::workload
