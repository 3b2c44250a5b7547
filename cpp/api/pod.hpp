// The pod as controllers see it: the fields that some reader needs, and nothing else (docs/pod-fields.md lists them with their readers).
//
// There are 100,000 of them, so the layout is private and compact; the watch cache builds pods straight from the bytes of a
// stream (cache/pod_decoder), tests build them from `PodFields`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.hpp"
#include "base/time.hpp"

namespace kruise::api {

enum class PodPhase : std::uint8_t { kNone, kPending, kRunning, kSucceeded, kFailed, kUnknown };
enum class Tristate : std::uint8_t { kUnknown, kFalse, kTrue };

/// Everything a compact pod holds, in plain form: what decoders fill and tests write by hand.
struct PodFields {
  struct Condition {
    std::string type;
    Tristate status = Tristate::kUnknown;
    std::optional<base::Time> last_transition;
    std::string reason;
    std::string message;  // kept for KruisePodReady only; empty else
    bool operator==(const Condition&) const = default;
  };
  struct Container {
    std::string name;
    std::string image;
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

  ObjectMeta meta;  // annotations: only those named in api::kept_pod_annotations()
  std::string node_name;
  std::vector<Container> containers;
  std::vector<std::string> readiness_gates;  // condition types
  std::vector<std::string> claim_names;      // of volumes with a claim
  PodPhase phase = PodPhase::kNone;
  std::vector<Condition> conditions;
  std::vector<ContainerStatus> statuses;       // containerStatuses, in their order
  std::vector<ContainerStatus> init_statuses;  // initContainerStatuses: restart counts only are used
  bool operator==(const PodFields&) const = default;
};

/// Annotations of a pod that some reader needs; all others are not kept in the cache.
[[nodiscard]] std::span<const std::string_view> kept_pod_annotations();

/// "containerd://<64 hex digits>", kept as bytes in the pod: compare and copy it freely, as long as the pod lives.
class ContainerId {
 public:
  ContainerId() = default;
  explicit ContainerId(std::string_view text) : text_(text) {}
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::string text() const { return std::string(text_); }
  bool operator==(const ContainerId&) const = default;

 private:
  std::string_view text_;
};

/// Immutable once built; shared between the cache, plans and Python. Views returned live as long as the pod.
class Pod {
 public:
  explicit Pod(PodFields);

  [[nodiscard]] std::string_view name() const { return f_.meta.name; }
  [[nodiscard]] std::string_view ns() const { return f_.meta.ns; }
  [[nodiscard]] std::string uid() const { return f_.meta.uid; }
  [[nodiscard]] std::uint64_t resource_version() const;
  [[nodiscard]] std::int64_t generation() const { return f_.meta.generation; }
  [[nodiscard]] std::optional<base::Time> created() const { return f_.meta.creation_timestamp; }
  [[nodiscard]] std::optional<base::Time> deletion() const { return f_.meta.deletion_timestamp; }
  [[nodiscard]] std::optional<std::string_view> label(std::string_view key) const;
  [[nodiscard]] StringMap labels() const { return f_.meta.labels; }
  [[nodiscard]] std::optional<std::string_view> annotation(std::string_view key) const;
  [[nodiscard]] bool has_finalizer(std::string_view) const;
  [[nodiscard]] std::span<const std::string> finalizers() const { return f_.meta.finalizers; }
  [[nodiscard]] std::span<const OwnerReference> owners() const { return f_.meta.owners; }
  /// Null when no reference is the controller's.
  [[nodiscard]] const OwnerReference* controller() const { return f_.meta.controller(); }
  /// Whether any owner reference names this UID.
  [[nodiscard]] bool owned_by(std::string_view uid) const;
  /// Whether the controller reference names this UID.
  [[nodiscard]] bool controlled_by(std::string_view uid) const;

  [[nodiscard]] std::string_view node() const { return f_.node_name; }
  [[nodiscard]] std::span<const PodFields::Container> containers() const { return f_.containers; }
  [[nodiscard]] std::optional<std::string_view> image(std::string_view container) const;
  [[nodiscard]] bool has_readiness_gate(std::string_view type) const;
  [[nodiscard]] std::span<const std::string> readiness_gates() const { return f_.readiness_gates; }
  [[nodiscard]] std::vector<std::string> claim_names() const { return f_.claim_names; }

  [[nodiscard]] PodPhase phase() const { return f_.phase; }
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
  [[nodiscard]] std::size_t status_count() const { return f_.statuses.size(); }
  [[nodiscard]] StatusView status(std::size_t index) const;
  [[nodiscard]] std::optional<StatusView> status(std::string_view container) const;
  /// The highest restart count of any container (init containers left out) and of init containers.
  [[nodiscard]] std::int32_t max_restart_count() const;
  [[nodiscard]] std::int32_t max_init_restart_count() const;

  [[nodiscard]] bool operator==(const Pod&) const = default;

 private:
  PodFields f_;
};

using PodPtr = std::shared_ptr<const Pod>;

}  // namespace kruise::api
