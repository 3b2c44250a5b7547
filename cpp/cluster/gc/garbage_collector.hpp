// Deletes what nobody owns any more, and empties namespaces that are being deleted: what a controller manager does in a real
// cluster. Background, foreground and orphaning deletions, for every kind that the server serves, custom ones too.
#pragma once

#include <cstdint>
#include <memory>

#include "client/client.hpp"

namespace kruise::cluster::gc {

struct CollectorStats {
  std::uint64_t objects = 0;   // known now
  std::uint64_t deleted = 0;   // deletions asked for
  std::uint64_t released = 0;  // owner references and finalizers taken away
  std::uint64_t failures = 0;  // answers that were errors, other than that somebody was faster
};

/// On the client's executor: construction, calls and destruction happen there (or before it runs). The client outlives it.
class GarbageCollector {
 public:
  explicit GarbageCollector(client::Client&);
  ~GarbageCollector();
  GarbageCollector(const GarbageCollector&) = delete;
  GarbageCollector& operator=(const GarbageCollector&) = delete;
  void start();
  void stop();
  [[nodiscard]] CollectorStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster::gc
