#include <nlohmann/json.hpp>

#include "cluster/tables/builtin_columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// "2/3": what is ready of what is wanted.
Column ready_column() {
  return {.name = "Ready", .cell = [](const Json& tree, base::Time) {
            const Json* spec = member(tree, "spec");
            const Json* status = member(tree, "status");
            const auto wanted = spec != nullptr ? integer_of(*spec, "replicas", 0) : 0;
            const auto ready = status != nullptr ? integer_of(*status, "readyReplicas", 0) : 0;
            return Json(std::to_string(ready) + "/" + std::to_string(wanted));
          }};
}

std::string controller_of(const Json& tree) {
  if (const Json* owners = member_at(tree, {"metadata", "ownerReferences"})) {
    for (const Json& owner : *owners) {
      if (!bool_of(owner, "controller")) continue;
      std::string kind(text_of(owner, "kind"));
      const std::string api_version(text_of(owner, "apiVersion"));
      for (char& c : kind) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      }
      const auto slash = api_version.find('/');
      const std::string group = slash == std::string::npos ? "" : "." + api_version.substr(0, slash);
      return kind + group + "/" + std::string(text_of(owner, "name"));
    }
  }
  return "<none>";
}

Json job_status(const Json& job) {
  if (const Json* conditions = member_at(job, {"status", "conditions"})) {
    for (const Json& condition : *conditions) {
      if (text_of(condition, "status") != "True") continue;
      if (text_of(condition, "type") == "Complete") return "Complete";
      if (text_of(condition, "type") == "Failed") return "Failed";
    }
  }
  if (member_at(job, {"metadata", "deletionTimestamp"}) != nullptr) return "Terminating";
  const Json* spec = member(job, "spec");
  return spec != nullptr && bool_of(*spec, "suspend") ? "Suspended" : "Running";
}

Json job_completions(const Json& job) {
  const Json* spec = member(job, "spec");
  const Json* status = member(job, "status");
  const auto done = status != nullptr ? integer_of(*status, "succeeded", 0) : 0;
  return std::to_string(done) + "/" + std::to_string(spec != nullptr ? integer_of(*spec, "completions", 1) : 1);
}

Json job_duration(const Json& job, base::Time now) {
  const auto start = base::parse_time(text_at(job, {"status", "startTime"}));
  if (!start) return "";
  const auto end = base::parse_time(text_at(job, {"status", "completionTime"}));
  return age_text((end ? *end : now) - *start);
}

Json since(const Json& tree, std::initializer_list<std::string_view> path, base::Time now) {
  const auto time = text_at(tree, path);
  return time.empty() ? "<none>" : age_of(time, now);
}

std::vector<Column> apps_columns(std::string_view plural) {
  if (plural == "deployments") {
    return {name_column(),
            ready_column(),
            count_column("Up-to-date", ".status.updatedReplicas"),
            count_column("Available", ".status.availableReplicas"),
            age_column(),
            containers_column(),
            images_column(),
            selector_column(".spec.selector")};
  }
  if (plural == "replicasets") {
    return {name_column(),
            count_column("Desired", ".spec.replicas"),
            count_column("Current", ".status.replicas"),
            count_column("Ready", ".status.readyReplicas"),
            age_column(),
            containers_column(),
            images_column(),
            selector_column(".spec.selector")};
  }
  if (plural == "statefulsets") return {name_column(), ready_column(), age_column(), containers_column(), images_column()};
  if (plural == "daemonsets") {
    return {name_column(),
            count_column("Desired", ".status.desiredNumberScheduled"),
            count_column("Current", ".status.currentNumberScheduled"),
            count_column("Ready", ".status.numberReady"),
            count_column("Up-to-date", ".status.updatedNumberScheduled"),
            count_column("Available", ".status.numberAvailable"),
            {.name = "Node Selector",
             .cell = [](const Json& tree,
                        base::Time now) { return selector_column(".spec.template.spec.nodeSelector").cell(tree, now); }},
            age_column(),
            containers_column(),
            images_column(),
            selector_column(".spec.selector")};
  }
  if (plural == "controllerrevisions") {
    return {name_column(),
            {.name = "Controller", .cell = [](const Json& tree, base::Time) { return Json(controller_of(tree)); }},
            count_column("Revision", ".revision"),
            age_column()};
  }
  return {};
}

std::vector<Column> batch_columns(std::string_view plural) {
  if (plural == "jobs") {
    return {name_column(),
            {.name = "Status", .cell = [](const Json& job, base::Time) { return job_status(job); }},
            {.name = "Completions", .cell = [](const Json& job, base::Time) { return job_completions(job); }},
            {.name = "Duration", .cell = job_duration},
            age_column(),
            containers_column(),
            images_column(),
            selector_column(".spec.selector")};
  }
  return {name_column(),
          text_column("Schedule", ".spec.schedule"),
          text_column("Timezone", ".spec.timeZone", "<none>"),
          {.name = "Suspend",
           .cell = [](const Json& job,
                      base::Time) { return Json(bool_of(job.value("spec", Json::object()), "suspend") ? "True" : "False"); }},
          {.name = "Active",
           .type = "integer",
           .cell =
               [](const Json& job, base::Time) {
                 const Json* active = member_at(job, {"status", "active"});
                 return Json(active != nullptr ? active->size() : 0);
               }},
          {.name = "Last Schedule",
           .cell = [](const Json& job, base::Time now) { return since(job, {"status", "lastScheduleTime"}, now); }},
          age_column()};
}

}  // namespace

std::vector<Column> workload_columns(std::string_view group, std::string_view plural) {
  if (group == "apps") return apps_columns(plural);
  if (group == "batch") return batch_columns(plural);
  if (plural == "leases") return {name_column(), text_column("Holder", ".spec.holderIdentity"), age_column()};
  if (plural == "storageclasses") {
    return {name_column(),
            text_column("Provisioner", ".provisioner"),
            text_column("ReclaimPolicy", ".reclaimPolicy"),
            text_column("VolumeBindingMode", ".volumeBindingMode"),
            text_column("AllowVolumeExpansion", ".allowVolumeExpansion", "false"),
            age_column()};
  }
  if (plural == "poddisruptionbudgets") {
    return {name_column(), text_column("Min Available", ".spec.minAvailable", "N/A"),
            text_column("Max Unavailable", ".spec.maxUnavailable", "N/A"),
            count_column("Allowed Disruptions", ".status.disruptionsAllowed"), age_column()};
  }
  if (plural == "horizontalpodautoscalers") {
    return {name_column(),
            text_column("Reference", ".spec.scaleTargetRef.name"),
            text_column("Targets", ".status.currentMetrics[*].type", "<unknown>"),
            text_column("MinPods", ".spec.minReplicas", "<unset>"),
            count_column("MaxPods", ".spec.maxReplicas"),
            count_column("Replicas", ".status.currentReplicas"),
            age_column()};
  }
  return {};
}

}  // namespace kruise::cluster
