// The pod as controllers see it: the fields that some reader needs, and nothing else (docs/pod-fields.md lists them with their
// readers).
//
// There are 100,000 of them, so the layout is private and compact: what pods of one revision have in common is held once
// (api/pod_parts.hpp), what is a pod's own lies in one block of bytes. The watch cache builds pods straight from the bytes of a
// stream (cache/pod_decoder), tests build them from `PodFields`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.hpp"
#include "api/metadata_env.hpp"
#include "base/intern.hpp"
#include "base/time.hpp"

namespace kruise::api {

enum class PodPhase : std::uint8_t { kNone, kPending, kRunning, kSucceeded, kFailed, kUnknown };
enum class Tristate : std::uint8_t { kUnknown, kFalse, kTrue };

/// Everything a compact pod holds, in plain form: what tests write by hand.
struct PodFields {
  struct Condition {
    std::string type;
    Tristate status = Tristate::kUnknown;
    std::optional<base::Time> last_transition;
    std::string reason;
    std::string message;  // kept for KruisePodReady only; empty else
    bool operator==(const Condition&) const = default;
  };
  /// A variable that a container takes from the pod's metadata.
  struct MetadataEnv {
    std::string name;
    MetadataMap map = MetadataMap::kLabels;
    std::string key;
    bool operator==(const MetadataEnv&) const = default;
  };
  struct Container {
    std::string name;
    std::string image;
    std::vector<MetadataEnv> metadata_env{};
    std::optional<std::int32_t> launch_priority{};
    bool operator==(const Container&) const = default;
  };
  struct ContainerStatus {
    std::string name;
    std::string image;
    std::string image_id;
    std::string container_id;
    bool ready = false;
    std::int32_t restart_count = 0;
    bool operator==(const ContainerStatus&) const = default;
  };

  ObjectMeta meta;  // annotations: only those named in api::kept_pod_annotations(), and what `metadata_env` refers to
  std::string node_name;
  std::vector<Container> containers;
  std::vector<std::string> readiness_gates;  // condition types
  std::vector<std::string> claim_names;      // of volumes with a claim
  PodPhase phase = PodPhase::kNone;
  std::vector<Condition> conditions;
  /// Of the JSON of each container, as a node agent may report them: only of a pod on which one reports.
  std::vector<std::uint32_t> container_hashes;
  std::vector<ContainerStatus> statuses;       // containerStatuses, in their order
  std::vector<ContainerStatus> init_statuses;  // initContainerStatuses: a pod keeps their restart counts only
  bool operator==(const PodFields&) const = default;
};

/// Annotations of a pod that some reader needs. Of all others only those are kept that a container of the pod takes a variable
/// from.
[[nodiscard]] std::span<const std::string_view> kept_pod_annotations();

/// "containerd://<64 hex digits>", kept as bytes in the pod: compare and copy it freely, as long as the pod lives.
class ContainerId {
 public:
  ContainerId() = default;
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string text() const;
  /// By what they name, whichever pods they come from.
  bool operator==(const ContainerId&) const = default;

 private:
  friend class Pod;
  std::string_view bytes_;
  bool packed_ = false;  // one byte for the runtime and 32 for the digits; else text
};

struct PodView;
class PodPool;
namespace pod_parts {
struct Family;
struct Labels;
struct Spec;
struct Conditions;
struct Statuses;
}  // namespace pod_parts

/// Immutable once built; shared between the cache, plans and Python. Views returned live as long as the pod.
class Pod {
 public:
  /// A pod that shares nothing. Of `meta.resource_version` the number is kept, of `init_statuses` the restart counts.
  explicit Pod(const PodFields&);
  /// For `PodPool::make`, which alone has a key.
  class Key {
    friend class PodPool;
    Key() = default;
  };
  Pod(Key, const PodView& view, PodPool& pool) : Pod(view, pool) {}
  ~Pod();
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view ns() const;
  [[nodiscard]] std::string uid() const;
  [[nodiscard]] bool same_uid(const Pod&) const;
  [[nodiscard]] std::uint64_t resource_version() const { return version_; }
  [[nodiscard]] std::int64_t generation() const { return generation_; }
  [[nodiscard]] std::optional<base::Time> created() const;
  [[nodiscard]] std::optional<base::Time> deletion() const;
  [[nodiscard]] std::optional<std::string_view> label(std::string_view key) const;
  [[nodiscard]] StringMap labels() const;
  [[nodiscard]] std::optional<std::string_view> annotation(std::string_view key) const;
  [[nodiscard]] bool has_finalizer(std::string_view) const;
  [[nodiscard]] std::span<const std::string> finalizers() const;
  [[nodiscard]] std::span<const OwnerReference> owners() const;
  /// Null when no reference is the controller's.
  [[nodiscard]] const OwnerReference* controller() const;
  /// Whether any owner reference names this UID.
  [[nodiscard]] bool owned_by(std::string_view uid) const;
  /// Whether the controller reference names this UID.
  [[nodiscard]] bool controlled_by(std::string_view uid) const;

  [[nodiscard]] std::string_view node() const;
  [[nodiscard]] std::span<const PodFields::Container> containers() const;
  [[nodiscard]] std::optional<std::string_view> image(std::string_view container) const;
  /// Null when there is none of that name.
  [[nodiscard]] const PodFields::Container* container(std::string_view name) const;
  /// Of the JSON of the container at this place (base::printed_bytes_hash); known only of a pod on which a node agent reports.
  [[nodiscard]] std::optional<std::uint32_t> container_hash(std::size_t index) const;
  [[nodiscard]] bool has_readiness_gate(std::string_view type) const;
  [[nodiscard]] std::span<const std::string> readiness_gates() const;
  [[nodiscard]] std::vector<std::string> claim_names() const;

  [[nodiscard]] PodPhase phase() const { return phase_; }
  struct ConditionView {
    Tristate status;
    std::optional<base::Time> last_transition;
    std::string_view reason;
    std::string_view message;
  };
  [[nodiscard]] std::optional<ConditionView> condition(std::string_view type) const;
  struct StatusView {
    std::string_view name, image, image_id;
    ContainerId container_id;
    bool ready;
    std::int32_t restart_count;
  };
  [[nodiscard]] std::size_t status_count() const;
  [[nodiscard]] StatusView status(std::size_t index) const;
  [[nodiscard]] std::optional<StatusView> status(std::string_view container) const;
  /// The highest restart count of any container (init containers left out) and of init containers.
  [[nodiscard]] std::int32_t max_restart_count() const;
  [[nodiscard]] std::int32_t max_init_restart_count() const;

  /// The plain form again: costs what a pod was made compact to save.
  [[nodiscard]] PodFields fields() const;
  [[nodiscard]] bool operator==(const Pod& other) const { return fields() == other.fields(); }
  /// What this pod takes in memory beside the parts that it shares.
  [[nodiscard]] std::size_t own_bytes() const;

 private:
  friend class PodPool;
  enum class Tag : std::uint8_t;
  Pod(const PodView&, PodPool&);
  [[nodiscard]] std::optional<std::string_view> record(Tag, std::size_t index = 0) const;
  /// Of a record "name\0value".
  [[nodiscard]] std::optional<std::string_view> named_record(Tag, std::string_view name) const;
  [[nodiscard]] std::size_t condition_at(std::size_t index) const;
  [[nodiscard]] std::size_t status_at(std::size_t index) const;
  [[nodiscard]] std::size_t init_at(std::size_t index) const;
  template <class Visit>
  void each_record(Visit&&) const;

  // Shared with other pods.
  base::Interned<pod_parts::Family> family_;
  base::Interned<pod_parts::Labels> labels_;
  base::Interned<pod_parts::Spec> spec_;
  base::Interned<pod_parts::Conditions> conditions_;
  base::Interned<pod_parts::Statuses> statuses_;
  base::Interned<std::string> node_;
  // Its own.
  std::array<std::byte, 16> uid_{};  // all zero when its text form is no usual one and lies in the block
  std::uint64_t version_ = 0;
  std::int64_t generation_ = 0;
  std::int64_t created_ns_, deletion_ns_;  // since 1970; the least number when absent
  std::unique_ptr<char[]> block_;          // name, numbers of conditions and statuses, tagged records
  std::uint32_t block_bytes_ = 0;
  std::uint32_t records_at_ = 0;
  std::uint32_t name_bytes_ = 0;
  std::uint16_t init_count_ = 0;
  PodPhase phase_ = PodPhase::kNone;
};

using PodPtr = std::shared_ptr<const Pod>;

}  // namespace kruise::api
