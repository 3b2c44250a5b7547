#include "controllers/podreadiness/reconciler.hpp"

#include "api/scheme.hpp"
#include "cache/pod_decoder.hpp"
#include "runtime/follow.hpp"

namespace kruise::controllers::podreadiness {

runtime::ObjectReference PodReadinessReconciler::reference(const api::Key& key) const {
  const auto pod = pods_.get(key);
  if (pod == nullptr) return {&api::kPods, key, {}, {}};
  return {&api::kPods, key, pod->uid(), std::to_string(pod->resource_version())};
}

std::optional<runtime::Reconciler::PlanFunction> PodReadinessReconciler::observe(const api::Key& key) {
  auto pod = pods_.get(key);
  if (pod == nullptr || !is_ours_to_set(*pod)) return std::nullopt;
  return [pod = std::move(pod)](const runtime::Context& context) { return plan(*pod, context); };
}

void watch(cache::Reader<api::Pod>& pods, const runtime::Enqueue& enqueue) {
  const auto look = [enqueue](const api::Pod& pod, runtime::Cause cause) {
    if (is_ours_to_set(pod)) enqueue({std::string(pod.ns()), std::string(pod.name())}, cause);
  };
  for (const auto& pod : pods.all()) look(*pod, runtime::Cause::kResync);
  runtime::follow(pods, [look](const cache::Change<api::Pod>& change, bool is_news) {
    if (change.after) look(*change.after, is_news ? runtime::Cause::kChange : runtime::Cause::kResync);
  });
}

runtime::Registration registration() {
  return {.name = std::string(kControllerName),
          .workers = "podreadiness",
          .resource = api::kPods,
          .make =
              [](runtime::Wiring& wiring) {
                auto& pods = wiring.store<api::Pod>(api::kPods, cache::pod_decoder);
                watch(pods, wiring.enqueue());
                return std::make_unique<PodReadinessReconciler>(pods);
              },
          .built_in = true};
}

}  // namespace kruise::controllers::podreadiness
