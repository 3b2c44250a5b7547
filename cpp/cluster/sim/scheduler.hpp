// Binds pods to nodes: round robin by load, over nodes that are ready and schedulable.
#pragma once

#include <cstdint>
#include <memory>

#include "base/random.hpp"
#include "client/client.hpp"
#include "cluster/sim/delays.hpp"

namespace kruise::cluster::sim {

struct SchedulerOptions {
  Delay bind{std::chrono::milliseconds(10), base::Duration(0)};  // from seen to bound
};

/// Honours spec.nodeSelector, scheduling gates and `spec.unschedulable`; taints, affinity and resources are not looked at. A pod
/// that fits nowhere gets the condition PodScheduled False and waits for a node. Pods of other schedulers are left alone.
/// On the client's executor; the client outlives it.
class Scheduler {
 public:
  Scheduler(client::Client&, base::Random, SchedulerOptions = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  void start();
  void stop();
  [[nodiscard]] std::uint64_t bound() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster::sim
