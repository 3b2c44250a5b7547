// How the containers of a pod see its volumes: mounted as folders, or as devices.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/builtin/pod_validation.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// Of a list of mounts or devices: where each volume appears. One that is there twice counts where it is last, as on the server.
using Uses = std::map<std::string, std::string>;

bool has_path(const Uses& uses, const std::string& path) {
  return std::ranges::any_of(uses, [&](const auto& use) { return use.second == path; });
}

Uses uses_in(const Json& container, std::string_view list, std::string_view path) {
  Uses uses;
  const Json* found = member(container, list);
  for (std::size_t i = 0; found != nullptr && i < found->size(); ++i) {
    uses[std::string(text_of((*found)[i], "name"))] = text_of((*found)[i], path);
  }
  return uses;
}

/// `list_at`, not the mount itself, is what these errors name.
void validate_propagation(const Json& mount, bool privileged, const std::string& list_at, FieldErrors& errors) {
  validate_choice(mount, "mountPropagation", {"Bidirectional", "HostToContainer", "None"}, list_at, errors);
  if (text_of(mount, "mountPropagation") == "Bidirectional" && !privileged)
    errors.forbidden(list_at + ".mountPropagation", "Bidirectional mount propagation is available only to privileged containers");
}

void validate_recursive(const Json& mount, const std::string& list_at, FieldErrors& errors) {
  const Json* recursive = member(mount, "recursiveReadOnly");
  if (recursive == nullptr) return;
  const std::string at = list_at + ".recursiveReadOnly";
  const std::string how(text_of(mount, "recursiveReadOnly"));
  if (how == "Disabled") return;
  if (how != "Enabled" && how != "IfPossible") return errors.not_supported(at, *recursive, {"Disabled", "Enabled", "IfPossible"});
  if (!bool_of(mount, "readOnly")) errors.forbidden(at, "may only be specified when readOnly is true");
  const auto propagation = text_of(mount, "mountPropagation");
  if (!propagation.empty() && propagation != "None")
    errors.forbidden(at, "may only be specified when mountPropagation is None or not specified");
}

void validate_sub_paths(const Json& mount, const std::string& at, const std::string& list_at, FieldErrors& errors) {
  const std::string plain(text_of(mount, "subPath"));
  const std::string expression(text_of(mount, "subPathExpr"));
  if (!plain.empty()) validate_descending_path(plain, list_at + ".subPath", errors);
  if (expression.empty()) return;
  if (!plain.empty()) errors.invalid(at + ".subPathExpr", expression, "subPathExpr and subPath are mutually exclusive");
  validate_descending_path(expression, list_at + ".subPathExpr", errors);
}

void validate_volume_mounts(const Json& container, const PodVolumes& volumes, const std::string& list_at, FieldErrors& errors) {
  const Json* mounts = member(container, "volumeMounts");
  if (mounts == nullptr) return;
  const Uses devices = uses_in(container, "volumeDevices", "devicePath");
  const Json* privileged = member_at(container, {"securityContext", "privileged"});
  std::set<std::string> paths;
  for (std::size_t i = 0; i < mounts->size(); ++i) {
    const Json& mount = (*mounts)[i];
    const std::string at = index(list_at, i);
    const std::string name(text_of(mount, "name"));
    const std::string path(text_of(mount, "mountPath"));
    if (name.empty()) errors.required(at + ".name", "");
    const auto volume = volumes.find(name);
    if (volume == volumes.end()) errors.not_found(at + ".name", name);
    if (path.empty()) errors.required(at + ".mountPath", "");
    if (!paths.insert(path).second) errors.invalid(at + ".mountPath", path, "must be unique");
    if (devices.contains(name)) errors.invalid(at + ".name", name, "must not already exist in volumeDevices");
    if (has_path(devices, path)) errors.invalid(at + ".mountPath", path, "must not already exist as a path in volumeDevices");
    validate_sub_paths(mount, at, list_at, errors);
    validate_propagation(mount, privileged != nullptr && *privileged == true, list_at, errors);
    validate_recursive(mount, list_at, errors);
  }
}

bool is_block_source(const Json& volume) {
  return member(volume, "persistentVolumeClaim") != nullptr || member(volume, "ephemeral") != nullptr;
}

void validate_volume_devices(const Json& container, const PodVolumes& volumes, const std::string& list_at, FieldErrors& errors) {
  const Json* devices = member(container, "volumeDevices");
  if (devices == nullptr) return;
  const Uses mounts = uses_in(container, "volumeMounts", "mountPath");
  std::set<std::string> names;
  std::set<std::string> paths;
  for (std::size_t i = 0; i < devices->size(); ++i) {
    const std::string at = index(list_at, i);
    const std::string name(text_of((*devices)[i], "name"));
    const std::string path(text_of((*devices)[i], "devicePath"));
    if (name.empty()) errors.required(at + ".name", "");
    if (names.contains(name)) errors.invalid(at + ".name", name, "must be unique");
    const auto volume = volumes.find(name);
    if (volume == volumes.end()) {
      errors.not_found(at + ".name", name);
    } else if (!is_block_source(*volume->second)) {
      errors.invalid(at + ".name", name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    if (path.empty()) errors.required(at + ".devicePath", "");
    if (paths.contains(path)) errors.invalid(at + ".devicePath", path, "must be unique");
    FieldErrors steps;
    validate_no_backsteps(path, at, steps);
    if (!steps.empty()) {
      errors.invalid(at + ".devicePath", path, "can not contain backsteps ('..')");
    } else {
      paths.insert(path);
    }
    if (mounts.contains(name)) errors.invalid(at + ".name", name, "must not already exist in volumeMounts");
    if (has_path(mounts, path)) errors.invalid(at + ".devicePath", path, "must not already exist as a path in volumeMounts");
    if (!name.empty()) names.insert(name);
  }
}

}  // namespace

void validate_mounts(const Json& container, const PodVolumes& volumes, const std::string& at, FieldErrors& errors) {
  validate_volume_mounts(container, volumes, at + ".volumeMounts", errors);
  validate_volume_devices(container, volumes, at + ".volumeDevices", errors);
}

}  // namespace kruise::cluster
