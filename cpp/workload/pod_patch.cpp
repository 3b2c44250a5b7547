#include "workload/pod_patch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/names.hpp"
#include "base/json_writer.hpp"

namespace kruise::workload {
namespace {

constexpr std::string_view kDeleteFinalizers = "$deleteFromPrimitiveList/finalizers";
constexpr std::string_view kOrderFinalizers = "$setElementOrder/finalizers";

void write_changes(base::JsonWriter& w, std::string_view name, const MetadataPatch::Changes& changes) {
  if (changes.empty()) return;
  w.key(name).begin_object();
  for (const auto& [key, value] : changes) {
    w.key(key);
    value ? w.string(*value) : w.null();
  }
  w.end_object();
}

void write_list(base::JsonWriter& w, std::string_view name, const std::vector<std::string>& list) {
  if (list.empty()) return;
  w.key(name).begin_array();
  for (const auto& item : list) w.string(item);
  w.end_array();
}

void write_metadata(base::JsonWriter& w, const MetadataPatch& patch) {
  w.key("metadata").begin_object();
  write_changes(w, "annotations", patch.annotations);
  write_list(w, kDeleteFinalizers, patch.finalizers_removed);
  write_list(w, "finalizers", patch.finalizers_added);
  write_list(w, kOrderFinalizers, patch.finalizers_order);
  write_changes(w, "labels", patch.labels);
  w.end_object();
}

bool read_changes(const nlohmann::json& metadata, const char* name, MetadataPatch::Changes& into) {
  const auto found = metadata.find(name);
  if (found == metadata.end() || found->is_null()) return true;
  if (!found->is_object()) return false;
  for (const auto& [key, value] : found->items()) {
    if (key.starts_with('$')) continue;
    if (!value.is_null() && !value.is_string()) return false;
    into[key] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
  }
  return true;
}

bool read_list(const nlohmann::json& metadata, std::string_view name, std::vector<std::string>& into) {
  const auto found = metadata.find(name);
  if (found == metadata.end() || found->is_null()) return true;
  if (!found->is_array()) return false;
  for (const auto& item : *found) {
    if (!item.is_string()) return false;
    into.push_back(item.get<std::string>());
  }
  return true;
}

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

}  // namespace

bool MetadataPatch::empty() const {
  return labels.empty() && annotations.empty() && finalizers_added.empty() && finalizers_removed.empty() &&
         finalizers_order.empty();
}

std::string MetadataPatch::text() const {
  base::JsonWriter w;
  w.begin_object();
  write_metadata(w, *this);
  w.end_object();
  return std::move(w).text();
}

base::Result<MetadataPatch, std::string> MetadataPatch::parse(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::string("is no JSON object");
  const auto metadata = json.find("metadata");
  MetadataPatch patch;
  if (metadata == json.end() || metadata->is_null()) return patch;
  if (!metadata->is_object()) return std::string("metadata is no object");
  if (!read_changes(*metadata, "labels", patch.labels)) return std::string("metadata.labels is no map of texts");
  if (!read_changes(*metadata, "annotations", patch.annotations)) return std::string("metadata.annotations is no map of texts");
  if (!read_list(*metadata, "finalizers", patch.finalizers_added) ||
      !read_list(*metadata, kDeleteFinalizers, patch.finalizers_removed) ||
      !read_list(*metadata, kOrderFinalizers, patch.finalizers_order)) {
    return std::string("metadata.finalizers is no list of texts");
  }
  return patch;
}

void MetadataPatch::then(const MetadataPatch& next) {
  for (const auto& [key, value] : next.labels) labels[key] = value;
  for (const auto& [key, value] : next.annotations) annotations[key] = value;
  for (const auto& name : next.finalizers_added) {
    std::erase(finalizers_removed, name);
    add_once(finalizers_added, name);
  }
  for (const auto& name : next.finalizers_removed) {
    std::erase(finalizers_added, name);
    add_once(finalizers_removed, name);
  }
  // An order of the first step may name what the second removed.
  finalizers_order = next.finalizers_order;
  if (finalizers_order.empty()) finalizers_order = finalizers_added;
  for (const auto& name : finalizers_added) add_once(finalizers_order, name);
}

PodPatch& PodPatch::set_label(std::string_view key, std::string_view value) {
  if (pod_->label(key) != value) metadata_.labels.insert_or_assign(std::string(key), std::string(value));
  return *this;
}

PodPatch& PodPatch::set_annotation(std::string_view key, std::string_view value) {
  if (pod_->annotation(key) != value) metadata_.annotations.insert_or_assign(std::string(key), std::string(value));
  return *this;
}

PodPatch& PodPatch::remove_annotation(std::string_view key) {
  if (pod_->annotation(key)) metadata_.annotations.insert_or_assign(std::string(key), std::nullopt);
  return *this;
}

PodPatch& PodPatch::add_finalizer(std::string_view name) {
  if (!pod_->has_finalizer(name)) add_once(metadata_.finalizers_added, std::string(name));
  return *this;
}

PodPatch& PodPatch::set_state(LifecycleState state, base::Time now) {
  if (lifecycle_state(*pod_) == state) return *this;
  set_label(api::kLabelLifecycleState, text_of(state));
  return set_annotation(api::kAnnotationLifecycleTimestamp, base::format_time(now));
}

PodPatch& PodPatch::merge(const MetadataPatch& patch) {
  for (const auto& [key, value] : patch.labels) {
    if (pod_->label(key) != value) metadata_.labels.try_emplace(key, value);
  }
  for (const auto& [key, value] : patch.annotations) metadata_.annotations.try_emplace(key, value);
  for (const auto& name : patch.finalizers_added) add_once(metadata_.finalizers_added, name);
  metadata_.finalizers_removed.insert(metadata_.finalizers_removed.end(), patch.finalizers_removed.begin(),
                                      patch.finalizers_removed.end());
  metadata_.finalizers_order = patch.finalizers_order;
  return *this;
}

PodPatch& PodPatch::set_image(std::string_view container, std::string_view image) {
  const auto present = pod_->image(container);
  if (present && *present != image) images_.insert_or_assign(std::string(container), std::string(image));
  return *this;
}

PodPatch& PodPatch::set_condition(ConditionChange change) {
  std::erase_if(conditions_, [&](const ConditionChange& c) { return c.type == change.type; });
  conditions_.push_back(std::move(change));
  return *this;
}

bool PodPatch::has_condition(std::string_view type) const {
  return std::ranges::find(conditions_, type, &ConditionChange::type) != conditions_.end();
}

bool PodPatch::empty() const { return metadata_.empty() && images_.empty() && conditions_.empty(); }

runtime::Write PodPatch::write(std::string purpose) const {
  runtime::Write write = pod_write(*pod_, runtime::Write::Verb::kPatch, std::move(purpose));
  if (has_conditions()) write.subresource = "status";
  write.body = body();
  return write;
}

std::string PodPatch::body() const {
  base::JsonWriter w;
  w.begin_object();
  write_metadata(w, metadata_);
  if (!images_.empty()) {
    w.key("spec").begin_object().key("containers").begin_array();
    // In the pod's own order: a strategic merge moves elements to that of the patch, which is forbidden in a pod.
    for (const auto& container : pod_->containers()) {
      const auto changed = images_.find(container.name);
      if (changed == images_.end()) continue;
      w.begin_object().key("name").string(changed->first).key("image").string(changed->second).end_object();
    }
    w.end_array().end_object();
  }
  if (!conditions_.empty()) {
    w.key("status").begin_object().key("conditions").begin_array();
    for (const auto& c : conditions_) {
      // A merged list element keeps members that the patch does not name: an old reason must be taken away.
      const bool exists = pod_->condition(c.type).has_value();
      w.begin_object().key("type").string(c.type).key("status").string(c.status ? "True" : "False");
      w.key("lastTransitionTime").string(base::format_time(c.since));
      if (!c.reason.empty()) w.key("reason").string(c.reason);
      if (c.reason.empty() && exists) w.key("reason").null();
      if (!c.message.empty()) w.key("message").string(c.message);
      if (c.message.empty() && exists) w.key("message").null();
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_object();
  return std::move(w).text();
}

runtime::Write pod_write(const api::Pod& pod, runtime::Write::Verb verb, std::string purpose) {
  runtime::Write write;
  write.verb = verb;
  write.resource = &api::kPods;
  write.key = {std::string(pod.ns()), std::string(pod.name())};
  write.patch_type = client::PatchType::kStrategic;
  write.uid = pod.uid();
  write.resource_version = std::to_string(pod.resource_version());
  write.purpose = std::move(purpose);
  return write;
}

}  // namespace kruise::workload
