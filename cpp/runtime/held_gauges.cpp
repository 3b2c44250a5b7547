#include "runtime/held_gauges.hpp"

#include <utility>

namespace kruise::runtime {

HeldGauges::~HeldGauges() {
  for (const auto& [rule, total] : totals_) metrics_.remove_series("kruise_held_objects", labels(rule));
}

void HeldGauges::update(const api::Key& key, const std::vector<Reason>& reasons) {
  Counts now;
  for (const Reason& reason : reasons) {
    if (reason.verdict == Reason::Verdict::kHeld) ++now[reason.rule];
  }
  Counts& before = by_key_[key];
  if (now != before) {
    for (const auto& [rule, count] : before) totals_[rule] -= count;
    for (const auto& [rule, count] : now) totals_[rule] += count;
    for (const auto& [rule, total] : totals_) {
      metrics_
          .gauge("kruise_held_objects", "Objects that the latest plans leave alone, by the rule that holds them.", labels(rule))
          .set(total);
    }
    before = std::move(now);
  }
  if (before.empty()) by_key_.erase(key);
}

}  // namespace kruise::runtime
