// Tells the server what simulated kubelets did to their pods: status reports, and deletions that are finished.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/lifetime.hpp"
#include "client/client.hpp"
#include "cluster/sim/pod_state.hpp"

namespace kruise::cluster::sim {

/// One report of a pod is under way at a time; what happens meanwhile goes into the next. On the client's executor, which with
/// the client and the pods outlives it.
class PodReporter {
 public:
  /// The pods that are reported on.
  class Pods {
   public:
    virtual ~Pods() = default;
    /// The pod of this key, if it is still the one of this PodState::id; null otherwise.
    [[nodiscard]] virtual PodState* find(const std::string& key, std::uint64_t id) = 0;
    /// Whether the pod's node has fallen silent: then nothing is reported.
    [[nodiscard]] virtual bool silent(const PodState&) const = 0;
    /// The server knows what was reported, or no such pod.
    virtual void reported(const std::string& key, PodState&) = 0;
  };

  struct Stats {
    std::uint64_t reports = 0;    // status patches
    std::uint64_t deletions = 0;  // finished
    std::uint64_t failures = 0;   // answers that were errors
  };

  PodReporter(client::Client&, Pods&);
  void start() { life_ = std::make_unique<base::Lifetime>(); }
  void stop() { life_.reset(); }

  /// The server is to know what the pod is now. Repeated until it does.
  void report(const std::string& key, PodState&);
  /// Removes the pod for good after the delay, unless it is no longer being terminated then.
  void finish_after(base::Duration delay, const std::string& key, std::uint64_t id);
  /// What the node controller of a real cluster does to a pod of a node that fell silent. Told once.
  void mark_not_ready(const PodState&);

  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  void flush_after(base::Duration delay, const std::string& key, std::uint64_t id);
  void flush(const std::string& key, PodState&);
  void answered(const std::string& key, PodState&, const client::Outcome&);
  [[nodiscard]] static client::Request status_request(const PodState&, std::string body);
  [[nodiscard]] std::string now() const;

  client::Client& client_;
  Pods& pods_;
  Stats stats_;
  std::unique_ptr<base::Lifetime> life_;
};

}  // namespace kruise::cluster::sim
