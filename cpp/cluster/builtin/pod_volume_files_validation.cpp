// Volumes that put things of the API into files: keys of secrets and config maps, fields of the pod, tokens.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "api/quantity.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::int64_t kModeMax = 0777;

/// Neither outside of the volume nor where the kubelet keeps its own ("..data").
void validate_file_path(std::string_view path, const std::string& at, FieldErrors& errors) {
  validate_descending_path(path, at, errors);
  if (path.starts_with("..") && !path.starts_with("../")) errors.invalid(at, std::string(path), "must not start with '..'");
}

void validate_items(const Json& source, const std::string& path, FieldErrors& errors) {
  const Json* items = member(source, "items");
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    const Json& item = (*items)[i];
    const std::string at = index(path + ".items", i);
    for (const char* name : {"key", "path"}) {
      if (text_of(item, name).empty()) errors.required(child(at, name), "");
    }
    validate_file_path(text_of(item, "path"), at + ".path", errors);
    validate_file_mode(item, "mode", at, errors);
  }
}

/// "metadata.labels['a']": the field and what is in the brackets; absent without brackets.
struct Subscripted {
  std::string field;
  std::string key;
};
std::optional<Subscripted> split_subscript(const std::string& path) {
  if (!path.ends_with("']")) return std::nullopt;
  const std::size_t open = path.find("['");
  if (open == std::string::npos || open == 0) return std::nullopt;
  return Subscripted{path.substr(0, open), path.substr(open + 2, path.size() - open - 4)};
}

void validate_field_reference(const Json& reference, const std::string& at, FieldErrors& errors) {
  static const std::set<std::string> kFields = {
      "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
      "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
      "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
      "status.podIP",         "status.podIPs",   "spec.host"};
  static const std::vector<std::string> kInVolumes = {"metadata.annotations", "metadata.labels", "metadata.name",
                                                      "metadata.namespace", "metadata.uid"};
  const std::string path(text_of(reference, "fieldPath"));
  if (path.empty()) return errors.required(at + ".fieldPath", "");
  const auto cannot = [&](const std::string& why) {
    errors.invalid(at + ".fieldPath", path, "error converting fieldPath: field label " + why + ": " + path);
  };
  if (const auto part = split_subscript(path)) {
    if (part->field != "metadata.annotations" && part->field != "metadata.labels") return cannot("does not support subscript");
    std::string key = part->key;
    if (part->field == "metadata.annotations")
      std::ranges::transform(key, key.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const auto& complaint : check_qualified_name(key)) errors.invalid(at, key, complaint);
  } else if (!kFields.contains(path)) {
    cannot("not supported");
  } else if (std::ranges::find(kInVolumes, path) == kInVolumes.end()) {
    errors.not_supported(at + ".fieldPath", path, kInVolumes);
  }
}

void validate_divisor(const Json& reference, const std::string& resource, const std::string& at, FieldErrors& errors) {
  const auto divisor = api::Quantity::parse(text_of(reference, "divisor"));
  if (!divisor || *divisor == *api::Quantity::parse("0")) return;
  static const std::set<std::string> kOfCpu = {"1m", "1"};
  static const std::set<std::string> kOfBytes = {"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                                 "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
  const std::string kind = resource.substr(resource.find('.') + 1);
  const bool of_cpu = kind == "cpu";
  if ((of_cpu ? kOfCpu : kOfBytes).contains(divisor->text())) return;
  constexpr std::string_view kBytes =
      "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the ";
  std::string words = of_cpu ? "only divisor's values 1m and 1 are supported with the cpu resource" : std::string(kBytes);
  if (kind == "memory") words += "memory resource";
  if (kind == "ephemeral-storage") words += "local ephemeral storage resource";
  if (kind.starts_with("hugepages-")) words += "hugepages resource";
  errors.invalid(at + ".divisor", resource, words);
}

void validate_resource_reference(const Json& reference, const std::string& at, FieldErrors& errors) {
  static const std::vector<std::string> kResources = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                                      "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  const std::string resource(text_of(reference, "resource"));
  const bool huge = resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
  if (text_of(reference, "containerName").empty()) {
    errors.required(at + ".containerName", "");
  } else if (resource.empty()) {
    errors.required(at + ".resource", "");
  } else if (!huge && std::ranges::find(kResources, resource) == kResources.end()) {
    errors.not_supported(at + ".resource", resource, kResources);
  }
  validate_divisor(reference, resource, at, errors);
}

void validate_downward_file(const Json& file, const std::string& at, FieldErrors& errors) {
  const std::string path(text_of(file, "path"));
  if (path.empty()) errors.required(at + ".path", "");
  validate_file_path(path, at + ".path", errors);
  const Json* field = member(file, "fieldRef");
  const Json* resource = member(file, "resourceFieldRef");
  if (field != nullptr) {
    validate_field_reference(*field, at + ".fieldRef", errors);
    if (resource != nullptr) errors.invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (resource != nullptr) {
    validate_resource_reference(*resource, at + ".resourceFieldRef", errors);
  } else {
    errors.required(at, "one of fieldRef and resourceFieldRef is required");
  }
  validate_file_mode(file, "mode", at, errors);
}

void validate_token(const Json& token, const std::string& at, const std::string& volume_at, FieldErrors& errors) {
  validate_token_seconds(integer_of(token, "expirationSeconds", 0), at + ".expirationSeconds", errors);
  const auto path = text_of(token, "path");
  if (path.empty()) {
    errors.required(volume_at + ".path", "");
  } else {
    validate_file_path(path, volume_at + ".path", errors);
  }
}

}  // namespace

void validate_token_seconds(std::int64_t seconds, const std::string& at, FieldErrors& errors) {
  constexpr std::int64_t kSecondsMin = 600;
  constexpr std::int64_t kSecondsMax = std::int64_t{1} << 32;
  if (seconds < kSecondsMin) errors.invalid(at, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > kSecondsMax) errors.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
}

void validate_no_backsteps(std::string_view value, const std::string& at, FieldErrors& errors) {
  std::string_view rest = value;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return errors.invalid(at, std::string(value), "must not contain '..'");
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

void validate_descending_path(std::string_view value, const std::string& at, FieldErrors& errors) {
  if (value.starts_with('/')) errors.invalid(at, std::string(value), "must be a relative path");
  validate_no_backsteps(value, at, errors);
}

void validate_file_mode(const Json& object, std::string_view field, const std::string& at, FieldErrors& errors) {
  if (member(object, field) == nullptr) return;
  const auto mode = integer_of(object, field, 0);
  if (mode < 0 || mode > kModeMax)
    errors.invalid(child(at, field), mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_key_paths(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_file_mode(source, "defaultMode", at, errors);
  validate_items(source, at, errors);
}

void validate_downward_files(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_file_mode(source, "defaultMode", at, errors);
  const Json* items = member(source, "items");
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) validate_downward_file((*items)[i], at, errors);
}

void validate_projected_volume(const Json& source, const std::string& at, FieldErrors& errors) {
  validate_file_mode(source, "defaultMode", at, errors);
  const Json* sources = member(source, "sources");
  std::set<std::string> taken;
  for (std::size_t i = 0; sources != nullptr && i < sources->size(); ++i) {
    const Json& one = (*sources)[i];
    const std::string source_at = index(at + ".sources", i);
    std::size_t count = 0;
    const auto take_paths = [&](const Json& files, const std::optional<std::string>& named) {
      const Json* items = member(files, "items");
      for (std::size_t j = 0; items != nullptr && j < items->size(); ++j) {
        const std::string path(text_of((*items)[j], "path"));
        if (!path.empty() && !taken.insert(path).second) errors.invalid(at, named.value_or(path), "conflicting duplicate paths");
      }
    };
    for (const char* name : {"secret", "configMap"}) {
      const Json* files = member(one, name);
      if (files == nullptr) continue;
      ++count;
      if (text_of(*files, "name").empty()) errors.required(child(source_at, name) + ".name", "");
      validate_items(*files, child(source_at, name), errors);
      take_paths(*files, std::string(text_of(*files, "name")));
    }
    if (const Json* files = member(one, "downwardAPI")) {
      ++count;
      const Json* items = member(*files, "items");
      for (std::size_t j = 0; items != nullptr && j < items->size(); ++j)
        validate_downward_file((*items)[j], source_at + ".downwardAPI", errors);
      take_paths(*files, std::nullopt);
    }
    if (const Json* token = member(one, "serviceAccountToken")) {
      ++count;
      validate_token(*token, source_at + ".serviceAccountToken", at, errors);
    }
    if (count > 1) errors.forbidden(source_at, "may not specify more than 1 volume type per source");
  }
}

}  // namespace kruise::cluster
