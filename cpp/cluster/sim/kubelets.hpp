// A fleet of nodes that pretend to run containers.
//
// Each node registers, reports, admits the pods bound to it, pulls images, starts containers, makes them ready, restarts a
// container in place when its image in the spec changes (new image ID, new container ID, restart count + 1), computes the pod's
// Ready condition from containers and readiness gates, and finishes deletions. One patch of the status a report, as a kubelet
// does. The node agent's part in updating variables that are taken from a pod's metadata is played too, in the same patch: it
// tells what each container runs with, and restarts it while an in-place update keeps the pod from service.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "client/client.hpp"
#include "cluster/sim/delays.hpp"

namespace kruise::cluster::sim {

struct KubeletOptions {
  int nodes = 3;
  std::string node_prefix = "node-";
  int pods_per_node = 110;  // as the node reports it; not enforced
  std::map<std::string, std::string> node_labels{};
  Delay pull{std::chrono::milliseconds(1000), std::chrono::milliseconds(1000)};  // once per image and node
  Delay start{std::chrono::milliseconds(300),
              std::chrono::milliseconds(300)};                    // of a container, the stop of its predecessor included
  Delay ready{std::chrono::seconds(2), std::chrono::seconds(1)};  // from started to ready
  Delay terminate{std::chrono::milliseconds(500), std::chrono::milliseconds(500)};  // never longer than the grace period
  base::Duration heartbeat = std::chrono::minutes(5);                               // 0: none
  base::Duration pull_backoff = std::chrono::seconds(10);                           // doubled with each failure, up to the next
  base::Duration pull_backoff_max = std::chrono::minutes(5);
  bool node_agent = true;
  base::Duration node_grace = std::chrono::seconds(40);  // from a node's last sign to Ready Unknown
};

struct KubeletStats {
  std::uint64_t pods = 0;       // on the nodes now
  std::uint64_t ready = 0;      // of these, all containers ready
  std::uint64_t starts = 0;     // containers started, restarts included
  std::uint64_t restarts = 0;   // of these, in place
  std::uint64_t reports = 0;    // status patches
  std::uint64_t deletions = 0;  // finished
  std::uint64_t failures = 0;   // answers that were errors
};

/// On the client's executor: construction, calls and destruction happen there (or before it runs). The client outlives it.
class Kubelets {
 public:
  Kubelets(client::Client&, base::Random, KubeletOptions = {});
  ~Kubelets();
  Kubelets(const Kubelets&) = delete;
  Kubelets& operator=(const Kubelets&) = delete;

  /// Registers the nodes and begins. A pod that already runs according to its status goes on running.
  void start();
  void stop();

  // What can go wrong. All take effect at once, also for pods under way.

  /// Everything takes `factor` times as long, on one node or (empty name) on all.
  void slow_down(double factor, std::string_view node = {});
  /// Pulls of this image fail (ErrImagePull, ImagePullBackOff) until taken back.
  void fail_image(std::string_view image, bool fails = true);
  /// Containers of this image start but are never ready, until taken back. Those that are ready already cease to be.
  void never_ready(std::string_view image, bool never = true);
  /// The same for one pod ("ns/name").
  void never_ready_pod(std::string_view key, bool never = true);
  /// The image has this ID instead of one of its own (two tags of one image).
  void set_image_id(std::string_view image, std::string_view id);
  /// A container ends and is started again. False: no such running container.
  bool crash_container(std::string_view key, std::string_view container);
  /// The pod ends as Failed with this reason (as when evicted). False: no such pod.
  bool fail_pod(std::string_view key, std::string_view reason = "Evicted");
  /// The node falls silent; after `node_grace` its Ready is Unknown and its pods are not ready. Back: it goes on where it was.
  bool lose_node(std::string_view name);
  bool recover_node(std::string_view name);

  [[nodiscard]] KubeletStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster::sim
