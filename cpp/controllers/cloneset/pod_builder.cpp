#include "controllers/cloneset/pod_builder.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/decode.hpp"
#include "api/names.hpp"
#include "base/json_writer.hpp"
#include "patch/tree.hpp"
#include "workload/pod_state.hpp"

namespace kruise::controllers::cloneset {
namespace {

using nlohmann::json;

json member(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : json();
}

std::string name_of(const json& object) {
  const json name = member(object, "name");
  return name.is_string() ? name.get<std::string>() : std::string();
}

/// `{"a":1}` as `"a":1`, to be written into a larger object.
std::string members_text(const json& object) {
  if (object.empty()) return {};
  const std::string text = patch::tree_text(object);
  return text.substr(1, text.size() - 2);
}

void write_labels(base::JsonWriter& w, const api::StringMap& labels) {
  w.key("labels").begin_object();
  for (const auto& [key, value] : labels) w.key(key).string(value);
  w.end_object();
}

void write_owner(base::JsonWriter& w, const api::OwnerReference& owner) {
  w.key("ownerReferences").begin_array();
  api::write(w, owner);
  w.end_array();
}

api::StringMap string_map(const json& object) {
  api::StringMap map;
  if (!object.is_object()) return map;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) map.emplace(key, value.get<std::string>());
  }
  return map;
}

/// Every pod has the gate, whatever the update type: the type may change while the pod lives.
void add_readiness_gate(json& spec) {
  json& gates = spec["readinessGates"];
  if (!gates.is_array()) gates = json::array();
  const auto is_ours = [](const json& gate) {
    return gate.is_object() && gate.value("conditionType", json()) == api::kConditionInPlaceUpdateReady;
  };
  if (std::none_of(gates.begin(), gates.end(), is_ours)) gates.push_back({{"conditionType", api::kConditionInPlaceUpdateReady}});
}

void collect_mounts(const json& spec, const char* containers, std::set<std::string>& mounted) {
  for (const auto& container : member(spec, containers)) {
    for (const auto& mount : member(container, "volumeMounts")) mounted.insert(name_of(mount));
    for (const auto& device : member(container, "volumeDevices")) mounted.insert(name_of(device));
  }
}

}  // namespace

api::OwnerReference controller_reference(const api::CloneSet& set) {
  return {api::kCloneSets.api_version(), api::kCloneSets.kind, set.meta.name, set.meta.uid, true, true};
}

PodBuilder::PodBuilder(const api::CloneSet& set, const workload::Template& pod_template, const std::string& revision,
                       base::Time now)
    : set_name_(set.meta.name), ns_(set.meta.ns), owner_(controller_reference(set)), labels_(pod_template.labels()) {
  std::set<std::string> provided;
  for (const auto& text : set.spec.volume_claim_templates) {
    const json tree = json::parse(text.text);
    json metadata = member(tree, "metadata");
    ClaimTemplate claim{
        .name = name_of(metadata), .metadata_rest = {}, .labels = string_map(member(metadata, "labels")), .spec = {}};
    for (const auto& [key, value] : set.spec.selector.match_labels) claim.labels[key] = value;
    json kept = json::object();
    for (const char* name : {"annotations", "finalizers"}) {
      if (const json value = member(metadata, name); !value.empty()) kept[name] = value;
    }
    claim.metadata_rest = members_text(kept);
    const json spec = member(tree, "spec");
    claim.spec = spec.is_object() ? patch::tree_text(spec) : "{}";
    provided.insert(claim.name);
    claim_templates_.push_back(std::move(claim));
  }

  labels_[std::string(api::kLabelRevision)] = revision;
  labels_[std::string(api::kLabelPodTemplateHash)] = workload::revision_hash(revision);
  labels_[std::string(api::kLabelLifecycleState)] = api::kLifecyclePreparingNormal;

  const json template_metadata = member(pod_template.tree(), "metadata");
  json metadata = json::object();
  metadata["annotations"] = member(template_metadata, "annotations");
  metadata["annotations"][std::string(api::kAnnotationLifecycleTimestamp)] = base::format_time(now);
  if (const json finalizers = member(template_metadata, "finalizers"); !finalizers.empty()) metadata["finalizers"] = finalizers;
  metadata_rest_ = members_text(metadata);

  json spec = member(pod_template.tree(), "spec");
  if (!spec.is_object()) spec = json::object();
  const json volumes = member(spec, "volumes");
  std::set<std::string> mounted;
  for (const char* containers : {"containers", "initContainers"}) collect_mounts(spec, containers, mounted);
  for (const auto& volume : volumes) {
    if (!provided.insert(name_of(volume)).second) continue;  // a claim template of that name takes its place
    volumes_rest_ += (volumes_rest_.empty() ? "" : ",") + patch::tree_text(volume);
  }
  std::ranges::set_difference(mounted, provided, std::back_inserter(missing_volumes_));
  spec.erase("volumes");
  add_readiness_gate(spec);
  spec_rest_ = members_text(spec);
}

std::string PodBuilder::pod_name(std::string_view id) const { return set_name_ + "-" + std::string(id); }

std::string PodBuilder::pod(std::string_view id) const {
  api::StringMap labels = labels_;
  labels[std::string(api::kLabelInstanceId)] = id;
  base::JsonWriter w;
  w.begin_object().key("apiVersion").string("v1").key("kind").string("Pod").key("metadata").begin_object();
  w.key("name").string(pod_name(id)).key("generateName").string(set_name_ + "-").key("namespace").string(ns_);
  write_labels(w, labels);
  write_owner(w, owner_);
  std::string text = std::move(w).text();
  text += "," + metadata_rest_ + "},\"spec\":{" + spec_rest_;
  std::string volumes;
  for (const auto& claim : claim_templates_) {
    base::JsonWriter v;
    v.begin_object().key("name").string(claim.name).key("persistentVolumeClaim").begin_object();
    v.key("claimName").string(claim.name + "-" + pod_name(id)).key("readOnly").boolean(false).end_object().end_object();
    volumes += (volumes.empty() ? "" : ",") + v.text();
  }
  if (!volumes_rest_.empty()) volumes += (volumes.empty() ? "" : ",") + volumes_rest_;
  if (!volumes.empty()) text += ",\"volumes\":[" + volumes + "]";
  return text + "}}";
}

std::vector<NewClaim> PodBuilder::claims(std::string_view id) const {
  std::vector<NewClaim> claims;
  for (const auto& claim : claim_templates_) {
    NewClaim made{.name = claim.name + "-" + pod_name(id), .body = {}};
    api::StringMap labels = claim.labels;
    labels[std::string(api::kLabelInstanceId)] = id;
    base::JsonWriter w;
    w.begin_object().key("apiVersion").string("v1").key("kind").string("PersistentVolumeClaim").key("metadata").begin_object();
    w.key("name").string(made.name).key("namespace").string(ns_);
    write_labels(w, labels);
    write_owner(w, owner_);
    made.body = std::move(w).text();
    if (!claim.metadata_rest.empty()) made.body += "," + claim.metadata_rest;
    made.body += "},\"spec\":" + claim.spec + "}";
    claims.push_back(std::move(made));
  }
  return claims;
}

}  // namespace kruise::controllers::cloneset
