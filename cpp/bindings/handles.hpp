// What Python holds of the C++ side: may be closed while references remain, and says so when used afterwards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "session/embedded.hpp"

namespace kruise::bindings {

[[nodiscard]] inline base::Duration seconds(double value) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(value));
}

class ClusterHandle {
 public:
  explicit ClusterHandle(std::unique_ptr<session::Embedded> cluster) : cluster_(std::move(cluster)) {}
  ~ClusterHandle() { close(); }
  [[nodiscard]] session::Embedded& get() {
    if (!cluster_) throw session::Refused("the cluster is closed");
    return *cluster_;
  }
  void close() {
    for (const auto& [guest, leave] : std::exchange(guests_, {})) leave();
    if (cluster_) cluster_->api()->observe_writes({});
    cluster_.reset();
  }
  /// `leave` is called before the cluster goes.
  void add_guest(const void* guest, std::function<void()> leave) { guests_.emplace(guest, std::move(leave)); }
  void remove_guest(const void* guest) { guests_.erase(guest); }

 private:
  std::unique_ptr<session::Embedded> cluster_;
  std::map<const void*, std::function<void()>> guests_;
};

}  // namespace kruise::bindings
