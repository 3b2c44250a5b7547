#include "workload/readiness.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "api/names.hpp"
#include "base/json_writer.hpp"

namespace kruise::workload {
namespace {

constexpr std::string_view kReasonStart = "StartInPlaceUpdate";
constexpr std::string_view kReasonGates = "ReadinessGatesNotReady";

bool is(const std::optional<api::Pod::ConditionView>& condition, api::Tristate status) {
  return condition && condition->status == status;
}

/// Names each gate that holds the pod once `falling` is False.
std::string failing_gates(const api::Pod& pod, std::string_view falling) {
  std::string text;
  for (const auto& gate : pod.readiness_gates()) {
    const auto condition = pod.condition(gate);
    if (gate != falling && is(condition, api::Tristate::kTrue)) continue;
    if (!text.empty()) text += ", ";
    text += "readiness gate \"" + gate + (gate == falling || condition ? "\" is not True" : "\" has no condition");
  }
  return text;
}

/// Beside a gate that becomes False, since the kubelet's own turn may come too late.
void set_not_ready(const api::Pod& pod, std::string_view falling, base::Time now, PodPatch& patch) {
  const auto ready = pod.condition(api::kConditionReady);
  if (!ready || ready->status == api::Tristate::kFalse ||
      !is(pod.condition(api::kConditionContainersReady), api::Tristate::kTrue))
    return;
  patch.set_condition({.type = std::string(api::kConditionReady),
                       .reason = std::string(kReasonGates),
                       .message = failing_gates(pod, falling),
                       .since = now});
}

/// Pairs of user agent and key, in order.
using Holds = std::set<std::pair<std::string, std::string>>;

/// What is no such list holds nothing.
Holds holds_of(const api::Pod& pod) {
  Holds holds;
  const auto condition = pod.condition(api::kConditionKruisePodReady);
  if (!condition || condition->message.empty()) return holds;
  const auto list = nlohmann::json::parse(condition->message, nullptr, false);
  if (!list.is_array()) return holds;
  const auto text = [](const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const auto& item : list) {
    if (item.is_object()) holds.emplace(text(item, "userAgent"), text(item, "key"));
  }
  return holds;
}

void set_holds(const Holds& holds, base::Time now, PodPatch& patch) {
  base::JsonWriter w;
  w.begin_array();
  for (const auto& [agent, key] : holds) w.begin_object().key("userAgent").string(agent).key("key").string(key).end_object();
  w.end_array();
  patch.set_condition({.type = std::string(api::kConditionKruisePodReady),
                       .status = holds.empty(),
                       .message = holds.empty() ? std::string() : std::move(w).text(),
                       .since = now});
}

}  // namespace

void set_in_place_not_ready(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (!pod.has_readiness_gate(api::kConditionInPlaceUpdateReady)) return;
  if (!is(pod.condition(api::kConditionInPlaceUpdateReady), api::Tristate::kFalse)) {
    patch.set_condition(
        {.type = std::string(api::kConditionInPlaceUpdateReady), .reason = std::string(kReasonStart), .since = now});
  }
  set_not_ready(pod, api::kConditionInPlaceUpdateReady, now, patch);
}

void set_in_place_ready(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (!lacks_in_place_ready(pod)) return;
  patch.set_condition({.type = std::string(api::kConditionInPlaceUpdateReady), .status = true, .since = now});
  set_kruise_ready(pod, now, patch);
}

bool lacks_kruise_ready(const api::Pod& pod) {
  return pod.has_readiness_gate(api::kConditionKruisePodReady) && !pod.condition(api::kConditionKruisePodReady);
}

void set_kruise_ready(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (lacks_kruise_ready(pod)) set_holds({}, now, patch);
}

void hold_ready(const api::Pod& pod, const ReadyHold& hold, base::Time now, PodPatch& patch) {
  if (!pod.has_readiness_gate(api::kConditionKruisePodReady)) return;
  Holds holds = holds_of(pod);
  const bool is_new = holds.emplace(hold.user_agent, hold.key).second;
  if (is_new || !is(pod.condition(api::kConditionKruisePodReady), api::Tristate::kFalse)) set_holds(holds, now, patch);
  set_not_ready(pod, api::kConditionKruisePodReady, now, patch);
}

void release_ready(const api::Pod& pod, const ReadyHold& hold, base::Time now, PodPatch& patch) {
  if (!pod.has_readiness_gate(api::kConditionKruisePodReady)) return;
  Holds holds = holds_of(pod);
  if (holds.erase({std::string(hold.user_agent), std::string(hold.key)}) > 0) set_holds(holds, now, patch);
}

bool lacks_in_place_ready(const api::Pod& pod) {
  return pod.has_readiness_gate(api::kConditionInPlaceUpdateReady) &&
         !is(pod.condition(api::kConditionInPlaceUpdateReady), api::Tristate::kTrue);
}

}  // namespace kruise::workload
