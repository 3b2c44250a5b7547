#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/tables/builtin_columns.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

std::string node_status(const Json& node) {
  std::string status = "Unknown";
  if (const Json* conditions = member_at(node, {"status", "conditions"})) {
    for (const Json& condition : *conditions) {
      if (text_of(condition, "type") == "Ready") status = text_of(condition, "status") == "True" ? "Ready" : "NotReady";
    }
  }
  const Json* spec = member(node, "spec");
  return spec != nullptr && bool_of(*spec, "unschedulable") ? status + ",SchedulingDisabled" : status;
}

std::string node_roles(const Json& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::string roles;
  if (const Json* labels = member_at(node, {"metadata", "labels"})) {
    for (const auto& [key, value] : labels->items()) {
      if (!key.starts_with(kPrefix) || key.size() == kPrefix.size()) continue;
      roles += (roles.empty() ? "" : ",") + key.substr(kPrefix.size());
    }
  }
  return roles.empty() ? "<none>" : roles;
}

std::vector<Column> node_columns() {
  return {name_column(),
          {.name = "Status", .cell = [](const Json& node, base::Time) { return Json(node_status(node)); }},
          {.name = "Roles", .cell = [](const Json& node, base::Time) { return Json(node_roles(node)); }},
          age_column(),
          text_column("Version", ".status.nodeInfo.kubeletVersion"),
          text_column("Internal-IP", ".status.addresses[?(@.type==\"InternalIP\")].address", "<none>", 1),
          text_column("External-IP", ".status.addresses[?(@.type==\"ExternalIP\")].address", "<none>", 1),
          text_column("OS-Image", ".status.nodeInfo.osImage", "<unknown>", 1),
          text_column("Kernel-Version", ".status.nodeInfo.kernelVersion", "<unknown>", 1),
          text_column("Container-Runtime", ".status.nodeInfo.containerRuntimeVersion", "<unknown>", 1)};
}

Json last_seen(const Json& event, base::Time now) {
  const Json* series = member(event, "series");
  std::string_view time = text_of(event, "lastTimestamp");
  if (series != nullptr) time = text_of(*series, "lastObservedTime");
  if (time.empty()) time = text_of(event, "firstTimestamp");
  if (time.empty()) time = text_of(event, "eventTime");
  return age_of(time, now);
}

Json first_seen(const Json& event, base::Time now) {
  const auto time = text_of(event, "firstTimestamp");
  return age_of(time.empty() ? text_of(event, "eventTime") : time, now);
}

Json event_object(const Json& event) {
  std::string kind(text_at(event, {"involvedObject", "kind"}));
  std::ranges::transform(kind, kind.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string name(text_at(event, {"involvedObject", "name"}));
  return name.empty() ? kind : kind + "/" + name;
}

Json event_source(const Json& event) {
  const std::string component(text_at(event, {"source", "component"}));
  const std::string host(text_at(event, {"source", "host"}));
  if (component.empty()) return text_of(event, "reportingComponent");
  return host.empty() ? component : component + ", " + host;
}

std::vector<Column> event_columns() {
  return {{.name = "Last Seen", .cell = last_seen},
          text_column("Type", ".type"),
          text_column("Reason", ".reason"),
          {.name = "Object", .cell = [](const Json& event, base::Time) { return event_object(event); }},
          text_column("Subobject", ".involvedObject.fieldPath", {}, 1),
          {.name = "Source", .priority = 1, .cell = [](const Json& event, base::Time) { return event_source(event); }},
          text_column("Message", ".message"),
          {.name = "First Seen", .priority = 1, .cell = first_seen},
          {.name = "Count",
           .type = "integer",
           .priority = 1,
           .cell = [](const Json& event, base::Time) { return Json(std::max<std::int64_t>(integer_of(event, "count", 1), 1)); }},
          {.name = "Name", .format = "name", .priority = 1, .cell = [](const Json& event, base::Time) {
             return Json(text_at(event, {"metadata", "name"}));
           }}};
}

/// "RWO,ROX"
std::string access_modes(const Json* modes) {
  std::string text;
  if (modes == nullptr) return text;
  for (const auto& [mode, letters] :
       {std::pair{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}}) {
    if (std::ranges::find(*modes, Json(mode)) == modes->end()) continue;
    if (!text.empty()) text += ',';
    text += letters;
  }
  return text;
}

Json claim_status(const Json& claim) {
  if (member_at(claim, {"metadata", "deletionTimestamp"}) != nullptr) return "Terminating";
  return text_at(claim, {"status", "phase"});
}

Json claim_text(const Json& volume) {
  const std::string ns(text_at(volume, {"spec", "claimRef", "namespace"}));
  const std::string name(text_at(volume, {"spec", "claimRef", "name"}));
  return name.empty() ? "" : ns + "/" + name;
}

std::vector<Column> claim_columns() {
  return {name_column(),
          {.name = "Status", .cell = [](const Json& claim, base::Time) { return claim_status(claim); }},
          text_column("Volume", ".spec.volumeName"),
          text_column("Capacity", ".status.capacity.storage"),
          {.name = "Access Modes",
           .cell = [](const Json& claim, base::Time) { return Json(access_modes(member_at(claim, {"status", "accessModes"}))); }},
          text_column("StorageClass", ".spec.storageClassName"),
          text_column("VolumeAttributesClass", ".spec.volumeAttributesClassName", "<unset>"),
          age_column(),
          text_column("VolumeMode", ".spec.volumeMode", "<unset>", 1)};
}

std::vector<Column> volume_columns() {
  return {name_column(),
          text_column("Capacity", ".spec.capacity.storage"),
          {.name = "Access Modes",
           .cell = [](const Json& volume, base::Time) { return Json(access_modes(member_at(volume, {"spec", "accessModes"}))); }},
          text_column("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"),
          {.name = "Status", .cell = [](const Json& volume, base::Time) { return claim_status(volume); }},
          {.name = "Claim", .cell = [](const Json& volume, base::Time) { return claim_text(volume); }},
          text_column("StorageClass", ".spec.storageClassName"),
          text_column("VolumeAttributesClass", ".spec.volumeAttributesClassName", "<unset>"),
          text_column("Reason", ".status.reason"),
          age_column(),
          text_column("VolumeMode", ".spec.volumeMode", "<unset>", 1)};
}

Json ports_cell(const Json& service) {
  std::string text;
  if (const Json* ports = member_at(service, {"spec", "ports"})) {
    for (const Json& port : *ports) {
      if (!text.empty()) text += ',';
      text += std::to_string(integer_of(port, "port", 0));
      if (const auto node = integer_of(port, "nodePort", 0); node != 0) text += ":" + std::to_string(node);
      text += "/" + std::string(text_of(port, "protocol"));
    }
  }
  return text.empty() ? "<none>" : text;
}

Json size_of(const Json& tree, std::initializer_list<std::string_view> members) {
  std::size_t count = 0;
  for (const auto name : members) {
    if (const Json* found = member(tree, name)) count += found->size();
  }
  return count;
}

}  // namespace

std::vector<Column> core_columns(std::string_view plural) {
  if (plural == "nodes") return node_columns();
  if (plural == "events") return event_columns();
  if (plural == "persistentvolumeclaims") return claim_columns();
  if (plural == "persistentvolumes") return volume_columns();
  if (plural == "namespaces") return {name_column(), text_column("Status", ".status.phase"), age_column()};
  if (plural == "configmaps") {
    return {name_column(),
            {.name = "Data", .cell = [](const Json& tree, base::Time) { return size_of(tree, {"data", "binaryData"}); }},
            age_column()};
  }
  if (plural == "secrets") {
    return {name_column(),
            text_column("Type", ".type"),
            {.name = "Data", .cell = [](const Json& tree, base::Time) { return size_of(tree, {"data"}); }},
            age_column()};
  }
  if (plural == "serviceaccounts") {
    return {name_column(),
            {.name = "Secrets", .cell = [](const Json& tree, base::Time) { return size_of(tree, {"secrets"}); }},
            age_column()};
  }
  if (plural == "services") {
    return {name_column(),
            text_column("Type", ".spec.type"),
            text_column("Cluster-IP", ".spec.clusterIP", "<none>"),
            text_column("External-IP", ".spec.externalIPs[*]", "<none>"),
            {.name = "Port(s)", .cell = [](const Json& service, base::Time) { return ports_cell(service); }},
            age_column(),
            selector_column(".spec.selector")};
  }
  if (plural == "endpoints")
    return {name_column(), text_column("Endpoints", ".subsets[*].addresses[*].ip", "<none>"), age_column()};
  if (plural == "replicationcontrollers") {
    return {name_column(),
            count_column("Desired", ".spec.replicas"),
            count_column("Current", ".status.replicas"),
            count_column("Ready", ".status.readyReplicas"),
            age_column(),
            containers_column(),
            images_column(),
            selector_column(".spec.selector")};
  }
  return {};
}

}  // namespace kruise::cluster
