// One patch of one pod, put together field by field. What the observed pod has already is left out, so that nothing is sent
// that changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/pod.hpp"
#include "base/result.hpp"
#include "runtime/plan.hpp"
#include "workload/pod_state.hpp"

namespace kruise::workload {

/// A change of metadata as a strategic merge patch says it; an absent value removes the key.
struct MetadataPatch {
  using Changes = std::map<std::string, std::optional<std::string>, std::less<>>;
  Changes labels{};
  Changes annotations{};
  std::vector<std::string> finalizers_added{};
  std::vector<std::string> finalizers_removed{};
  std::vector<std::string> finalizers_order{};
  bool operator==(const MetadataPatch&) const = default;

  [[nodiscard]] bool empty() const;
  /// `{"metadata":{...}}`
  [[nodiscard]] std::string text() const;
  /// Reads what `text` or another manager wrote. Members beyond labels, annotations and finalizers are ignored, and so is the
  /// removal of a whole map, which would take the keys of others along.
  [[nodiscard]] static base::Result<MetadataPatch, std::string> parse(std::string_view json);
  /// First this, then `next`, in one patch.
  void then(const MetadataPatch& next);
};

struct ConditionChange {
  std::string type;
  bool status = false;
  std::string reason{};
  std::string message{};
  base::Time since;
};

/// The pod must outlive the patch.
class PodPatch {
 public:
  explicit PodPatch(const api::Pod& pod) : pod_(&pod) {}

  PodPatch& set_label(std::string_view key, std::string_view value);
  PodPatch& set_annotation(std::string_view key, std::string_view value);
  PodPatch& remove_annotation(std::string_view key);
  PodPatch& add_finalizer(std::string_view name);
  /// State label and its timestamp.
  PodPatch& set_state(LifecycleState, base::Time now);
  /// Keys set by this patch itself win.
  PodPatch& merge(const MetadataPatch&);
  PodPatch& set_image(std::string_view container, std::string_view image);
  PodPatch& set_condition(ConditionChange);

  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool has_labels() const { return !metadata_.labels.empty(); }
  [[nodiscard]] bool has_images() const { return !images_.empty(); }
  [[nodiscard]] bool has_conditions() const { return !conditions_.empty(); }
  [[nodiscard]] bool has_condition(std::string_view type) const;

  /// Conditions go to the status subresource, which takes labels and annotations along; images do not, so a patch has one or the
  /// other. Preconditions: this pod (UID), and unchanged since it was observed (resourceVersion).
  [[nodiscard]] runtime::Write write(std::string purpose) const;

 private:
  [[nodiscard]] std::string body() const;

  const api::Pod* pod_;
  MetadataPatch metadata_;
  std::map<std::string, std::string, std::less<>> images_;
  std::vector<ConditionChange> conditions_;
};

/// A write to a pod under the precondition that it is this pod, unchanged.
[[nodiscard]] runtime::Write pod_write(const api::Pod&, runtime::Write::Verb, std::string purpose);

}  // namespace kruise::workload
