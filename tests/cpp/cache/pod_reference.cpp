#include "cache/pod_reference.hpp"

#include <nlohmann/json.hpp>
#include <regex>

namespace kruise::cache {
namespace {

using Json = nlohmann::json;

Json at(const Json& object, const char* key, Json fallback) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? fallback : *found;
}
std::string text(const Json& object, const char* key) { return at(object, key, "").get<std::string>(); }
bool flag(const Json& object, const char* key) { return at(object, key, false).get<bool>(); }
std::vector<Json> list(const Json& object, const char* key) {
  std::vector<Json> items = at(object, key, Json::array()).get<std::vector<Json>>();
  for (Json& item : items) {
    if (item.is_null()) item = Json::object();
  }
  return items;
}
Json member(const Json& object, const char* key) { return at(object, key, Json::object()); }
std::optional<base::Time> time(const Json& object, const char* key) { return base::parse_time(text(object, key)); }
std::string string_or_empty(const Json& value) { return value.is_null() || value.is_object() ? "" : value.get<std::string>(); }

/// Also keeps the annotations that the container's variables are taken from.
api::PodFields::Container container(const Json& json, const Json& annotations, api::ObjectMeta& meta) {
  static const std::regex kPath(R"(metadata\.(labels|annotations)\['([^]+)'\])");
  api::PodFields::Container container{text(json, "name"), text(json, "image")};
  for (const Json& env : list(json, "env")) {
    const Json source = member(env, "valueFrom");
    const std::string path = text(member(source, "fieldRef"), "fieldPath"),
                      barrier = text(member(source, "configMapKeyRef"), "key");
    if (std::smatch found; std::regex_match(path, found, kPath)) {
      const bool is_label = found[1] == "labels";
      container.metadata_env.push_back(
          {text(env, "name"), is_label ? api::MetadataMap::kLabels : api::MetadataMap::kAnnotations, found[2]});
      if (const auto value = annotations.find(found[2]); !is_label && value != annotations.end() && value->is_string())
        meta.annotations[found[2]] = *value;
    }
    if (text(env, "name") == "KRUISE_CONTAINER_BARRIER") {
      container.launch_priority.reset();
      if (barrier == "p_7") container.launch_priority = 7;
      if (barrier == "p_-3") container.launch_priority = -3;
      if (barrier == "p_x" || barrier == "p_") container.launch_priority = 0;
    }
  }
  return container;
}

}  // namespace

api::PodFields reference_pod(std::string_view json) {
  const Json pod = Json::parse(json);
  const Json metadata = member(pod, "metadata"), spec = member(pod, "spec"), status = member(pod, "status");
  api::PodFields fields;
  fields.meta.name = text(metadata, "name");
  fields.meta.ns = text(metadata, "namespace");
  fields.meta.uid = text(metadata, "uid");
  fields.meta.resource_version = text(metadata, "resourceVersion");
  fields.meta.generation = at(metadata, "generation", 0).get<std::int64_t>();
  fields.meta.creation_timestamp = time(metadata, "creationTimestamp");
  fields.meta.deletion_timestamp = time(metadata, "deletionTimestamp");
  const Json labels = member(metadata, "labels");
  for (const auto& [key, value] : labels.items()) fields.meta.labels[key] = string_or_empty(value);
  const Json annotations = member(metadata, "annotations");
  for (const auto kept : api::kept_pod_annotations()) {
    if (const auto found = annotations.find(kept); found != annotations.end())
      fields.meta.annotations[std::string(kept)] = string_or_empty(*found);
  }
  for (const Json& finalizer : list(metadata, "finalizers")) fields.meta.finalizers.push_back(string_or_empty(finalizer));
  for (const Json& owner : list(metadata, "ownerReferences")) {
    fields.meta.owners.push_back({text(owner, "apiVersion"), text(owner, "kind"), text(owner, "name"), text(owner, "uid"),
                                  flag(owner, "controller"), flag(owner, "blockOwnerDeletion")});
  }
  fields.node_name = text(spec, "nodeName");
  for (const Json& c : list(spec, "containers")) fields.containers.push_back(container(c, annotations, fields.meta));
  for (const Json& gate : list(spec, "readinessGates")) fields.readiness_gates.push_back(text(gate, "conditionType"));
  for (const Json& volume : list(spec, "volumes")) {
    const Json claim = member(volume, "persistentVolumeClaim");
    if (claim.contains("claimName")) fields.claim_names.push_back(text(claim, "claimName"));
  }
  const std::map<std::string, api::PodPhase> phases{{"", api::PodPhase::kNone},
                                                    {"Pending", api::PodPhase::kPending},
                                                    {"Running", api::PodPhase::kRunning},
                                                    {"Succeeded", api::PodPhase::kSucceeded},
                                                    {"Failed", api::PodPhase::kFailed}};
  const auto phase = phases.find(text(status, "phase"));
  fields.phase = phase == phases.end() ? api::PodPhase::kUnknown : phase->second;
  for (const Json& c : list(status, "conditions")) {
    const std::string type = text(c, "type"), truth = text(c, "status");
    fields.conditions.push_back({type,
                                 truth == "True"    ? api::Tristate::kTrue
                                 : truth == "False" ? api::Tristate::kFalse
                                                    : api::Tristate::kUnknown,
                                 time(c, "lastTransitionTime"), text(c, "reason"),
                                 type == "KruisePodReady" ? text(c, "message") : ""});
  }
  for (const Json& s : list(status, "containerStatuses")) {
    fields.statuses.push_back({text(s, "name"), text(s, "image"), text(s, "imageID"), text(s, "containerID"), flag(s, "ready"),
                               at(s, "restartCount", 0).get<std::int32_t>()});
  }
  for (const Json& s : list(status, "initContainerStatuses")) {
    fields.init_statuses.emplace_back().restart_count = at(s, "restartCount", 0).get<std::int32_t>();
  }
  return fields;
}

}  // namespace kruise::cache
