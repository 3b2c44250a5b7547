#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/tables/builtin_columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

const Json& list_of(const Json* found) {
  static const Json none = Json::array();
  return found != nullptr && found->is_array() ? *found : none;
}

bool is_sidecar(const Json& pod, std::string_view name) {
  return std::ranges::any_of(list_of(member_at(pod, {"spec", "initContainers"})), [&](const Json& c) {
    return text_of(c, "name") == name && text_of(c, "restartPolicy") == "Always";
  });
}

struct Summary {
  std::string status;
  std::int64_t total = 0;
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
  std::string last_restart;  // time, empty when there was none
};

void note_restarts(Summary& summary, const Json& container) {
  summary.restarts += integer_of(container, "restartCount", 0);
  const auto finished = text_at(container, {"lastState", "terminated", "finishedAt"});
  if (finished > summary.last_restart) summary.last_restart = finished;
}

std::string exit_text(const Json& terminated, std::string_view prefix) {
  if (const auto reason = text_of(terminated, "reason"); !reason.empty()) return std::string(prefix) + std::string(reason);
  if (const auto signal = integer_of(terminated, "signal", 0); signal != 0)
    return std::string(prefix) + "Signal:" + std::to_string(signal);
  return std::string(prefix) + "ExitCode:" + std::to_string(integer_of(terminated, "exitCode", 0));
}

/// The first init container that is not through decides what is shown; true while there is one.
bool summarise_init(Summary& summary, const Json& pod) {
  const Json& statuses = list_of(member_at(pod, {"status", "initContainerStatuses"}));
  const std::size_t total = list_of(member_at(pod, {"spec", "initContainers"})).size();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const Json& container = statuses[i];
    note_restarts(summary, container);
    const bool sidecar = is_sidecar(pod, text_of(container, "name"));
    if (sidecar && bool_of(container, "ready")) ++summary.ready;
    const Json* terminated = member_at(container, {"state", "terminated"});
    if (terminated != nullptr && integer_of(*terminated, "exitCode", 0) == 0) continue;
    if (sidecar && bool_of(container, "started")) continue;
    const auto waiting = text_at(container, {"state", "waiting", "reason"});
    if (terminated != nullptr) {
      summary.status = exit_text(*terminated, "Init:");
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary.status = "Init:" + std::string(waiting);
    } else {
      summary.status = "Init:" + std::to_string(i) + "/" + std::to_string(total);
    }
    return true;
  }
  return false;
}

void summarise_containers(Summary& summary, const Json& pod) {
  bool running = false;
  summary.restarts = 0;
  const Json& statuses = list_of(member_at(pod, {"status", "containerStatuses"}));
  for (auto at = statuses.rbegin(); at != statuses.rend(); ++at) {
    note_restarts(summary, *at);
    const Json* terminated = member_at(*at, {"state", "terminated"});
    if (const auto waiting = text_at(*at, {"state", "waiting", "reason"}); !waiting.empty()) {
      summary.status = waiting;
    } else if (terminated != nullptr) {
      summary.status = exit_text(*terminated, "");
    } else if (bool_of(*at, "ready") && member_at(*at, {"state", "running"}) != nullptr) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.status != "Completed" || !running) return;
  const Json& conditions = list_of(member_at(pod, {"status", "conditions"}));
  const bool ready = std::ranges::any_of(
      conditions, [](const Json& c) { return text_of(c, "type") == "Ready" && text_of(c, "status") == "True"; });
  summary.status = ready ? "Running" : "NotReady";
}

Summary summary_of(const Json& pod) {
  Summary summary;
  summary.status = text_at(pod, {"status", "phase"});
  if (const auto reason = text_at(pod, {"status", "reason"}); !reason.empty()) summary.status = reason;
  for (const Json& condition : list_of(member_at(pod, {"status", "conditions"}))) {
    if (text_of(condition, "type") == "PodScheduled" && text_of(condition, "reason") == "SchedulingGated")
      summary.status = "SchedulingGated";
  }
  summary.total = static_cast<std::int64_t>(list_of(member_at(pod, {"spec", "containers"})).size());
  for (const Json& container : list_of(member_at(pod, {"spec", "initContainers"}))) {
    if (text_of(container, "restartPolicy") == "Always") ++summary.total;
  }
  if (!summarise_init(summary, pod)) summarise_containers(summary, pod);
  if (member_at(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
    summary.status = text_at(pod, {"status", "reason"}) == "NodeLost" ? "Unknown" : "Terminating";
  }
  return summary;
}

/// "1/2": readiness gates that are met.
Json gates_cell(const Json& pod) {
  const Json& gates = list_of(member_at(pod, {"spec", "readinessGates"}));
  if (gates.empty()) return "<none>";
  const Json& conditions = list_of(member_at(pod, {"status", "conditions"}));
  const auto met = std::ranges::count_if(gates, [&](const Json& gate) {
    return std::ranges::any_of(conditions, [&](const Json& c) {
      return text_of(c, "type") == text_of(gate, "conditionType") && text_of(c, "status") == "True";
    });
  });
  return std::to_string(met) + "/" + std::to_string(gates.size());
}

}  // namespace

std::vector<Column> pod_columns() {
  const auto from_summary = [](const char* name, auto cell) -> Column {
    return {.name = name, .cell = [cell](const Json& pod, base::Time now) { return Json(cell(summary_of(pod), now)); }};
  };
  return {
      name_column(),
      from_summary("Ready", [](const Summary& s, base::Time) { return std::to_string(s.ready) + "/" + std::to_string(s.total); }),
      from_summary("Status", [](const Summary& s, base::Time) { return s.status; }),
      from_summary("Restarts",
                   [](const Summary& s, base::Time now) {
                     const std::string count = std::to_string(s.restarts);
                     return s.restarts == 0 || s.last_restart.empty() ? count
                                                                      : count + " (" + age_of(s.last_restart, now) + " ago)";
                   }),
      age_column(),
      text_column("IP", ".status.podIP", "<none>", 1),
      text_column("Node", ".spec.nodeName", "<none>", 1),
      text_column("Nominated Node", ".status.nominatedNodeName", "<none>", 1),
      {.name = "Readiness Gates", .priority = 1, .cell = [](const Json& pod, base::Time) { return gates_cell(pod); }}};
}

}  // namespace kruise::cluster
