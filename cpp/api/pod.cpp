#include "api/pod.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/names.hpp"

namespace kruise::api {

std::span<const std::string_view> kept_pod_annotations() {
  static constexpr std::array<std::string_view, 7> kKept{
      kAnnotationLifecycleTimestamp,    kAnnotationInPlaceState,          kAnnotationInPlaceStateLegacy, kAnnotationInPlaceGrace,
      kAnnotationInPlaceGraceLegacy,    kAnnotationRuntimeContainersMeta, kAnnotationPodDeletionCost};
  return kKept;
}

Pod::Pod(PodFields fields) : f_(std::move(fields)) {}

std::uint64_t Pod::resource_version() const {
  std::uint64_t version = 0;
  const std::string& text = f_.meta.resource_version;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

std::optional<std::string_view> Pod::label(std::string_view key) const {
  const auto found = f_.meta.labels.find(key);
  if (found == f_.meta.labels.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Pod::annotation(std::string_view key) const {
  const auto found = f_.meta.annotations.find(key);
  if (found == f_.meta.annotations.end()) return std::nullopt;
  return found->second;
}

bool Pod::has_finalizer(std::string_view name) const { return std::ranges::find(f_.meta.finalizers, name) != f_.meta.finalizers.end(); }

bool Pod::owned_by(std::string_view uid) const { return std::ranges::any_of(f_.meta.owners, [&](const auto& o) { return o.uid == uid; }); }

bool Pod::controlled_by(std::string_view uid) const {
  const OwnerReference* owner = f_.meta.controller();
  return owner != nullptr && owner->uid == uid;
}

std::optional<std::string_view> Pod::image(std::string_view container) const {
  const auto found = std::ranges::find(f_.containers, container, &PodFields::Container::name);
  if (found == f_.containers.end()) return std::nullopt;
  return found->image;
}

bool Pod::has_readiness_gate(std::string_view type) const {
  return std::ranges::find(f_.readiness_gates, type) != f_.readiness_gates.end();
}

std::optional<Pod::ConditionView> Pod::condition(std::string_view type) const {
  const auto found = std::ranges::find(f_.conditions, type, &PodFields::Condition::type);
  if (found == f_.conditions.end()) return std::nullopt;
  return ConditionView{found->status, found->last_transition, found->reason, found->message};
}

Pod::StatusView Pod::status(std::size_t index) const {
  const auto& s = f_.statuses.at(index);
  return {s.name, s.image, s.image_id, ContainerId(s.container_id), s.ready, s.restart_count};
}

std::optional<Pod::StatusView> Pod::status(std::string_view container) const {
  const auto found = std::ranges::find(f_.statuses, container, &PodFields::ContainerStatus::name);
  if (found == f_.statuses.end()) return std::nullopt;
  return status(static_cast<std::size_t>(found - f_.statuses.begin()));
}

std::int32_t Pod::max_restart_count() const {
  std::int32_t most = 0;
  for (const auto& s : f_.statuses) most = std::max(most, s.restart_count);
  return most;
}

std::int32_t Pod::max_init_restart_count() const {
  std::int32_t most = 0;
  for (const auto& s : f_.init_statuses) most = std::max(most, s.restart_count);
  return most;
}

}  // namespace kruise::api
