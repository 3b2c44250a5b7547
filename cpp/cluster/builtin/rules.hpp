// The rules of built-in kinds beyond their shape, one file a family.
#pragma once

#include "cluster/builtin/builtin_kind.hpp"

namespace kruise::cluster {

[[nodiscard]] BuiltinRules pod_rules();         // pod_rules.cpp
[[nodiscard]] BuiltinRules template_rules();    // workload_rules.cpp: kinds that only carry pod templates
[[nodiscard]] BuiltinRules deployment_rules();  // ... Deployment, ReplicaSet, StatefulSet
[[nodiscard]] BuiltinRules daemonset_rules();
[[nodiscard]] BuiltinRules job_rules();
[[nodiscard]] BuiltinRules revision_rules();
[[nodiscard]] BuiltinRules lease_rules();
[[nodiscard]] BuiltinRules namespace_rules();  // core_rules.cpp
[[nodiscard]] BuiltinRules node_rules();
[[nodiscard]] BuiltinRules claim_rules();
[[nodiscard]] BuiltinRules volume_rules();
[[nodiscard]] BuiltinRules configmap_rules();
[[nodiscard]] BuiltinRules secret_rules();
[[nodiscard]] BuiltinRules service_rules();
[[nodiscard]] BuiltinRules event_rules();
[[nodiscard]] BuiltinRules role_rules();  // access_rules.cpp
[[nodiscard]] BuiltinRules role_binding_rules();
[[nodiscard]] BuiltinRules budget_rules();
[[nodiscard]] BuiltinRules ingress_rules();
[[nodiscard]] BuiltinRules priority_class_rules();
[[nodiscard]] BuiltinRules quota_rules();

/// Defaults within a PodSpec that depend on other fields; `template_only` leaves out what only pods get.
void default_pod_spec(Json& spec, bool template_only);
/// What is wrong with the spec of a claim, or of a claim's template.
void validate_claim_spec(const Json& spec, const std::string& path, FieldErrors&);  // core_rules.cpp

}  // namespace kruise::cluster
