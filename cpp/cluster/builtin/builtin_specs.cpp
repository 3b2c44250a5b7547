#include "cluster/builtin/builtin_kind.hpp"
#include "cluster/builtin/rules.hpp"

namespace kruise::cluster {
namespace {

/// Starts a row of the table; the rest is set by name.
struct Row {
  BuiltinSpec spec;

  Row(std::string_view group, std::string_view version, std::string_view kind, std::string_view plural) {
    KindNames& n = spec.names;
    n.group = group;
    n.version = version;
    n.kind = kind;
    n.plural = plural;
    n.list_kind = n.kind + "List";
    n.singular = n.kind;
    for (char& c : n.singular) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
  }
  Row& short_names(std::vector<std::string> names) { return spec.names.short_names = std::move(names), *this; }
  Row& in_all() { return spec.names.categories = {"all"}, *this; }
  Row& cluster_scoped() { return spec.names.namespaced = false, *this; }
  Row& name_rule(NameRule rule) { return spec.traits.name_rule = rule, *this; }
  Row& status() { return spec.traits.status = true, *this; }
  Row& status_at_birth() { return spec.traits.status_at_birth = true, *this; }
  Row& scale() { return spec.traits.scale = true, *this; }
  Row& generation() { return spec.traits.generation = true, *this; }
  Row& conditional_update() { return spec.traits.unconditional_update = false, *this; }
  Row& create_on_update() { return spec.traits.create_on_update = true, *this; }
  Row& status_keeps_labels() { return spec.traits.status_takes_labels = false, *this; }
  Row& ends_gracefully() { return spec.traits.ends_gracefully = true, *this; }
  Row& returns_deleted() { return spec.traits.returns_deleted = true, *this; }
  Row& rules(BuiltinRules rules) { return spec.rules = rules, *this; }
  Row& selectable(std::vector<std::string> fields) { return spec.selectable_fields = std::move(fields), *this; }
  Row& review() { return spec.traits.listed = false, spec.names.namespaced = false, *this; }
  operator BuiltinSpec() const { return spec; }  // NOLINT: a row ends as a value of the table
};

std::vector<BuiltinSpec> core() {
  std::vector<BuiltinSpec> t;
  const auto row = [](std::string_view kind, std::string_view plural) { return Row("", "v1", kind, plural); };
  t.push_back(row("ConfigMap", "configmaps").short_names({"cm"}).rules(configmap_rules()));
  t.push_back(row("Endpoints", "endpoints").short_names({"ep"}));
  t.push_back(row("Event", "events")
                  .short_names({"ev"})
                  .create_on_update()
                  .name_rule(NameRule::kPathSegment)
                  .selectable({"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
                               "reason", "reportingComponent", "source", "type"})
                  .rules(event_rules()));
  t.push_back(row("LimitRange", "limitranges").short_names({"limits"}));
  t.push_back(row("Namespace", "namespaces")
                  .short_names({"ns"})
                  .cluster_scoped()
                  .status()
                  .name_rule(NameRule::kLabel)
                  .selectable({"status.phase", "name"})
                  .rules(namespace_rules()));
  t.push_back(row("Node", "nodes")
                  .short_names({"no"})
                  .cluster_scoped()
                  .status()
                  .status_at_birth()
                  .selectable({"spec.unschedulable"})
                  .rules(node_rules()));
  t.push_back(row("PersistentVolumeClaim", "persistentvolumeclaims")
                  .short_names({"pvc"})
                  .returns_deleted()
                  .status()
                  .rules(claim_rules()));
  t.push_back(row("PersistentVolume", "persistentvolumes")
                  .short_names({"pv"})
                  .returns_deleted()
                  .cluster_scoped()
                  .status()
                  .rules(volume_rules()));
  t.push_back(row("Pod", "pods")
                  .short_names({"po"})
                  .returns_deleted()
                  .ends_gracefully()
                  .in_all()
                  .status()
                  .generation()
                  .selectable({"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                               "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"})
                  .rules(pod_rules()));
  t.push_back(row("PodTemplate", "podtemplates").returns_deleted().generation().rules(template_rules()));
  t.push_back(row("ReplicationController", "replicationcontrollers")
                  .short_names({"rc"})
                  .in_all()
                  .status()
                  .scale()
                  .generation()
                  .selectable({"status.replicas"})
                  .rules(template_rules()));
  t.push_back(row("ResourceQuota", "resourcequotas").short_names({"quota"}).returns_deleted().status().rules(quota_rules()));
  t.push_back(row("Secret", "secrets").selectable({"type"}).rules(secret_rules()));
  t.push_back(row("ServiceAccount", "serviceaccounts").short_names({"sa"}).returns_deleted());
  t.push_back(row("Service", "services")
                  .short_names({"svc"})
                  .returns_deleted()
                  .in_all()
                  .status()
                  .name_rule(NameRule::kServiceName)
                  .selectable({"spec.clusterIP", "spec.type"})
                  .rules(service_rules()));
  return t;
}

std::vector<BuiltinSpec> grouped() {
  std::vector<BuiltinSpec> t;
  t.push_back(Row("apps", "v1", "ControllerRevision", "controllerrevisions").rules(revision_rules()));
  t.push_back(Row("apps", "v1", "DaemonSet", "daemonsets")
                  .short_names({"ds"})
                  .in_all()
                  .status()
                  .generation()
                  .status_keeps_labels()
                  .rules(daemonset_rules()));
  t.push_back(Row("apps", "v1", "Deployment", "deployments")
                  .short_names({"deploy"})
                  .in_all()
                  .status()
                  .scale()
                  .generation()
                  .status_keeps_labels()
                  .rules(deployment_rules()));
  t.push_back(Row("apps", "v1", "ReplicaSet", "replicasets")
                  .short_names({"rs"})
                  .in_all()
                  .status()
                  .scale()
                  .generation()
                  .status_keeps_labels()
                  .selectable({"status.replicas"})
                  .rules(deployment_rules()));
  t.push_back(Row("apps", "v1", "StatefulSet", "statefulsets")
                  .short_names({"sts"})
                  .in_all()
                  .status()
                  .scale()
                  .generation()
                  .status_keeps_labels()
                  .rules(deployment_rules()));
  t.push_back(Row("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews").review());
  t.push_back(Row("authentication.k8s.io", "v1", "TokenReview", "tokenreviews").review());
  t.push_back(Row("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews").review());
  t.push_back(Row("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews").review());
  t.push_back(Row("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews").review());
  t.push_back(
      Row("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers").short_names({"hpa"}).in_all().status());
  t.push_back(
      Row("batch", "v1", "CronJob", "cronjobs").short_names({"cj"}).in_all().status().generation().rules(template_rules()));
  t.push_back(
      Row("batch", "v1", "Job", "jobs").in_all().status().generation().selectable({"status.successful"}).rules(job_rules()));
  t.push_back(Row("coordination.k8s.io", "v1", "Lease", "leases").create_on_update().conditional_update().rules(lease_rules()));
  t.push_back(Row("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices").generation());
  t.push_back(
      Row("networking.k8s.io", "v1", "Ingress", "ingresses").short_names({"ing"}).status().generation().rules(ingress_rules()));
  t.push_back(Row("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies").short_names({"netpol"}).generation());
  t.push_back(Row("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
                  .short_names({"pdb"})
                  .status()
                  .generation()
                  .conditional_update()
                  .rules(budget_rules()));
  const auto access = [](std::string_view kind, std::string_view plural, BuiltinRules rules) {
    return Row("rbac.authorization.k8s.io", "v1", kind, plural).name_rule(NameRule::kPathSegment).rules(rules);
  };
  t.push_back(access("ClusterRoleBinding", "clusterrolebindings", role_binding_rules()).cluster_scoped());
  t.push_back(access("ClusterRole", "clusterroles", role_rules()).cluster_scoped());
  t.push_back(access("RoleBinding", "rolebindings", role_binding_rules()));
  t.push_back(access("Role", "roles", role_rules()));
  t.push_back(Row("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
                  .short_names({"pc"})
                  .cluster_scoped()
                  .generation()
                  .rules(priority_class_rules()));
  t.push_back(
      Row("storage.k8s.io", "v1", "StorageClass", "storageclasses").short_names({"sc"}).returns_deleted().cluster_scoped());
  return t;
}

}  // namespace

const std::vector<BuiltinSpec>& builtin_specs() {
  static const std::vector<BuiltinSpec> specs = [] {
    std::vector<BuiltinSpec> all = core();
    for (auto& spec : grouped()) all.push_back(std::move(spec));
    return all;
  }();
  return specs;
}

}  // namespace kruise::cluster
