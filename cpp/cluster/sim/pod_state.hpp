// What a simulated kubelet knows of one pod, and how it writes it down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "cluster/sim/records.hpp"

namespace kruise::cluster::sim {

struct ContainerState {
  enum class Phase : std::uint8_t { kWaiting, kRunning };
  std::string name;
  std::string wanted_image;  // of the spec
  Phase phase = Phase::kWaiting;
  std::string waiting_reason = "ContainerCreating";
  std::string waiting_message;
  std::string image;  // that runs, or ran last
  std::string image_id;
  std::string container_id;  // empty: never started
  std::string started_at;
  std::int64_t restart_count = 0;
  int pull_failures = 0;
  bool ready = false;
  bool busy = false;        // a timer will move it on
  bool restarting = false;  // what it waits for is a start, not readiness
  std::uint64_t token = 0;  // of that timer: those of an earlier token do nothing
  struct Ended {
    std::string container_id;
    std::string started_at;
    std::string finished_at;
    int exit_code = 0;
  };
  std::optional<Ended> ended;  // lastState
  // Of the variables taken from the pod's metadata: hashes as a node agent tells them, of what it runs with and what a start
  // would give it now. 0 where nobody asks.
  std::uint32_t env_hash = 0;
  std::uint32_t wanted_env_hash = 0;

  [[nodiscard]] bool running() const { return phase == Phase::kRunning; }
  /// Runs the wanted image from now on, in place of what ran. Returns whether something ran before.
  bool start(std::string_view pod_uid, std::string image_id, const std::string& now);
  /// Runs no more, and waits for this reason.
  void end(int exit_code, const std::string& now, std::string_view why);
  /// Waits for an image that cannot be pulled.
  void fail_pull(const std::string& now);
};

/// A condition as the server holds it, as far as known.
struct KnownCondition {
  std::string status;
  std::string since;
};

/// What the server holds of the conditions that others write too.
struct SeenConditions {
  std::uint64_t version = 0;
  KnownCondition containers_ready, ready;
};

struct PodState {
  PodState() = default;
  /// As the record says: what ran already, before this process, goes on.
  explicit PodState(const PodRecord&);

  std::string ns, name, uid;
  std::size_t node = 0;
  std::vector<ContainerState> containers;
  std::vector<std::pair<std::string, std::string>> init_containers;  // name, image: they succeed at once
  std::vector<std::string> gates;
  std::vector<std::pair<std::string, std::string>> gate_status;  // condition -> status, of those that exist
  std::string ip;
  std::string host_ip;
  std::string start_time;
  std::string phase = "Pending";
  std::string reason;  // of a pod that failed
  KnownCondition initialized, containers_ready, ready;
  SeenConditions seen;                // newest
  std::uint64_t written_version = 0;  // of our last report
  bool deleting = false;

  std::uint64_t id = 0;      // of this pod object, among all of this process
  bool reported = false;     // the server has had a status from a kubelet
  bool dirty = false;        // the server does not know all of this
  bool flushing = false;     // a report is planned or on its way
  bool terminating = false;  // the deletion is under way

  /// Takes up what others write: gates, conditions, the deletion.
  void see(const PodRecord&);
  /// The part of a node agent: what containers take from labels and annotations. A pod that runs already when it is first seen is
  /// taken to run with what it would get.
  void see_metadata(const PodRecord&);
  /// The container has to start anew: for its image, or, while an in-place update keeps the pod from service, for its variables.
  [[nodiscard]] bool is_outdated(const ContainerState&) const;
  /// What is seen may be older than our own last report, or than the one under way.
  void adopt_seen();
  [[nodiscard]] bool finished() const { return phase == "Failed" || phase == "Succeeded"; }
  [[nodiscard]] bool all_ready() const;
  /// What the Ready condition should say: "True" or "False", why, and in which words.
  struct Verdict {
    bool ready = false;
    std::string reason;
    std::string message;
  };
  [[nodiscard]] Verdict verdict() const;
  [[nodiscard]] Verdict containers_verdict() const;
};

/// The body of a status patch, with the UID as precondition and, where containers take variables from the pod's metadata, the
/// node agent's annotation. Conditions take `now` as time of transition where they change, and are remembered as known.
[[nodiscard]] std::string status_patch(PodState&, const std::string& now);

/// "containerd://…", another one for each restart.
[[nodiscard]] std::string container_id_of(std::string_view pod_uid, std::string_view container, std::int64_t restart_count);

/// "example.com/web:1" -> "example.com/web@sha256:…", always the same for an image.
[[nodiscard]] std::string image_id_of(std::string_view image);

}  // namespace kruise::cluster::sim
