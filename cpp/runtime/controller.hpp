// What a kind gives to be reconciled.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/key.hpp"
#include "runtime/plan.hpp"

namespace kruise::runtime {

/// One kind's reconciler: gathers what it sees now and returns the pure
/// computation on it.
class Reconciler {
public:
  /// Runs anywhere (a worker, a simulation, Python): holds immutable objects
  /// only.
  using PlanFunction = std::function<Plan(const Context &)>;

  virtual ~Reconciler() = default;
  [[nodiscard]] virtual std::string name() const = 0; // "cloneset-controller"
  /// Reads the caches, on their executor. Absent when the object is gone.
  [[nodiscard]] virtual std::optional<PlanFunction>
  observe(const api::Key &) = 0;
};

} // namespace kruise::runtime
