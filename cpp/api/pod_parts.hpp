// How a compact pod is made: a view of decoded fields in, a pod out that shares with others what it has in common with them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/pod.hpp"
#include "base/intern.hpp"

namespace kruise::api {

/// The fields of a pod as views into somebody else's bytes, reused from pod to pod so that decoding allocates nothing.
struct PodView {
  struct Pair {
    std::string_view key, value;
  };
  struct Owner {
    std::string_view api_version, kind, name, uid;
    bool controller = false, block_owner_deletion = false;
  };
  struct Condition {
    std::string_view type, reason, message;
    Tristate status = Tristate::kUnknown;
    std::optional<base::Time> last_transition;
  };
  struct MetadataEnv {
    std::string_view name, key;
    MetadataMap map = MetadataMap::kLabels;
  };
  struct Container {
    std::string_view name, image;
    std::size_t env_count = 0;  // how many of `metadata_env` are its own
    std::optional<std::int32_t> launch_priority;
  };
  struct Status {
    std::string_view name, image, image_id, container_id;
    bool ready = false;
    std::int32_t restart_count = 0;
  };

  std::string_view name, ns, uid;
  std::uint64_t version = 0;
  std::int64_t generation = 0;
  std::optional<base::Time> created, deletion;
  std::vector<Pair> labels, annotations;  // of annotations those that a pod keeps
  std::vector<std::string_view> finalizers;
  std::vector<Owner> owners;
  std::string_view node;
  std::vector<Container> containers;
  std::vector<MetadataEnv> metadata_env;  // of the containers, one after the other
  std::vector<std::uint32_t> container_hashes;
  std::vector<std::string_view> readiness_gates, claim_names;
  PodPhase phase = PodPhase::kNone;
  std::vector<Condition> conditions;
  std::vector<Status> statuses;
  std::vector<std::int32_t> init_restart_counts;

  /// Empty again; the vectors keep their memory.
  void clear();
};

namespace pod_parts {

/// Of one owner.
struct Family {
  std::string ns;
  std::vector<OwnerReference> owners;
  std::vector<std::string> finalizers;
};
/// Labels but those that differ from pod to pod, in order of key.
struct Labels {
  std::vector<std::pair<std::string, std::string>> pairs;
};
struct Spec {
  std::vector<PodFields::Container> containers;
  std::vector<std::string> readiness_gates;
};
/// What pods in one state have in common.
struct Conditions {
  struct Item {
    std::string type, reason;
    Tristate status;
  };
  std::vector<Item> items;
};
/// What containers of one revision have in common once they run.
struct Statuses {
  struct Item {
    std::string name, image, image_id;
  };
  std::vector<Item> items;
};

}  // namespace pod_parts

/// Makes pods. One thread; the pods may go anywhere and outlive it.
class PodPool {
 public:
  /// Views are copied; `view.labels` is brought into order.
  [[nodiscard]] PodPtr make(PodView& view);
  /// Lets go of parts that no pod holds any more (grown tables do it by themselves).
  void trim();
  /// Bytes of the parts, about.
  [[nodiscard]] std::size_t bytes() const;
  /// How many parts there are, of all kinds together.
  [[nodiscard]] std::size_t size() const;

 private:
  friend class Pod;
  base::InternTable<pod_parts::Family> families_;
  base::InternTable<pod_parts::Labels> labels_;
  base::InternTable<pod_parts::Spec> specs_;
  base::InternTable<pod_parts::Conditions> conditions_;
  base::InternTable<pod_parts::Statuses> statuses_;
  base::InternTable<std::string> nodes_;
  std::string block_;  // scratch
};

}  // namespace kruise::api
