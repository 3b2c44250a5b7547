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

/// Defaults within a PodSpec that depend on other fields; `template_only` leaves out what only pods get.
void default_pod_spec(Json& spec, bool template_only);
void validate_pod(const Json& tree, FieldErrors&);  // pod_validation.cpp
void validate_pod_update(const Json& now, const Json& before, FieldErrors&);
/// Parts of a PodSpec, pod_part_validation.cpp: probes and hooks of a container, one variable, one volume, tolerations and gates.
void validate_probes(const Json& container, const std::string& at, FieldErrors&);
void validate_env_variable(const Json& variable, const std::string& at, FieldErrors&);
void validate_volume_source(const Json& volume, const std::string& at, FieldErrors&);
void validate_placement(const Json& spec, const std::string& path, FieldErrors&);
/// What is wrong with a PodSpec at `path`.
void validate_pod_spec(const Json& spec, const std::string& path, FieldErrors&);

}  // namespace kruise::cluster
