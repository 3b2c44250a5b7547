#include "api/pod_parts.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace kruise::api {

void PodView::clear() {
  name = ns = uid = node = {};
  version = 0;
  generation = 0;
  created.reset();
  deletion.reset();
  phase = PodPhase::kNone;
  labels.clear();
  annotations.clear();
  finalizers.clear();
  owners.clear();
  containers.clear();
  metadata_env.clear();
  container_hashes.clear();
  readiness_gates.clear();
  claim_names.clear();
  conditions.clear();
  statuses.clear();
  init_restart_counts.clear();
}

PodPtr PodPool::make(PodView& view) {
  auto& labels = view.labels;
  if (!std::ranges::is_sorted(labels, std::ranges::less_equal{}, &PodView::Pair::key)) {
    std::ranges::stable_sort(labels, {}, &PodView::Pair::key);
  }
  // Of a key that comes twice the last value counts, as in any JSON reader.
  const auto same_key = [](const PodView::Pair& a, const PodView::Pair& b) { return a.key == b.key; };
  if (std::ranges::adjacent_find(labels, same_key) != labels.end()) {
    labels.erase(labels.begin(), std::unique(labels.rbegin(), labels.rend(), same_key).base());
  }
  return std::make_shared<const Pod>(Pod::Key{}, view, *this);
}

void PodPool::trim() {
  families_.sweep();
  labels_.sweep();
  specs_.sweep();
  conditions_.sweep();
  statuses_.sweep();
  nodes_.sweep();
}

std::size_t PodPool::size() const {
  return families_.size() + labels_.size() + specs_.size() + conditions_.size() + statuses_.size() + nodes_.size();
}

std::size_t PodPool::bytes() const {
  constexpr std::size_t kNodeBytes = 32;  // a block of the allocator, a counter, two cells of the table
  std::size_t bytes = 0;
  const auto text = [&](const std::string& s) { bytes += sizeof(std::string) + (s.size() > 15 ? s.size() + 1 : 0); };
  families_.each([&](const pod_parts::Family& family) {
    bytes += kNodeBytes;
    text(family.ns);
    for (const auto& owner : family.owners) {
      for (const auto* part : {&owner.api_version, &owner.kind, &owner.name, &owner.uid}) text(*part);
    }
    for (const auto& finalizer : family.finalizers) text(finalizer);
  });
  labels_.each([&](const pod_parts::Labels& labels) {
    bytes += kNodeBytes;
    for (const auto& [key, value] : labels.pairs) text(key), text(value);
  });
  specs_.each([&](const pod_parts::Spec& spec) {
    bytes += kNodeBytes;
    for (const auto& container : spec.containers) {
      text(container.name), text(container.image);
      for (const auto& env : container.metadata_env) text(env.name), text(env.key);
    }
    for (const auto& gate : spec.readiness_gates) text(gate);
  });
  conditions_.each([&](const pod_parts::Conditions& conditions) {
    bytes += kNodeBytes;
    for (const auto& item : conditions.items) text(item.type), text(item.reason);
  });
  statuses_.each([&](const pod_parts::Statuses& statuses) {
    bytes += kNodeBytes;
    for (const auto& item : statuses.items) text(item.name), text(item.image), text(item.image_id);
  });
  nodes_.each([&](const std::string& node) {
    bytes += kNodeBytes;
    text(node);
  });
  return bytes;
}

}  // namespace kruise::api
