#include "api/pod.hpp"

#include <algorithm>
#include <array>

#include "api/names.hpp"
#include "api/pod_layout.hpp"
#include "api/pod_parts.hpp"

namespace kruise::api {

std::span<const std::string_view> kept_pod_annotations() {
  static constexpr std::array<std::string_view, 7> kKept{
      kAnnotationLifecycleTimestamp, kAnnotationInPlaceState,          kAnnotationInPlaceStateLegacy, kAnnotationInPlaceGrace,
      kAnnotationInPlaceGraceLegacy, kAnnotationRuntimeContainersMeta, kAnnotationPodDeletionCost};
  return kKept;
}

std::string ContainerId::text() const { return packed_ ? pod_layout::unpack_container_id(bytes_) : std::string(bytes_); }

Pod::~Pod() = default;

std::string_view Pod::name() const { return {block_.get(), name_bytes_}; }
std::string_view Pod::ns() const { return family_->ns; }

std::string Pod::uid() const {
  if (uid_ != std::array<std::byte, 16>{}) return pod_layout::unpack_uid(uid_);
  return std::string(record(Tag::kUid).value_or(""));
}

bool Pod::same_uid(const Pod& other) const { return uid_ == other.uid_ && record(Tag::kUid) == other.record(Tag::kUid); }

std::optional<base::Time> Pod::created() const { return pod_layout::unpack_time(created_ns_); }
std::optional<base::Time> Pod::deletion() const { return pod_layout::unpack_time(deletion_ns_); }

std::optional<std::string_view> Pod::annotation(std::string_view key) const {
  const auto kept = kept_pod_annotations();
  const auto found = std::ranges::find(kept, key);
  if (found == kept.end()) return named_record(Tag::kNamedAnnotation, key);
  return record(Tag::kAnnotation, static_cast<std::size_t>(found - kept.begin()));
}

std::span<const std::string> Pod::finalizers() const { return family_->finalizers; }
bool Pod::has_finalizer(std::string_view name) const {
  return std::ranges::find(family_->finalizers, name) != family_->finalizers.end();
}
std::span<const OwnerReference> Pod::owners() const { return family_->owners; }

const OwnerReference* Pod::controller() const {
  const auto found = std::ranges::find_if(family_->owners, &OwnerReference::controller);
  return found == family_->owners.end() ? nullptr : &*found;
}

bool Pod::owned_by(std::string_view uid) const {
  return std::ranges::any_of(family_->owners, [&](const auto& owner) { return owner.uid == uid; });
}

bool Pod::controlled_by(std::string_view uid) const {
  const OwnerReference* owner = controller();
  return owner != nullptr && owner->uid == uid;
}

std::string_view Pod::node() const { return *node_; }
std::span<const PodFields::Container> Pod::containers() const { return spec_->containers; }

const PodFields::Container* Pod::container(std::string_view name) const {
  const auto found = std::ranges::find(spec_->containers, name, &PodFields::Container::name);
  return found == spec_->containers.end() ? nullptr : &*found;
}

std::optional<std::string_view> Pod::image(std::string_view container_name) const {
  const auto* found = container(container_name);
  return found == nullptr ? std::nullopt : std::optional<std::string_view>(found->image);
}

std::optional<std::uint32_t> Pod::container_hash(std::size_t index) const {
  const auto bytes = record(Tag::kContainerHash, index);
  if (!bytes) return std::nullopt;
  return pod_layout::get<std::uint32_t>(&bytes->front());
}

std::span<const std::string> Pod::readiness_gates() const { return spec_->readiness_gates; }

bool Pod::has_readiness_gate(std::string_view type) const {
  return std::ranges::find(spec_->readiness_gates, type) != spec_->readiness_gates.end();
}

std::vector<std::string> Pod::claim_names() const {
  std::vector<std::string> names;
  each_record([&](Tag tag, std::size_t, std::string_view bytes) {
    if (tag == Tag::kClaim) names.emplace_back(bytes);
  });
  return names;
}

std::optional<Pod::ConditionView> Pod::condition(std::string_view type) const {
  const auto& items = conditions_->items;
  const auto found = std::ranges::find(items, type, &pod_parts::Conditions::Item::type);
  if (found == items.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(found - items.begin());
  return ConditionView{found->status, pod_layout::unpack_time(pod_layout::get<std::int64_t>(block_.get() + condition_at(index))),
                       found->reason, record(Tag::kMessage, index).value_or("")};
}

std::size_t Pod::status_count() const { return statuses_->items.size(); }

Pod::StatusView Pod::status(std::size_t index) const {
  const auto& item = statuses_->items.at(index);
  const char* at = block_.get() + status_at(index);
  ContainerId id;
  if (const auto packed = record(Tag::kContainerId, index)) {
    id.bytes_ = *packed;
    id.packed_ = true;
  } else {
    id.bytes_ = record(Tag::kContainerIdText, index).value_or("");
  }
  return {item.name, item.image, item.image_id, id, at[sizeof(std::int32_t)] != 0, pod_layout::get<std::int32_t>(at)};
}

std::optional<Pod::StatusView> Pod::status(std::string_view container) const {
  const auto& items = statuses_->items;
  const auto found = std::ranges::find(items, container, &pod_parts::Statuses::Item::name);
  if (found == items.end()) return std::nullopt;
  return status(static_cast<std::size_t>(found - items.begin()));
}

std::int32_t Pod::max_restart_count() const {
  std::int32_t most = 0;
  for (std::size_t i = 0; i < status_count(); ++i)
    most = std::max(most, pod_layout::get<std::int32_t>(block_.get() + status_at(i)));
  return most;
}

std::int32_t Pod::max_init_restart_count() const {
  std::int32_t most = 0;
  for (std::size_t i = 0; i < init_count_; ++i) most = std::max(most, pod_layout::get<std::int32_t>(block_.get() + init_at(i)));
  return most;
}

PodFields Pod::fields() const {
  PodFields fields;
  ObjectMeta& meta = fields.meta;
  meta.name = name();
  meta.ns = ns();
  meta.uid = uid();
  meta.resource_version = version_ == 0 ? "" : std::to_string(version_);
  meta.generation = generation_;
  meta.creation_timestamp = created();
  meta.deletion_timestamp = deletion();
  meta.labels = labels();
  each_record([&](Tag tag, std::size_t index, std::string_view bytes) {
    if (tag == Tag::kAnnotation)
      meta.annotations.insert_or_assign(std::string(kept_pod_annotations()[index]), std::string(bytes));
    if (tag == Tag::kNamedAnnotation)
      meta.annotations.insert_or_assign(std::string(bytes.substr(0, bytes.find('\0'))),
                                        std::string(bytes.substr(bytes.find('\0') + 1)));
    if (tag == Tag::kContainerHash) fields.container_hashes.push_back(pod_layout::get<std::uint32_t>(&bytes.front()));
  });
  meta.finalizers = family_->finalizers;
  meta.owners = family_->owners;
  fields.node_name = *node_;
  fields.containers = spec_->containers;
  fields.readiness_gates = spec_->readiness_gates;
  fields.claim_names = claim_names();
  fields.phase = phase_;
  for (std::size_t i = 0; i < conditions_->items.size(); ++i) {
    const auto& item = conditions_->items[i];
    fields.conditions.push_back({item.type, item.status,
                                 pod_layout::unpack_time(pod_layout::get<std::int64_t>(block_.get() + condition_at(i))),
                                 item.reason, std::string(record(Tag::kMessage, i).value_or(""))});
  }
  for (std::size_t i = 0; i < status_count(); ++i) {
    const StatusView s = status(i);
    fields.statuses.push_back(
        {std::string(s.name), std::string(s.image), std::string(s.image_id), s.container_id.text(), s.ready, s.restart_count});
  }
  for (std::size_t i = 0; i < init_count_; ++i) {
    fields.init_statuses.emplace_back().restart_count = pod_layout::get<std::int32_t>(block_.get() + init_at(i));
  }
  return fields;
}

std::size_t Pod::own_bytes() const {
  constexpr std::size_t kSharedPtrBytes = 16, kAllocatorBytes = 8;
  const auto allocated = [](std::size_t bytes) { return (bytes + kAllocatorBytes + 15) / 16 * 16; };
  return allocated(sizeof(Pod) + kSharedPtrBytes) + allocated(block_bytes_);
}

std::optional<std::string_view> Pod::record(Tag wanted, std::size_t wanted_index) const {
  std::optional<std::string_view> found;
  each_record([&](Tag tag, std::size_t index, std::string_view bytes) {
    if (tag == wanted && index == wanted_index) found = bytes;
  });
  return found;
}

std::optional<std::string_view> Pod::named_record(Tag wanted, std::string_view name) const {
  std::optional<std::string_view> value;
  each_record([&](Tag tag, std::size_t, std::string_view bytes) {
    if (tag == wanted && bytes.size() > name.size() && bytes[name.size()] == '\0' && bytes.starts_with(name)) {
      value = bytes.substr(name.size() + 1);
    }
  });
  return value;
}

std::size_t Pod::condition_at(std::size_t index) const { return name_bytes_ + index * pod_layout::kConditionBytes; }
std::size_t Pod::status_at(std::size_t index) const {
  return condition_at(conditions_->items.size()) + index * pod_layout::kStatusBytes;
}
std::size_t Pod::init_at(std::size_t index) const { return status_at(statuses_->items.size()) + index * pod_layout::kInitBytes; }

}  // namespace kruise::api
