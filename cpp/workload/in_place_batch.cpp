#include "workload/in_place_batch.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace kruise::workload {
namespace {

using Names = std::set<std::string, std::less<>>;
/// A label or an annotation.
using Key = std::pair<api::MetadataMap, std::string>;

std::set<Key> keys_of(const ReferredMetadata& referred) {
  std::set<Key> keys;
  for (const auto& [key, value] : referred.labels) keys.emplace(api::MetadataMap::kLabels, key);
  for (const auto& [key, value] : referred.annotations) keys.emplace(api::MetadataMap::kAnnotations, key);
  return keys;
}

std::optional<std::int32_t> priority_of(const api::Pod& pod, std::string_view container) {
  const auto* found = pod.container(container);
  return found == nullptr ? std::nullopt : found->launch_priority;
}

/// A key is written once: with the first container that takes a variable from it go all others that do.
void add_sharers(const ContainerChanges& changes, Names& batch) {
  std::set<Key> keys;
  for (const auto& [name, referred] : changes.referred) {
    if (batch.contains(name)) keys.merge(keys_of(referred));
  }
  for (bool grown = true; std::exchange(grown, false);) {
    for (const auto& [name, referred] : changes.referred) {
      auto own = keys_of(referred);
      if (batch.contains(name) || std::ranges::none_of(own, [&](const Key& key) { return keys.contains(key); })) continue;
      batch.insert(name);
      keys.merge(std::move(own));
      grown = true;
    }
  }
}

Names next_batch(const api::Pod& pod, const ContainerChanges& changes) {
  Names touched;
  for (const auto& [name, image] : changes.images) touched.insert(name);
  for (const auto& [name, referred] : changes.referred) touched.insert(name);
  std::optional<std::int32_t> highest;
  for (const auto& name : touched) highest = std::max(highest, priority_of(pod, name));  // nothing is less than anything
  Names batch;
  for (const auto& name : touched) {
    const auto priority = priority_of(pod, name);
    if (!priority || priority == highest) batch.insert(name);
  }
  add_sharers(changes, batch);
  return batch;
}

void change_image(const api::Pod& pod, const std::string& name, const std::string& image, InPlaceState& state, PodPatch& patch) {
  patch.set_image(name, image);
  if (const auto status = pod.status(name)) {
    state.last_container_statuses.try_emplace(name,
                                              InPlaceState::Before{std::string(status->image_id), status->container_id.text()});
  }
}

}  // namespace

std::map<std::string, ReferredMetadata, std::less<>> take_referred(MetadataPatch& metadata, const TemplateEnv& env) {
  std::map<std::string, ReferredMetadata, std::less<>> taken;
  std::set<Key> keys;
  for (const auto& [container, variables] : env) {
    for (const auto& variable : variables) {
      const bool is_label = variable.map == api::MetadataMap::kLabels;
      const auto& changes = is_label ? metadata.labels : metadata.annotations;
      const auto found = changes.find(variable.key);
      if (found == changes.end() || !found->second) continue;
      auto& referred = taken[container];
      (is_label ? referred.labels : referred.annotations).insert_or_assign(variable.key, *found->second);
      keys.emplace(variable.map, variable.key);
    }
  }
  for (const auto& [map, key] : keys) (map == api::MetadataMap::kLabels ? metadata.labels : metadata.annotations).erase(key);
  return taken;
}

void apply_batch(const api::Pod& pod, ContainerChanges changes, base::Time now, InPlaceState& state, PodPatch& patch) {
  // A container that this pod does not have cannot be changed; its keys are written like any other.
  std::erase_if(changes.images, [&](const auto& change) { return pod.container(change.first) == nullptr; });
  state.update_images |= !changes.images.empty();
  state.update_env_from_metadata |= !changes.referred.empty();
  InPlaceState::Batch record{.timestamp = base::format_time(now), .containers = {}};
  for (const auto& name : next_batch(pod, changes)) {
    if (pod.container(name) != nullptr) record.containers.push_back(name);
    if (const auto image = changes.images.find(name); image != changes.images.end()) {
      change_image(pod, name, image->second, state, patch);
      changes.images.erase(image);
    }
    if (const auto referred = changes.referred.find(name); referred != changes.referred.end()) {
      for (const auto& [key, value] : referred->second.labels) patch.set_label(key, value);
      for (const auto& [key, value] : referred->second.annotations) patch.set_annotation(key, value);
      changes.referred.erase(referred);
    }
  }
  state.next_container_images = std::move(changes.images);
  state.next_referred_metadata = std::move(changes.referred);
  state.containers_required_ready = state.has_next() ? record.containers : std::vector<std::string>();
  if (!record.containers.empty()) state.batches.push_back(std::move(record));
}

}  // namespace kruise::workload
