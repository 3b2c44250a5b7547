// The shell of the controller that sets KruisePodReady: one key a pod.
#pragma once

#include <memory>
#include <string>

#include "cache/store.hpp"
#include "controllers/podreadiness/plan.hpp"
#include "runtime/controller.hpp"
#include "runtime/manager.hpp"

namespace kruise::controllers::podreadiness {

inline constexpr std::string_view kControllerName = "pod-readiness-controller";

/// Lives on the store's executor. The store outlives it.
class PodReadinessReconciler final : public runtime::Reconciler {
 public:
  explicit PodReadinessReconciler(cache::Reader<api::Pod>& pods) : pods_(pods) {}
  [[nodiscard]] std::string name() const override { return std::string(kControllerName); }
  [[nodiscard]] runtime::ObjectReference reference(const api::Key&) const override;
  [[nodiscard]] std::optional<PlanFunction> observe(const api::Key&) override;

 private:
  cache::Reader<api::Pod>& pods_;
};

/// Names the pods that there is something to do about, and no others.
void watch(cache::Reader<api::Pod>&, const runtime::Enqueue&);

[[nodiscard]] runtime::Registration registration();

}  // namespace kruise::controllers::podreadiness
