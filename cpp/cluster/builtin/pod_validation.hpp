// What is wrong with a PodSpec, one file a theme. Each says it as an API server does, in the same order.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/field_errors.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

void validate_pod(const Json& tree, FieldErrors&);  // pod_validation.cpp
void validate_pod_update(const Json& now, const Json& before, FieldErrors&);
/// Of a pod or of a template.
void validate_pod_spec(const Json& spec, const std::string& path, FieldErrors&);

/// A member, where there is one, is one of these words.
void validate_choice(const Json& object, std::string_view name, const std::vector<std::string>& supported, const std::string& at,
                     FieldErrors&);

/// The volumes of a pod by name.
using PodVolumes = std::map<std::string, const Json*, std::less<>>;

// pod_part_validation.cpp: probes and hooks of a container, one variable, tolerations and gates.
void validate_probes(const Json& container, const std::string& at, FieldErrors&);
void validate_env_variable(const Json& variable, const std::string& at, FieldErrors&);
void validate_tolerations(const Json& spec, const std::string& path, FieldErrors&);
void validate_gates(const Json& spec, const std::string& path, FieldErrors&);

// pod_placement_validation.cpp
void validate_affinity(const Json& spec, const std::string& path, FieldErrors&);
void validate_spread(const Json& spec, const std::string& path, FieldErrors&);
void validate_label_selector(const Json& selector, const std::string& at, FieldErrors&);

// pod_security_validation.cpp
void validate_pod_security(const Json& spec, const std::string& path, FieldErrors&);
void validate_container_security(const Json& container, const std::string& at, bool host_users, FieldErrors&);
/// What a pod that uses the node's namespaces may not do besides.
void validate_host_ports(const Json& spec, const std::string& path, FieldErrors&);
void validate_host_users(const Json& spec, const std::string& path, FieldErrors&);
void validate_os(const Json& spec, const std::string& path, FieldErrors&);

// pod_volume_validation.cpp
void validate_volume_source(const Json& volume, const std::string& at, FieldErrors&);
// pod_volume_files_validation.cpp: sources that put files of the API into a pod.
void validate_key_paths(const Json& source, const std::string& at, FieldErrors&);
void validate_downward_files(const Json& source, const std::string& at, FieldErrors&);
void validate_projected_volume(const Json& source, const std::string& at, FieldErrors&);
/// How long a token of a service account may be good for.
void validate_token_seconds(std::int64_t seconds, const std::string& at, FieldErrors&);
/// The permissions of files: 0 to 0777.
void validate_file_mode(const Json& object, std::string_view field, const std::string& at, FieldErrors&);
/// A path below something else: relative, and without a step back.
void validate_descending_path(std::string_view value, const std::string& at, FieldErrors&);
void validate_no_backsteps(std::string_view value, const std::string& at, FieldErrors&);

// pod_mount_validation.cpp
void validate_mounts(const Json& container, const PodVolumes&, const std::string& at, FieldErrors&);

}  // namespace kruise::cluster
