#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/schema.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/builtin/rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kContainerLists[] = {"initContainers", "containers", "ephemeralContainers"};

/// Guaranteed, Burstable or BestEffort, by requests and limits of cpu and memory.
std::string_view qos_class(const Json& spec) {
  bool any = false;
  bool guaranteed = true;
  for (const auto list : {"initContainers", "containers"}) {
    const Json* containers = member(spec, list);
    if (containers == nullptr) continue;
    for (const Json& container : *containers) {
      const Json* resources = member(container, "resources");
      for (const char* name : {"cpu", "memory"}) {
        const Json* limit = resources != nullptr ? member_at(*resources, {"limits", name}) : nullptr;
        const Json* request = resources != nullptr ? member_at(*resources, {"requests", name}) : nullptr;
        any = any || limit != nullptr || request != nullptr;
        guaranteed = guaranteed && limit != nullptr && same(limit, request);
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

void default_container(Json& container, bool host_network, bool template_only) {
  if (text_of(container, "imagePullPolicy").empty())
    container["imagePullPolicy"] = api::default_pull_policy(text_of(container, "image"));
  if (const auto ports = container.find("ports"); host_network && ports != container.end() && ports->is_array()) {
    for (Json& port : *ports) {
      if (!port.contains("hostPort") && port.contains("containerPort")) port["hostPort"] = port["containerPort"];
    }
  }
  if (template_only) return;
  const Json* limits = member_at(container, {"resources", "limits"});
  if (limits == nullptr) return;
  const Json wanted = *limits;
  Json& requests = object_in(container["resources"], "requests");
  for (const auto& [name, value] : wanted.items()) {
    if (!requests.contains(name)) requests[name] = value;
  }
}

void default_pod(Json& tree) {
  if (tree.contains("spec")) default_pod_spec(tree["spec"], false);
}

/// What admission adds: a pod leaves a lost node after five minutes.
void add_tolerations(Json& spec) {
  constexpr int kSeconds = 300;
  Json& tolerations = spec["tolerations"];
  if (!tolerations.is_array()) tolerations = Json::array();
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    const bool has = std::ranges::any_of(tolerations, [&](const Json& t) {
      const auto named = text_of(t, "key");
      const auto effect = text_of(t, "effect");
      return (named.empty() || named == key) && (effect.empty() || effect == "NoExecute");
    });
    if (has) continue;
    tolerations.push_back({{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", kSeconds}});
  }
}

/// Who replaces the tolerations of a running pod gets those of admission again.
void update_pod(Json& now, const Json&) { add_tolerations(object_in(now, "spec")); }

/// The pod's own values of the labels that a selector names by key become part of that selector.
void take_in_label_keys(Json& term, const Json& labels) {
  const auto selector = term.find("labelSelector");
  if (selector == term.end() || !selector->is_object()) return;
  for (const auto& [name, how] : {std::pair{"matchLabelKeys", "In"}, {"mismatchLabelKeys", "NotIn"}}) {
    const auto keys = term.find(name);
    if (keys == term.end() || !keys->is_array()) continue;
    for (const Json& key : *keys) {
      const Json* value = key.is_string() ? member(labels, key.get_ref<const std::string&>()) : nullptr;
      if (value == nullptr) continue;
      Json& expressions = (*selector)["matchExpressions"];
      if (!expressions.is_array()) expressions = Json::array();
      expressions.push_back({{"key", key}, {"operator", how}, {"values", Json::array({*value})}});
    }
  }
}

void take_in_label_keys(Json& spec, std::initializer_list<const char*> path, const char* inner, const Json& labels) {
  Json* at = &spec;
  for (const char* name : path) {
    const auto found = at->find(name);
    if (found == at->end() || found->is_null()) return;
    at = &*found;
  }
  if (!at->is_array()) return;
  for (Json& term : *at) {
    if (inner == nullptr) {
      take_in_label_keys(term, labels);
    } else if (const auto found = term.find(inner); found != term.end()) {
      take_in_label_keys(*found, labels);
    }
  }
}

void take_in_label_keys(Json& tree) {
  const Json labels = object_of(object_of(tree, "metadata"), "labels");
  Json& spec = tree["spec"];
  if (labels.empty()) return;
  for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
    take_in_label_keys(spec, {"affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"}, nullptr, labels);
    take_in_label_keys(spec, {"affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution"}, "podAffinityTerm", labels);
  }
  take_in_label_keys(spec, {"topologySpreadConstraints"}, nullptr, labels);
}

void create_pod(Json& tree) {
  Json& spec = object_in(tree, "spec");
  take_in_label_keys(tree);
  add_tolerations(spec);
  // Below zero means the shortest there is.
  if (integer_of(spec, "terminationGracePeriodSeconds", 0) < 0) spec["terminationGracePeriodSeconds"] = 1;
  if (!spec.contains("priority")) spec["priority"] = 0;
  if (!spec.contains("preemptionPolicy")) spec["preemptionPolicy"] = "PreemptLowerPriority";
  tree["status"] = {{"phase", "Pending"}, {"qosClass", qos_class(tree.at("spec"))}};
  tree["metadata"]["generation"] = 1;
}

}  // namespace

void default_pod_spec(Json& spec, bool template_only) {
  if (!spec.is_object()) return;
  for (const auto list : kContainerLists) {
    const auto containers = spec.find(list);
    if (containers == spec.end() || !containers->is_array()) continue;
    for (Json& container : *containers) default_container(container, bool_of(spec, "hostNetwork"), template_only);
  }
  if (const auto volumes = spec.find("volumes"); volumes != spec.end() && volumes->is_array()) {
    for (Json& volume : *volumes) {
      if (volume.is_object() && volume.size() == 1 && volume.contains("name")) volume["emptyDir"] = Json::object();
    }
  }
  // The two names of one thing.
  if (const auto account = text_of(spec, "serviceAccountName"); !account.empty()) spec["serviceAccount"] = std::string(account);
  if (!template_only && !spec.contains("enableServiceLinks")) spec["enableServiceLinks"] = true;
}

BuiltinRules pod_rules() {
  return {.set_defaults = default_pod,
          .prepare_create = create_pod,
          .prepare_update = update_pod,
          .validate = validate_pod,
          .validate_update = validate_pod_update};
}

}  // namespace kruise::cluster
