// Where a volume comes from: exactly one source, with what that source needs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

#include "api/quantity.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/builtin/rules.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

using Judge = void (*)(const Json& source, const std::string& at, FieldErrors&);

/// A source, in the order in which they are judged: the first that is there counts.
struct Source {
  const char* name;
  std::vector<const char*> required{};  // texts and lists
  Judge more = nullptr;
  const char* named = nullptr;   // in errors of its members, where that differs
  const char* second = nullptr;  // in the error that it is one too many, where that differs
};

bool is_missing(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return true;
  return value->is_string() ? text_of(object, name).empty() : value->is_array() && value->empty();
}

void validate_range(const Json& source, std::string_view name, std::string_view range, const std::string& at,
                    FieldErrors& errors) {
  const auto number = integer_of(source, name, 0);
  if (number < 0 || number > 255) errors.invalid(child(at, name), number, range);
}

void validate_partition(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_range(source, "partition", "must be between 1 and 255, inclusive", at, errors);
}

void validate_host_path(const Json& source, const std::string& at, FieldErrors& errors) {
  const std::string path(text_of(source, "path"));
  if (path.empty()) return;
  validate_no_backsteps(path, at + ".path", errors);
  validate_choice(source, "type",
                  {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"}, at,
                  errors);
}

void validate_git(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_descending_path(text_of(source, "directory"), at + ".directory", errors);
}

void validate_nfs(const Json& source, const std::string& at, FieldErrors& errors) {
  const std::string path(text_of(source, "path"));
  if (!path.starts_with('/')) errors.invalid(at + ".path", path, "must be an absolute path");
}

/// What is wrong with the name of an iSCSI node; empty: nothing.
std::string_view iscsi_name_problem(const std::string& name) {
  static const std::regex kIqn(R"(iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$)");
  static const std::regex kEui("^eui.[A-Za-z0-9]{16}$");
  static const std::regex kNaa("^naa.[A-Za-z0-9]{32}$");
  const bool known = name.starts_with("iqn") || name.starts_with("eui") || name.starts_with("naa");
  if (!known) return "must be valid format starting with iqn, eui, or naa";
  const std::regex& form = name.starts_with("iqn") ? kIqn : name.starts_with("eui") ? kEui : kNaa;
  return std::regex_search(name, form) ? "" : "must be valid format";
}

void validate_iscsi(const Json& source, const std::string& at, FieldErrors& errors) {
  const std::string target(text_of(source, "iqn"));
  if (const auto problem = target.empty() ? "" : iscsi_name_problem(target); !problem.empty())
    errors.invalid(at + ".iqn", target, problem);
  validate_range(source, "lun", "must be between 0 and 255, inclusive", at, errors);
  const bool authenticates = bool_of(source, "chapAuthDiscovery") || bool_of(source, "chapAuthSession");
  if (authenticates && member(source, "secretRef") == nullptr) errors.required(at + ".secretRef", "");
  if (member(source, "initiatorName") == nullptr) return;
  const std::string initiator(text_of(source, "initiatorName"));
  if (const auto problem = iscsi_name_problem(initiator); !problem.empty())
    errors.invalid(at + ".initiatorname", initiator, problem);
}

void validate_flocker(const Json& source, const std::string& at, FieldErrors& errors) {
  const std::string name(text_of(source, "datasetName"));
  const bool has_uuid = !text_of(source, "datasetUUID").empty();
  if (name.empty() && !has_uuid) errors.required(at, "one of datasetName and datasetUUID is required");
  if (!name.empty() && has_uuid)
    errors.invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously");
  if (name.find('/') != std::string::npos) errors.invalid(at + ".datasetName", name, "must not contain '/'");
}

void validate_cinder(const Json& source, const std::string& at, FieldErrors& errors) {
  const Json* secret = member(source, "secretRef");
  if (secret != nullptr && text_of(*secret, "name").empty()) errors.required(at + ".secretRef.name", "");
}

void validate_quobyte(const Json& source, const std::string& at, FieldErrors& errors) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  const std::string registry(text_of(source, "registry"));
  if (registry.empty()) {
    errors.required(at + ".registry", kPairs);
  } else if (text_of(source, "tenant").size() > 64) {
    errors.required(at + ".tenant", "must be a UUID and may not exceed a length of 64 characters");
  } else {
    std::size_t begin = 0;
    while (begin <= registry.size()) {
      const std::size_t end = std::min(registry.find(',', begin), registry.size());
      if (std::ranges::count(registry.substr(begin, end - begin), ':') != 1) errors.invalid(at + ".registry", registry, kPairs);
      begin = end + 1;
    }
  }
  if (text_of(source, "volume").empty()) errors.required(at + ".volume", "");
}

void validate_fibre_channel(const Json& source, const std::string& at, FieldErrors& errors) {
  const Json* targets = member(source, "targetWWNs");
  const bool has_targets = !is_missing(source, "targetWWNs");
  const bool has_ids = !is_missing(source, "wwids");
  if (!has_targets && !has_ids) errors.required(at + ".targetWWNs", "must specify either targetWWNs or wwids, but not both");
  if (has_targets && has_ids)
    errors.invalid(at + ".targetWWNs", *targets, "targetWWNs and wwids can not be specified simultaneously");
  if (!has_targets) return;
  if (member(source, "lun") == nullptr) {
    errors.required(at + ".lun", "lun is required if targetWWNs is specified");
  } else {
    validate_range(source, "lun", "must be between 0 and 255, inclusive", at, errors);
  }
}

void validate_flex_options(const Json& source, const std::string& at, FieldErrors& errors) {
  const Json* options = member(source, "options");
  if (options == nullptr) return;
  for (const auto& [key, value] : options->items()) {
    std::string space = "." + key.substr(0, key.find('/'));
    std::ranges::transform(space, space.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io"))
      errors.invalid(entry(at + ".options", key), key, "kubernetes.io and k8s.io namespaces are reserved");
  }
}

void validate_azure_disk(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_choice(source, "cachingMode", {"None", "ReadOnly", "ReadWrite"}, at, errors);
  validate_choice(source, "kind", {"Dedicated", "Managed", "Shared"}, at, errors);
  if (member(source, "kind") == nullptr) return;
  const bool managed = text_of(source, "kind") == "Managed";
  const std::string uri(text_of(source, "diskURI"));
  if (uri.starts_with(managed ? "/subscriptions/" : "https://")) return;
  errors.not_supported(
      at + ".diskURI", uri,
      {managed ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
               : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
}

void validate_storageos(const Json& source, const std::string& at, FieldErrors& errors) {
  for (const char* name : {"volumeName", "volumeNamespace"}) {
    const std::string value(text_of(source, name));
    if (value.empty()) continue;
    for (const auto& complaint : check_label_name(value)) errors.invalid(child(at, name), value, complaint);
  }
  const Json* secret = member(source, "secretRef");
  if (secret != nullptr && text_of(*secret, "name").empty()) errors.required(at + ".secretRef.name", "");
}

void validate_csi(const Json& source, const std::string& at, FieldErrors& errors) {
  constexpr std::size_t kDriverCharactersMax = 63;
  std::string driver(text_of(source, "driver"));
  if (driver.size() > kDriverCharactersMax) errors.too_long(at + ".driver", kDriverCharactersMax);
  const std::string given = driver;
  std::ranges::transform(driver, driver.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& complaint : check_subdomain(driver)) errors.invalid(at + ".driver", given, complaint);
  const Json* secret = member(source, "nodePublishSecretRef");
  if (secret == nullptr) return;
  const std::string name(text_of(*secret, "name"));
  if (name.empty()) return errors.required(at + ".nodePublishSecretRef.name", "");
  for (const auto& complaint : check_subdomain(name)) errors.invalid(at + ".name", name, complaint);
}

void validate_ephemeral(const Json& source, const std::string& at, FieldErrors& errors) {
  const Json* claim = member(source, "volumeClaimTemplate");
  if (claim == nullptr) return errors.required(at + ".volumeClaimTemplate", "");
  const std::string path = at + ".volumeClaimTemplate";
  if (const Json* metadata = member(*claim, "metadata")) {
    for (const auto& [name, value] : metadata->items()) {
      if (name != "labels" && name != "annotations") errors.forbidden(child(path + ".metadata", name), "cannot be set");
    }
    if (const Json* labels = member(*metadata, "labels")) validate_labels(*labels, path + ".metadata.labels", errors);
    if (const Json* annotations = member(*metadata, "annotations"))
      validate_annotations(*annotations, path + ".metadata.annotations", errors);
  }
  validate_claim_spec(object_of(*claim, "spec"), path + ".spec", errors);
}

void validate_empty_dir(const Json& source, const std::string& at, FieldErrors& errors) {
  const auto limit = api::Quantity::parse(text_of(source, "sizeLimit"));
  if (limit && limit->is_negative()) errors.forbidden(at + ".sizeLimit", "SizeLimit field must be a valid resource quantity");
}

const std::vector<Source>& sources() {
  static const std::vector<Source> kSources = {
      {.name = "emptyDir", .more = validate_empty_dir},
      {.name = "hostPath", .required = {"path"}, .more = validate_host_path},
      {.name = "gitRepo", .required = {"repository"}, .more = validate_git},
      {.name = "gcePersistentDisk", .required = {"pdName"}, .more = validate_partition, .named = "persistentDisk"},
      {.name = "awsElasticBlockStore", .required = {"volumeID"}, .more = validate_partition},
      {.name = "secret", .required = {"secretName"}, .more = validate_key_paths},
      {.name = "nfs", .required = {"server", "path"}, .more = validate_nfs},
      {.name = "iscsi", .required = {"targetPortal", "iqn"}, .more = validate_iscsi},
      {.name = "glusterfs", .required = {"endpoints", "path"}},
      {.name = "flocker", .more = validate_flocker},
      {.name = "persistentVolumeClaim", .required = {"claimName"}},
      {.name = "rbd", .required = {"monitors", "image"}},
      {.name = "cinder", .required = {"volumeID"}, .more = validate_cinder},
      {.name = "cephfs", .required = {"monitors"}, .second = "cephFS"},
      {.name = "quobyte", .more = validate_quobyte},
      {.name = "downwardAPI", .more = validate_downward_files, .second = "downwarAPI"},
      {.name = "fc", .more = validate_fibre_channel},
      {.name = "flexVolume", .required = {"driver"}, .more = validate_flex_options},
      {.name = "configMap", .required = {"name"}, .more = validate_key_paths},
      {.name = "azureFile", .required = {"secretName", "shareName"}},
      {.name = "vsphereVolume", .required = {"volumePath"}},
      {.name = "photonPersistentDisk", .required = {"pdID"}},
      {.name = "portworxVolume", .required = {"volumeID"}},
      {.name = "azureDisk", .required = {"diskName", "diskURI"}, .more = validate_azure_disk},
      {.name = "storageos", .required = {"volumeName"}, .more = validate_storageos},
      {.name = "projected", .more = validate_projected_volume},
      {.name = "scaleIO", .required = {"gateway", "system", "volumeName"}},
      {.name = "csi", .required = {"driver"}, .more = validate_csi},
      {.name = "ephemeral", .more = validate_ephemeral},
      {.name = "image", .required = {"reference"}},
  };
  return kSources;
}

}  // namespace

void validate_volume_source(const Json& volume, const std::string& at, FieldErrors& errors) {
  bool any = false;
  for (const Source& source : sources()) {
    const Json* found = member(volume, source.name);
    if (found == nullptr) continue;
    if (any) {
      errors.forbidden(child(at, source.second != nullptr ? source.second : source.name),
                       "may not specify more than 1 volume type");
      continue;
    }
    any = true;
    const std::string path = child(at, source.named != nullptr ? source.named : source.name);
    for (const char* name : source.required) {
      if (is_missing(*found, name)) errors.required(child(path, name), "");
    }
    if (source.more != nullptr) source.more(*found, path, errors);
  }
}

}  // namespace kruise::cluster
