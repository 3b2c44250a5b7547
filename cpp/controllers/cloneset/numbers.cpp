#include "controllers/cloneset/numbers.hpp"

#include <algorithm>
#include <cstdlib>

namespace kruise::controllers::cloneset {
namespace {

const api::IntOrString kDefaultMaxUnavailable{"20%"};
constexpr std::string_view kAllPods = "100%";

std::string written(const api::IntOrString& v) {
  return v.value.index() == 0 ? std::to_string(std::get<0>(v.value)) : '"' + std::get<1>(v.value) + '"';
}

std::string faulty(std::string_view field, const api::IntOrString& v) {
  return std::string(field) + ": " + written(v) + " is neither a number nor a percentage such as \"20%\"";
}

std::int64_t clamp_to_pods(std::int64_t v) { return std::clamp<std::int64_t>(v, 0, Targets::kNoLimit); }

}  // namespace

void count(Group& group, const Counted& pod) {
  ++group.all;
  if (pod.preparing_delete) {
    ++group.preparing_delete;
    return;
  }
  ++group.active;
  if (pod.planned) {
    ++group.planned;
  } else if (!pod.available) {
    ++group.unavailable;
  }
}

base::Result<Targets, std::string> resolve(const Strategy& strategy) {
  Targets t;
  t.replicas = strategy.replicas.value_or(1);
  if (t.replicas < 0) return "spec.replicas: " + std::to_string(t.replicas) + " is negative";

  if (strategy.partition) {
    const auto partition = api::scaled(*strategy.partition, t.replicas, api::Round::kUp);
    if (!partition) return faulty("spec.updateStrategy.partition", *strategy.partition);
    if (*partition < 0) return "spec.updateStrategy.partition: " + written(*strategy.partition) + " is negative";
    t.partition = *partition;
    // A percentage below 100 % of a small set must still let one pod move.
    if (strategy.partition->is_percent_text() && std::get<1>(strategy.partition->value) != kAllPods &&
        t.partition == t.replicas && t.replicas > 1) {
      t.partition = t.replicas - 1;
    }
    t.partition = std::min(t.partition, t.replicas);
  }

  if (strategy.max_surge) {
    const auto surge = api::scaled(*strategy.max_surge, t.replicas, api::Round::kUp);
    if (!surge) return faulty("spec.updateStrategy.maxSurge", *strategy.max_surge);
    t.surge = strategy.paused ? 0 : clamp_to_pods(*surge);
  }

  const api::IntOrString& budget = strategy.max_unavailable ? *strategy.max_unavailable : kDefaultMaxUnavailable;
  const auto max_unavailable = api::scaled(budget, t.replicas, t.surge > 0 ? api::Round::kDown : api::Round::kUp);
  if (!max_unavailable) return faulty("spec.updateStrategy.maxUnavailable", budget);
  t.max_unavailable = clamp_to_pods(*max_unavailable);

  if (strategy.scale_max_unavailable) {
    const auto limit = api::scaled(*strategy.scale_max_unavailable, t.replicas, api::Round::kUp);
    if (!limit) return faulty("spec.scaleStrategy.maxUnavailable", *strategy.scale_max_unavailable);
    t.scale_max_unavailable = clamp_to_pods(*limit);
  }
  return t;
}

Numbers numbers(const Group& updated, const Group& old, const Targets& t, const Switches& switches) {
  Numbers n;
  const std::int64_t planned = updated.planned + old.planned;
  const std::int64_t unavailable = updated.preparing_delete + old.preparing_delete + updated.unavailable + old.unavailable;
  const std::int64_t all = updated.all + old.all;

  std::int64_t excess_old = old.active - t.partition;
  std::int64_t excess_new = updated.active - (t.replicas - t.partition);
  if (switches.at_rest || !switches.partition_rollback) {
    excess_old = std::max<std::int64_t>(excess_old, 0);
    excess_new = std::min<std::int64_t>(excess_new, 0);
  }

  if (t.surge > 0) {
    // Extra pods stand in for planned deletions that the budget does not cover
    // ...
    const std::int64_t stand_in = std::min(std::max<std::int64_t>(unavailable + planned - t.max_unavailable, 0), planned);
    const std::int64_t stand_in_old = std::max<std::int64_t>(stand_in - updated.planned, 0);
    // ... or for pods that move from one side to the other, whichever needs
    // more.
    std::int64_t moving = 0;
    std::int64_t moving_old = 0;
    if ((excess_old < 0 && excess_new > 0) || (excess_old > 0 && excess_new < 0)) {
      moving = std::min(std::abs(excess_old), std::abs(excess_new));
      const bool backwards = std::abs(excess_old) <= std::abs(excess_new) ? excess_old < 0 : excess_new > 0;
      moving_old = backwards ? moving : 0;
    }
    n.surge_used = std::min(t.surge, std::max(stand_in, moving));
    n.surge_used_old = std::min(n.surge_used, stand_in >= moving ? stand_in_old : moving_old);
  }

  std::int64_t counted = all;
  std::int64_t counted_old = old.all;
  if (switches.exclude_preparing_delete) {
    counted -= updated.preparing_delete + old.preparing_delete;
    counted_old -= old.preparing_delete;
  }
  n.create = std::max<std::int64_t>(t.replicas + n.surge_used - counted, 0);
  n.create_old = n.create > 0 ? std::max<std::int64_t>(t.partition + n.surge_used_old - counted_old, 0) : 0;
  n.create_limit = std::min(n.create, std::max<std::int64_t>(t.scale_max_unavailable - unavailable, 0));

  n.remove = std::max<std::int64_t>(counted - planned - (t.replicas + n.surge_used), 0);
  n.remove_old = n.remove > 0 ? std::max<std::int64_t>(counted_old - old.planned - (t.partition + n.surge_used_old), 0) : 0;
  if (planned > 0 || n.remove > 0)
    n.ready_deletable = std::max<std::int64_t>(t.max_unavailable + all - t.replicas - unavailable, 0);

  n.update = std::abs(excess_old) <= std::abs(excess_new) ? excess_old : -excess_new;
  n.update_max = n.update != 0 ? t.max_unavailable + all - t.replicas : 0;
  return n;
}

}  // namespace kruise::controllers::cloneset
