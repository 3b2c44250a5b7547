// What a kind gives to be reconciled.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/key.hpp"
#include "runtime/plan.hpp"

namespace kruise::runtime {

/// Why a key is to be reconciled, the most urgent first: what a user just edited goes before what changed by itself, that before
/// resyncs and what a start lists.
enum class Cause : std::uint8_t { kUserEdit, kChange, kResync };

/// Names a key to its controller's queue. On the loop; does nothing once the controller has stopped.
using Enqueue = std::function<void(const api::Key&, Cause)>;

/// One kind's reconciler: gathers what it sees now and returns the pure computation on it.
class Reconciler {
 public:
  /// Runs anywhere (a worker, a simulation, Python): holds immutable objects only.
  using PlanFunction = std::function<Plan(const Context&)>;

  virtual ~Reconciler() = default;
  [[nodiscard]] virtual std::string name() const = 0;  // "cloneset-controller"
  /// What events on this key point at, as far as it is known; the key and resource alone when the object is gone.
  [[nodiscard]] virtual ObjectReference reference(const api::Key&) const = 0;
  /// Reads the caches, on their executor. Absent when the object is gone.
  [[nodiscard]] virtual std::optional<PlanFunction> observe(const api::Key&) = 0;
};

}  // namespace kruise::runtime
