#include "pods.hpp"

#include "base/random.hpp"
#include "base/time.hpp"

namespace kruise::bench {
namespace {

std::string hex(base::Random& random, std::size_t digits) {
  std::string text;
  while (text.size() < digits) text += "0123456789abcdef"[random.below(16)];
  return text;
}

std::string letters(base::Random& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += "bcdfghjklmnpqrstvwxz2456789"[random.below(27)];
  return text;
}

std::string uid(base::Random& random) {
  return hex(random, 8) + "-" + hex(random, 4) + "-4" + hex(random, 3) + "-a" + hex(random, 3) + "-" + hex(random, 12);
}

/// Replaces each `$name$` of the template below.
void fill(std::string& text, std::string_view name, std::string_view value) {
  const std::string mark = "$" + std::string(name) + "$";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

// Written as the API server does: no spaces, members in the order of its types.
constexpr std::string_view kMetadata =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"$name$","generateName":"$set$-","namespace":"shop","uid":"$uid$",)"
    R"("resourceVersion":"$version$","generation":$generation$,"creationTimestamp":"$created$","labels":{"app.kubernetes.io/component":"backend",)"
    R"("app.kubernetes.io/name":"$set$","app.kubernetes.io/part-of":"shop","apps.kruise.io/cloneset-instance-id":"$instance$",)"
    R"("controller-revision-hash":"$set$-$revision$","lifecycle.apps.kruise.io/state":"Normal"},)"
    R"("annotations":{"lifecycle.apps.kruise.io/timestamp":"$started$"},)"
    R"("ownerReferences":[{"apiVersion":"apps.kruise.io/v1alpha1","kind":"CloneSet","name":"$set$","uid":"$owner$","controller":true,"blockOwnerDeletion":true}],)";

constexpr std::string_view kManagedFields =
    R"("managedFields":[{"manager":"kruise-manager","operation":"Update","apiVersion":"v1","time":"$created$","fieldsType":"FieldsV1","fieldsV1":)"
    R"({"f:metadata":{"f:annotations":{".":{},"f:lifecycle.apps.kruise.io/timestamp":{}},"f:generateName":{},)"
    R"("f:labels":{".":{},"f:app.kubernetes.io/component":{},"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/part-of":{},"f:apps.kruise.io/cloneset-instance-id":{},)"
    R"("f:controller-revision-hash":{},"f:lifecycle.apps.kruise.io/state":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"$owner$\"}":{}}},)"
    R"("f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},)"
    R"("f:imagePullPolicy":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},)"
    R"("f:readinessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{}},)"
    R"("f:resources":{".":{},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}}},"k:{\"name\":\"proxy\"}":{".":{},"f:image":{},)"
    R"("f:imagePullPolicy":{},"f:name":{},"f:resources":{}}},"f:dnsPolicy":{},"f:readinessGates":{},"f:restartPolicy":{}}}},)"
    R"({"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"$changed$","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":)"
    R"({"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":)"
    R"({".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:phase":{},"f:podIP":{},"f:podIPs":{},)"
    R"("f:startTime":{}}},"subresource":"status"}]},)";

constexpr std::string_view kSpec =
    R"("spec":{"volumes":[{"name":"kube-api-access-$volume$","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
    R"({"configMap":{"name":"kube-root-ca.crt"}}],"defaultMode":420}}],"containers":[{"name":"main",)"
    R"("image":"registry.example.com/shop/$set$:$tag$","ports":[{"containerPort":8080,"protocol":"TCP"}],)"
    R"("resources":{"requests":{"cpu":"100m","memory":"256Mi"}},"volumeMounts":[{"name":"kube-api-access-$volume$","readOnly":true,)"
    R"("mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"readinessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,)"
    R"("periodSeconds":10,"successThreshold":1,"failureThreshold":3},"imagePullPolicy":"IfNotPresent"},{"name":"proxy","image":"registry.example.com/mesh/proxy:1.18.2",)"
    R"("resources":{},"volumeMounts":[{"name":"kube-api-access-$volume$","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],)"
    R"("imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default",)"
    R"("nodeName":"$node$","securityContext":{},"schedulerName":"default-scheduler","priority":0,"readinessGates":[{"conditionType":"InPlaceUpdateReady"}],"enableServiceLinks":true},)";

constexpr std::string_view kStatus =
    R"("status":{"phase":"Running","conditions":[{"type":"PodReadyToStartContainers","status":"True","lastProbeTime":null,"lastTransitionTime":"$started$"},)"
    R"({"type":"InPlaceUpdateReady","status":"True","lastProbeTime":null,"lastTransitionTime":"$started$"},)"
    R"({"type":"Initialized","status":"True","lastProbeTime":null,"lastTransitionTime":"$created$"},)"
    R"({"type":"Ready","status":"$ready$","lastProbeTime":null,"lastTransitionTime":"$changed$"$reason$},)"
    R"({"type":"ContainersReady","status":"$ready$","lastProbeTime":null,"lastTransitionTime":"$changed$"$reason$},)"
    R"({"type":"PodScheduled","status":"True","lastProbeTime":null,"lastTransitionTime":"$created$"}],"hostIP":"$hostip$","podIP":"$podip$","podIPs":[{"ip":"$podip$"}],)"
    R"("startTime":"$created$","containerStatuses":[{"name":"main","state":{"running":{"startedAt":"$changed$"}},"lastState":{},"ready":$isready$,"restartCount":$restarts$,)"
    R"("image":"registry.example.com/shop/$set$:$tag$","imageID":"registry.example.com/shop/$set$@sha256:$digest$","containerID":"containerd://$main$","started":true},)"
    R"({"name":"proxy","state":{"running":{"startedAt":"$started$"}},"lastState":{},"ready":true,"restartCount":0,"image":"registry.example.com/mesh/proxy:1.18.2",)"
    R"("imageID":"registry.example.com/mesh/proxy@sha256:4d5a0c3e7b1f9e2a6c8d0b4f3e7a1c5d9b2f6e0a4c8d3b7f1e5a9c2d6b0f4e8a","containerID":"containerd://$proxy$","started":true}],"qosClass":"Burstable"}})";

}  // namespace

std::string pod_json(const PodSpec& spec) {
  const std::uint32_t set_index = spec.index / spec.pods_per_set;
  base::Random own = base::Random(spec.index).stream("pod");  // the same in every update
  base::Random changing = base::Random(spec.index * 1000003ULL + spec.update).stream("update");
  base::Random of_set = base::Random(set_index).stream("set");
  base::Random of_revision = base::Random(set_index * 2 + (spec.new_revision ? 1 : 0)).stream("revision");

  const std::string set = "checkout-" + std::to_string(set_index), instance = letters(own, 5);
  const base::Time created{std::chrono::seconds(1'700'000'000 + spec.index * 7LL)};
  const base::Time started = created + std::chrono::seconds(3 + own.below(9));
  const base::Time changed = started + std::chrono::seconds(spec.update * std::uint64_t{60} + own.below(30));
  const std::uint32_t node = (spec.index + spec.node_shift) % spec.nodes;

  std::string text;
  text.reserve(6000);
  text.append(kMetadata).append(kManagedFields).append(kSpec).append(kStatus);
  fill(text, "name", set + "-" + instance + std::to_string(spec.index % 10));
  fill(text, "set", set);
  fill(text, "instance", instance + std::to_string(spec.index % 10));
  fill(text, "uid", uid(own));
  fill(text, "owner", uid(of_set));
  fill(text, "version", std::to_string(spec.version));
  fill(text, "generation", std::to_string(1 + (spec.new_revision ? 1 : 0)));
  fill(text, "revision", hex(of_revision, 9));
  fill(text, "digest", hex(of_revision, 64));
  fill(text, "tag", spec.new_revision ? "v2.4.1" : "v2.4.0");
  fill(text, "created", base::format_time(created));
  fill(text, "started", base::format_time(started));
  fill(text, "changed", base::format_time(changed));
  fill(text, "volume", letters(own, 5));
  fill(text, "node", "node-" + std::to_string(node) + ".eu-central-1.compute.internal");
  fill(text, "hostip", "10.0." + std::to_string(node / 250) + "." + std::to_string(node % 250 + 1));
  fill(text, "podip",
       "10." + std::to_string(64 + spec.index / 62500) + "." + std::to_string(spec.index / 250 % 250) + "." +
           std::to_string(spec.index % 250 + 1));
  fill(text, "ready", spec.ready ? "True" : "False");
  fill(text, "isready", spec.ready ? "true" : "false");
  fill(text, "reason", spec.ready ? "" : R"(,"reason":"ContainersNotReady","message":"containers with unready status: [main]")");
  fill(text, "restarts", std::to_string(spec.update));
  fill(text, "main", hex(changing, 64));
  fill(text, "proxy", hex(own, 64));
  return text;
}

std::string pod_page(std::uint32_t first, std::uint32_t count, std::uint64_t list_version, std::string_view continue_token) {
  std::string page =
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" + std::to_string(list_version) + '"';
  if (!continue_token.empty()) page.append(R"(,"continue":")").append(continue_token).append(R"(","remainingItemCount":1)");
  page += R"(},"items":[)";
  for (std::uint32_t i = first; i < first + count; ++i) {
    if (i != first) page += ',';
    PodSpec spec;
    spec.index = i;
    spec.version = i + 1;
    page += pod_json(spec);
  }
  page += "]}\n";
  return page;
}

WatchLine pod_event(const PodSpec& spec) {
  constexpr std::size_t kPadding = 64;
  WatchLine line;
  line.bytes = R"({"type":"MODIFIED","object":)" + pod_json(spec) + "}";
  line.size = line.bytes.size();
  line.bytes.resize(line.size + kPadding, '\0');
  return line;
}

}  // namespace kruise::bench
