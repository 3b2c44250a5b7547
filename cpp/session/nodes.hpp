// Simulated nodes over any client: kubelets, scheduler, volume binder and, where nobody else does that, the garbage collector.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "client/client.hpp"

namespace kruise::session {

struct NodeOptions {
  int count = 3;
  double schedule_s = 0.05, pull_s = 1, start_s = 0.5, ready_s = 1, stop_s = 0.5;
  double jitter = 0;  // each delay is drawn from delay × (1 … 1 + jitter)
  std::uint64_t seed = 0;
  double node_grace_s = 40;    // from a node's last sign to Ready Unknown
  double pull_backoff_s = 10;  // from a failed pull to the next, doubled each time
  /// Whether this is all there is beside an API server. A real control plane collects garbage and releases claims itself.
  bool stand_alone = true;
};

/// On the client's executor.
class Nodes {
 public:
  Nodes(client::Client&, const NodeOptions&);
  ~Nodes();
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;
  void start();

  /// A command as JSON: {"do": "fail_image", "image": "…"}. Throws Refused where it is none, or names nothing that is there.
  void command(const std::string& json);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kruise::session
