// What must hold at each write of the controller, judged on the state in storage at that instant. Shares no code with the plans.
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

#include "cluster/storage.hpp"

namespace kruise::testing {

/// Not terminating or finished, and controlled by a CloneSet.
[[nodiscard]] bool is_active_member(const nlohmann::json& pod);

/// Of one set. Feed it every write of the cluster, in order.
class Invariants {
 public:
  void see(const cluster::StorageEvent&);

  std::vector<std::string> violations;
  std::map<std::string, int> writes;  // of the controller: "MODIFIED pods" and the like

 private:
  void judge(const cluster::StorageEvent&, const nlohmann::json& before, const nlohmann::json& after);
  [[nodiscard]] bool matches_selector(const nlohmann::json& pod) const;

  std::map<std::string, nlohmann::json> pods_;
  nlohmann::json set_;
};

}  // namespace kruise::testing
