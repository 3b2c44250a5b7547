// What the simulators read of the objects they follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/pod.hpp"

namespace kruise::cluster::sim {

/// The part of metadata by which objects are told apart.
struct Identity {
  std::string ns;
  std::string name;
  std::string uid;
  std::uint64_t version = 0;
  bool deleting = false;
  [[nodiscard]] std::string key() const { return ns + "/" + name; }
};

struct PodRecord : Identity {
  struct Container {
    std::string name;
    std::string image;
    std::vector<api::PodFields::MetadataEnv> metadata_env{};
  };
  struct Condition {
    std::string type;
    std::string status;
    std::string since;  // lastTransitionTime
  };
  struct ContainerStatus {
    std::string name;
    std::string image;
    std::string image_id;
    std::string container_id;
    std::string started_at;
    std::int64_t restart_count = 0;
    bool ready = false;
    bool running = false;
  };
  std::int64_t grace_s = 30;  // of the deletion under way
  std::string node;
  std::string scheduler;
  bool scheduling_gates = false;
  bool host_network = false;
  std::vector<std::pair<std::string, std::string>> node_selector;
  std::vector<Container> containers;
  std::vector<Container> init_containers;
  std::vector<std::pair<std::string, std::string>> labels, annotations;  // only where variables are taken from them
  std::vector<std::string> readiness_gates;
  std::vector<std::string> claims;  // of volumes
  std::string phase;
  std::string pod_ip;
  std::string start_time;
  std::vector<Condition> conditions;
  std::vector<ContainerStatus> statuses;

  [[nodiscard]] const Condition* condition(std::string_view type) const;
  [[nodiscard]] bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
  /// Whether a container takes variables from the pod's metadata.
  [[nodiscard]] bool has_metadata_env() const;
};

struct NodeRecord : Identity {
  bool unschedulable = false;
  bool ready = false;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct ClaimRecord : Identity {
  std::string phase;
  std::string volume;
  std::string storage;  // requested
  std::vector<std::string> access_modes;
  bool protected_by_pods = false;  // carries the finalizer kubernetes.io/pvc-protection
};

/// Each overwrites `out`. False when the text is no such object; padding as for Sink::seen.
[[nodiscard]] bool read(std::string_view json, Identity& out);
[[nodiscard]] bool read(std::string_view json, PodRecord& out);
[[nodiscard]] bool read(std::string_view json, NodeRecord& out);
[[nodiscard]] bool read(std::string_view json, ClaimRecord& out);

}  // namespace kruise::cluster::sim
