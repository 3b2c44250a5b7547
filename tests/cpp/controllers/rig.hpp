// The CloneSet controller on an embedded API server in virtual time, with simulated nodes.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/api_server.hpp"
#include "cluster/faults.hpp"
#include "cluster/local_client.hpp"
#include "cluster/sim/kubelets.hpp"
#include "cluster/sim/scheduler.hpp"
#include "cluster/sim/volume_binder.hpp"
#include "controllers/cloneset/reconciler.hpp"
#include "controllers/invariants.hpp"
#include "runtime/controller_loop.hpp"

namespace kruise::testing {

class Rig {
 public:
  explicit Rig(std::uint64_t seed = 1);
  ~Rig();

  /// A request as a user; throws when it is refused.
  nlohmann::json send(client::Request);
  void create(const api::CloneSet&);
  void patch(const std::string& merge_patch, const std::string& name = "web");
  [[nodiscard]] nlohmann::json set(const std::string& name = "web");
  [[nodiscard]] std::vector<nlohmann::json> pods();
  [[nodiscard]] nlohmann::json pod(const std::string& name);
  void patch_pod(const std::string& name, const std::string& merge_patch);
  [[nodiscard]] std::vector<nlohmann::json> list(const api::Resource&);
  /// Runs until it holds; false when it does not within the span.
  [[nodiscard]] bool wait(const std::function<bool()>&, base::Duration limit = std::chrono::minutes(10));
  void run(base::Duration span) { loop.run_for(span); }
  /// All wanted pods are at the update revision and available, as the set's status says.
  [[nodiscard]] bool rolled_out(const std::string& name = "web");
  [[nodiscard]] int with_image(const std::string& image);
  /// From now on this share of the controller's requests fails: refused, answered with an error, or carried out without an
  /// answer.
  void fault(double share);
  /// What happens to each of the controller's requests; empty: nothing.
  void inject(std::function<cluster::Fault(const client::Request&)>);
  /// From now on news of pods reach the controller in bursts: held back for so long, then let through for as long.
  void lag(base::Duration);
  /// How many passes of the controller ended with an error, a stale object included.
  [[nodiscard]] double failed_passes() const;
  /// How often the controller has looked at a set since it began.
  [[nodiscard]] std::uint64_t looks() const;
  /// Ends the controller at this instant and starts another with empty caches.
  void restart_controller();

  base::VirtualLoop loop;
  cluster::ApiServer server;
  Invariants invariants;
  cluster::LocalClient client;  // of users and nodes
  cluster::sim::Kubelets nodes;

 private:
  struct Controller;
  std::uint64_t seed_;
  double fault_share_ = 0;
  std::shared_ptr<base::Duration> lag_ = std::make_shared<base::Duration>(0);
  cluster::sim::Scheduler scheduler_;
  cluster::sim::VolumeBinder binder_;
  std::unique_ptr<Controller> controller_;
};

}  // namespace kruise::testing
