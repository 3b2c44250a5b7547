// Binds claims to volumes that are made up, and lets claims go whose pods are gone.
#pragma once

#include <cstdint>
#include <memory>

#include "base/random.hpp"
#include "client/client.hpp"
#include "cluster/sim/delays.hpp"

namespace kruise::cluster::sim {

struct VolumeBinderOptions {
  Delay bind{std::chrono::milliseconds(50), std::chrono::milliseconds(50)};
  /// Make a PersistentVolume for each claim, removed with it. Otherwise only the claim says that it is bound.
  bool make_volumes = false;
  /// Take `kubernetes.io/pvc-protection` from a claim being deleted once no pod uses it (a real control plane does that itself).
  bool release_claims = true;
};

/// On the client's executor; the client outlives it.
class VolumeBinder {
 public:
  VolumeBinder(client::Client&, base::Random, VolumeBinderOptions = {});
  ~VolumeBinder();
  VolumeBinder(const VolumeBinder&) = delete;
  VolumeBinder& operator=(const VolumeBinder&) = delete;
  void start();
  void stop();
  [[nodiscard]] std::uint64_t bound() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster::sim
