// How many objects the latest plans of a controller leave alone, by the rule that holds them: `kruise_held_objects`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/key.hpp"
#include "base/metrics.hpp"
#include "runtime/plan.hpp"

namespace kruise::runtime {

class HeldGauges {
 public:
  HeldGauges(base::Metrics& metrics, std::string controller) : metrics_(metrics), controller_(std::move(controller)) {}
  ~HeldGauges();
  HeldGauges(const HeldGauges&) = delete;
  HeldGauges& operator=(const HeldGauges&) = delete;

  /// What the key's newest plan says replaces what an earlier one said.
  void update(const api::Key&, const std::vector<Reason>&);
  void forget(const api::Key& key) { update(key, {}); }

 private:
  using Counts = std::map<std::string, int>;  // by rule

  [[nodiscard]] base::Labels labels(const std::string& rule) const { return {{"controller", controller_}, {"rule", rule}}; }

  base::Metrics& metrics_;
  std::string controller_;
  std::map<api::Key, Counts> by_key_;  // only keys that hold something
  Counts totals_;                      // a rule stays on the page once it was there
};

}  // namespace kruise::runtime
