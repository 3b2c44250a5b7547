#include "workload/readiness.hpp"

#include "api/names.hpp"

namespace kruise::workload {
namespace {

constexpr std::string_view kReasonStart = "StartInPlaceUpdate";
constexpr std::string_view kReasonGates = "ReadinessGatesNotReady";

bool is(const std::optional<api::Pod::ConditionView>& condition, api::Tristate status) {
  return condition && condition->status == status;
}

/// Names each gate that holds the pod once InPlaceUpdateReady is False.
std::string failing_gates(const api::Pod& pod) {
  std::string text;
  for (const auto& gate : pod.readiness_gates()) {
    const auto condition = pod.condition(gate);
    const bool ours = gate == api::kConditionInPlaceUpdateReady;
    if (!ours && is(condition, api::Tristate::kTrue)) continue;
    if (!text.empty()) text += ", ";
    text += "readiness gate \"" + gate + (ours || condition ? "\" is not True" : "\" has no condition");
  }
  return text;
}

}  // namespace

void set_in_place_not_ready(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (!pod.has_readiness_gate(api::kConditionInPlaceUpdateReady)) return;
  if (!is(pod.condition(api::kConditionInPlaceUpdateReady), api::Tristate::kFalse)) {
    patch.set_condition(
        {.type = std::string(api::kConditionInPlaceUpdateReady), .reason = std::string(kReasonStart), .since = now});
  }
  const auto ready = pod.condition(api::kConditionReady);
  if (ready && ready->status != api::Tristate::kFalse &&
      is(pod.condition(api::kConditionContainersReady), api::Tristate::kTrue)) {
    patch.set_condition({.type = std::string(api::kConditionReady),
                         .reason = std::string(kReasonGates),
                         .message = failing_gates(pod),
                         .since = now});
  }
}

void set_in_place_ready(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (lacks_in_place_ready(pod))
    patch.set_condition({.type = std::string(api::kConditionInPlaceUpdateReady), .status = true, .since = now});
}

bool lacks_in_place_ready(const api::Pod& pod) {
  return pod.has_readiness_gate(api::kConditionInPlaceUpdateReady) &&
         !is(pod.condition(api::kConditionInPlaceUpdateReady), api::Tristate::kTrue);
}

}  // namespace kruise::workload
