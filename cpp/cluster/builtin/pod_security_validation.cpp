// As whom a pod runs and what it may do: security contexts, and the namespaces of its node.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "cluster/builtin/pod_validation.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::int64_t kIdMax = 2147483647;
constexpr std::string_view kIdRange = "must be between 0 and 2147483647, inclusive";
constexpr std::size_t kSysctlCharactersMax = 253;
constexpr std::string_view kSysctl = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
constexpr std::string_view kNotOnWindows = "cannot be set for a windows pod";

void validate_id(const Json* id, const std::string& at, FieldErrors& errors) {
  if (id == nullptr || !id->is_number_integer()) return;
  const auto number = id->get<std::int64_t>();
  if (number < 0 || number > kIdMax) errors.invalid(at, number, kIdRange);
}

/// The type of a profile; false when there is none to go on with.
bool validate_profile_type(const Json& profile, std::string_view missing, const std::string& at, FieldErrors& errors) {
  const std::string type(text_of(profile, "type"));
  if (type == "Localhost" || type == "RuntimeDefault" || type == "Unconfined") return true;
  if (type.empty()) {
    errors.required(at + ".type", missing);
  } else {
    errors.not_supported(at + ".type", type, {"Localhost", "RuntimeDefault", "Unconfined"});
  }
  return false;
}

void validate_seccomp(const Json& context, const std::string& path, FieldErrors& errors) {
  const Json* profile = member(context, "seccompProfile");
  if (profile == nullptr) return;
  const std::string at = path + ".seccompProfile";
  validate_profile_type(*profile, "type is required when seccompProfile is set", at, errors);
  const Json* file = member(*profile, "localhostProfile");
  if (text_of(*profile, "type") != "Localhost") {
    if (file == nullptr) return;
    // The server shows its own structure, with the names that it has there.
    const std::string whole =
        "{\"Type\":" + shown(std::string(text_of(*profile, "type"))) + ",\"LocalhostProfile\":" + shown(*file) + "}";
    errors.invalid_text(at + ".localhostProfile", whole, "can only be set when seccomp type is Localhost");
  } else if (file == nullptr) {
    errors.required(at + ".localhostProfile", "must be set when seccomp type is Localhost");
  } else {
    validate_descending_path(text_of(*profile, "localhostProfile"), at + ".localhostProfile", errors);
  }
}

void validate_app_armor(const Json& context, const std::string& path, FieldErrors& errors) {
  const Json* profile = member(context, "appArmorProfile");
  if (profile == nullptr) return;
  const std::string at = path + ".appArmorProfile";
  if (!validate_profile_type(*profile, "type is required when appArmorProfile is set", at, errors)) return;
  const Json* named = member(*profile, "localhostProfile");
  const std::string name(text_of(*profile, "localhostProfile"));
  if (text_of(*profile, "type") != "Localhost") {
    if (named != nullptr) errors.invalid(at + ".localhostProfile", name, "can only be set when AppArmor type is Localhost");
    return;
  }
  constexpr std::string_view kSpace = " \t\r\n";
  if (named == nullptr || name.empty()) {
    errors.required(at + ".localhostProfile", "must be set when AppArmor type is Localhost");
  } else if (kSpace.find(name.front()) != std::string_view::npos || kSpace.find(name.back()) != std::string_view::npos) {
    errors.invalid(at + ".localhostProfile", name, "must not be padded with whitespace");
  }
}

/// Sysctls of a namespace that the pod shares with its node would be the node's.
void validate_host_sysctl(const Json& spec, const std::string& name, const std::string& at, FieldErrors& errors) {
  const bool of_net = name.starts_with("net.");
  const bool of_ipc =
      name.starts_with("kernel.shm") || name.starts_with("kernel.msg") || name.starts_with("fs.mqueue.") || name == "kernel.sem";
  if (of_net && bool_of(spec, "hostNetwork")) {
    errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
  } else if (of_ipc && bool_of(spec, "hostIPC")) {
    errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
  }
}

void validate_sysctls(const Json& spec, const Json& context, const std::string& path, FieldErrors& errors) {
  const Json* sysctls = member(context, "sysctls");
  if (sysctls == nullptr || !sysctls->is_array()) return;
  static const std::regex kForm{std::string(kSysctl)};
  std::set<std::string> names;
  for (std::size_t i = 0; i < sysctls->size(); ++i) {
    std::string name(text_of((*sysctls)[i], "name"));
    const std::string at = index(path + ".sysctls", i) + ".name";
    if (name.empty()) {
      errors.required(at, "");
    } else if (name.size() > kSysctlCharactersMax || !std::regex_match(name, kForm)) {
      errors.invalid(at, name, "must have at most 253 characters and match regex " + std::string(kSysctl));
    } else if (names.contains(name)) {
      errors.duplicate(at, name);
    }
    validate_host_sysctl(spec, name, at, errors);
    names.insert(std::move(name));
  }
}

void validate_windows_options(const Json& context, const std::string& path, FieldErrors& errors) {
  const Json* options = member(context, "windowsOptions");
  if (options == nullptr) return;
  const std::string at = path + ".windowsOptions";
  if (member(*options, "gmsaCredentialSpecName") != nullptr) {
    const std::string name(text_of(*options, "gmsaCredentialSpecName"));
    for (const auto& complaint : check_subdomain(name)) errors.invalid(at + ".gmsaCredentialSpecName", name, complaint);
  }
  if (member(*options, "gmsaCredentialSpec") != nullptr && text_of(*options, "gmsaCredentialSpec").empty())
    errors.invalid(at + ".gmsaCredentialSpec", "", "gmsaCredentialSpec cannot be an empty string");
  if (member(*options, "runAsUserName") == nullptr) return;
  const std::string name(text_of(*options, "runAsUserName"));
  const std::string user = name.substr(name.find('\\') + 1);  // behind the domain
  constexpr std::string_view kNotInUsers = R"("/\:;|=,+*?<>@[])";
  if (name.empty()) {
    errors.invalid(at + ".runAsUserName", "", "runAsUserName cannot be an empty string");
  } else if (user.find_first_of(kNotInUsers) != std::string::npos) {
    errors.invalid(at + ".runAsUserName", name,
                   "runAsUserName's User cannot contain the following characters: " + std::string(kNotInUsers));
  }
}

/// The members of `object` that say something of Linux only.
void forbid_on_windows(const Json& object, std::initializer_list<std::string_view> names, const std::string& at,
                       FieldErrors& errors) {
  for (const auto name : names) {
    const Json* found = member(object, name);
    if (found != nullptr && *found != Json(false) && !(found->is_array() && found->empty()))
      errors.forbidden(child(at, name), kNotOnWindows);
  }
}

template <class Visit>
void each_container(const Json& spec, const std::string& path, Visit visit) {
  for (const char* list : {"initContainers", "containers"}) {
    const Json* containers = member(spec, list);
    for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i)
      visit((*containers)[i], index(child(path, list), i));
  }
}

void validate_windows_pod(const Json& spec, const std::string& path, FieldErrors& errors) {
  const std::string context_at = path + ".securityContext";
  const Json& context = object_of(spec, "securityContext");
  forbid_on_windows(context, {"appArmorProfile", "seLinuxOptions"}, context_at, errors);
  if (member(spec, "hostUsers") != nullptr) errors.forbidden(path + ".hostUsers", kNotOnWindows);
  forbid_on_windows(spec, {"hostPID", "hostIPC"}, path, errors);
  forbid_on_windows(context, {"seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"}, context_at, errors);
  if (member(spec, "shareProcessNamespace") != nullptr) errors.forbidden(path + ".shareProcessNamespace", kNotOnWindows);
  forbid_on_windows(context, {"runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"},
                    context_at, errors);
  each_container(spec, path, [&](const Json& container, const std::string& at) {
    const Json* own = member(container, "securityContext");
    if (own == nullptr) return;
    for (const char* name : {"appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
                             "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"}) {
      if (member(*own, name) != nullptr) errors.forbidden(child(at + ".securityContext", name), kNotOnWindows);
    }
  });
}

void validate_linux_pod(const Json& spec, const std::string& path, FieldErrors& errors) {
  constexpr std::string_view kNotOnLinux = "windows options cannot be set for a linux pod";
  if (member_at(spec, {"securityContext", "windowsOptions"}) != nullptr)
    errors.forbidden(path + ".securityContext.windowsOptions", kNotOnLinux);
  each_container(spec, path, [&](const Json& container, const std::string& at) {
    if (member_at(container, {"securityContext", "windowsOptions"}) != nullptr)
      errors.forbidden(at + ".securityContext.windowsOptions", kNotOnLinux);
  });
}

}  // namespace

void validate_pod_security(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json& context = object_of(spec, "securityContext");
  const std::string at = path + ".securityContext";
  for (const char* id : {"fsGroup", "runAsUser", "runAsGroup"}) validate_id(member(context, id), child(at, id), errors);
  if (const Json* groups = member(context, "supplementalGroups")) {
    for (std::size_t i = 0; i < groups->size(); ++i) validate_id(&(*groups)[i], index(at + ".supplementalGroups", i), errors);
  }
  if (bool_of(spec, "shareProcessNamespace") && bool_of(spec, "hostPID"))
    errors.invalid(at + ".shareProcessNamespace", true, "ShareProcessNamespace and HostPID cannot both be enabled");
  validate_sysctls(spec, context, at, errors);
  validate_choice(context, "fsGroupChangePolicy", {"Always", "OnRootMismatch"}, at, errors);
  validate_seccomp(context, at, errors);
  validate_windows_options(context, at, errors);
  validate_app_armor(context, at, errors);
  validate_choice(context, "supplementalGroupsPolicy", {"Merge", "Strict"}, at, errors);
  validate_choice(context, "seLinuxChangePolicy", {"Recursive"}, at, errors);
}

void validate_container_security(const Json& container, const std::string& path, bool host_users, FieldErrors& errors) {
  const Json* context = member(container, "securityContext");
  if (context == nullptr) return;
  const std::string at = path + ".securityContext";
  for (const char* id : {"runAsUser", "runAsGroup"}) validate_id(member(*context, id), child(at, id), errors);
  validate_choice(*context, "procMount", {"Default", "Unmasked"}, at, errors);
  if (host_users && text_of(*context, "procMount") == "Unmasked")
    errors.invalid(at + ".procMount", "Unmasked", "`hostUsers` must be false to use `Unmasked`");
  validate_seccomp(*context, at, errors);
  if (const Json* escalation = member(*context, "allowPrivilegeEscalation"); escalation != nullptr && *escalation == false) {
    if (bool_of(*context, "privileged"))
      errors.invalid(at, *context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    const Json* added = member_at(*context, {"capabilities", "add"});
    if (added != nullptr && added->is_array() && std::ranges::find(*added, Json("CAP_SYS_ADMIN")) != added->end())
      errors.invalid(at, *context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
  validate_windows_options(*context, at, errors);
  validate_app_armor(*context, at, errors);
}

void validate_host_ports(const Json& spec, const std::string& path, FieldErrors& errors) {
  if (!bool_of(spec, "hostNetwork")) return;
  for (const char* list : {"containers", "initContainers"}) {
    const Json* containers = member(spec, list);
    for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
      const Json* ports = member((*containers)[i], "ports");
      for (std::size_t j = 0; ports != nullptr && j < ports->size(); ++j) {
        const auto port = integer_of((*ports)[j], "hostPort", 0);
        if (integer_of((*ports)[j], "containerPort", 0) == port) continue;
        errors.invalid(index(index(child(path, list), i) + ".ports", j) + ".hostPort", port,
                       "must match `containerPort` when `hostNetwork` is true");
      }
    }
  }
}

void validate_host_users(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json* users = member(spec, "hostUsers");
  if (users == nullptr || *users != false) return;
  // Two of the names are those of the server's own code.
  for (const auto& [name, named] : {std::pair{"hostNetwork", "hostNetwork"}, {"hostPID", "HostPID"}, {"hostIPC", "HostIPC"}}) {
    if (bool_of(spec, name)) errors.forbidden(child(path, named), "when `hostUsers` is false");
  }
}

void validate_os(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json* os = member(spec, "os");
  if (os == nullptr) return;
  const std::string name(text_of(*os, "name"));
  if (name.empty()) {
    errors.required(path + ".os.name", "cannot be empty");
  } else if (name == "windows") {
    validate_windows_pod(spec, path, errors);
  } else if (name == "linux") {
    validate_linux_pod(spec, path, errors);
  } else {
    errors.not_supported(path + ".os", name, {"linux", "windows"});
  }
}

}  // namespace kruise::cluster
