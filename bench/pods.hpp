// Pods as a cluster holds them: the input of the benchmarks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kruise::bench {

/// What tells one pod of a set from another; everything else follows from `index` and `seed`.
struct PodSpec {
  std::uint32_t index = 0;
  std::uint64_t version = 1;
  /// Grows with each update of the pod: status (restart counts, times, container IDs) follows it.
  std::uint32_t update = 0;
  bool new_revision = false;  // revision label and first container's image
  std::uint32_t pods_per_set = 500;
  std::uint32_t nodes = 500;  // how many there are; the pod's node follows from index and `node_shift`
  std::uint32_t node_shift = 0;
  bool ready = true;
};

/// A pod of about 5 KiB as the API server writes it, of a CloneSet "checkout" in namespace "shop" , another for each
/// `pods_per_set`: two containers with probes, env and resources, its own service-account volume, IPs, UID, times, container IDs,
/// and managedFields of three managers.
[[nodiscard]] std::string pod_json(const PodSpec&);

/// A page of a list: items [first, first + count).
[[nodiscard]] std::string pod_page(std::uint32_t first, std::uint32_t count, std::uint64_t list_version,
                                   std::string_view continue_token);

/// One line of a watch, followed by 64 readable bytes: take `line.size()` of it.
struct WatchLine {
  std::string bytes;
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes).substr(0, size); }
};
[[nodiscard]] WatchLine pod_event(const PodSpec&);

}  // namespace kruise::bench
