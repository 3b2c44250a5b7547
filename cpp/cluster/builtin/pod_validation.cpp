#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/quantity.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kNotNegative = "must be greater than or equal to 0";
constexpr std::string_view kPortRange = "must be between 1 and 65535, inclusive";
constexpr std::string_view kUpdateRule =
    "pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions "
    "to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

void one_of(const Json& object, std::string_view name, const std::string& path, const std::vector<std::string>& supported,
            FieldErrors& errors) {
  const auto value = text_of(object, name);
  if (value.empty()) {
    errors.required(child(path, name), "");
  } else if (std::ranges::find(supported, value) == supported.end()) {
    errors.not_supported(child(path, name), std::string(value), supported);
  }
}

void validate_ports(const Json& ports, const std::string& path, FieldErrors& errors) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Json& port = ports[i];
    const std::string at = index(path, i);
    if (const std::string name(text_of(port, "name")); !name.empty()) {
      if (name.size() > 15) errors.invalid(at + ".name", name, "must be no more than 15 characters");
      if (!std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }))
        errors.invalid(at + ".name", name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
      if (!names.insert(name).second) errors.duplicate(at + ".name", name);
    }
    const auto number = integer_of(port, "containerPort", 0);
    if (number == 0) {
      errors.required(at + ".containerPort", "");
    } else if (number < 1 || number > 65535) {
      errors.invalid(at + ".containerPort", number, kPortRange);
    }
    if (const auto host = integer_of(port, "hostPort", 0); host != 0 && (host < 1 || host > 65535)) {
      errors.invalid(at + ".hostPort", host, kPortRange);
    }
    one_of(port, "protocol", at, {"SCTP", "TCP", "UDP"}, errors);
  }
}

/// A port of the node belongs to one container.
void validate_unique_host_ports(const Json& containers, const std::string& path, FieldErrors& errors) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const Json* ports = member(containers[i], "ports");
    for (std::size_t j = 0; ports != nullptr && j < ports->size(); ++j) {
      const Json& port = (*ports)[j];
      const auto host = integer_of(port, "hostPort", 0);
      if (host == 0) continue;
      const std::string key =
          std::string(text_of(port, "protocol")) + "/" + std::string(text_of(port, "hostIP")) + "/" + std::to_string(host);
      if (!taken.insert(key).second) errors.duplicate(index(index(path, i) + ".ports", j) + ".hostPort", key);
    }
  }
}

bool known_resource(std::string_view name) {
  return name.find('/') != std::string_view::npos || name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         name.starts_with("hugepages-");
}

/// The amounts of one container: none below zero, no request above its limit.
void validate_resources(const Json& resources, const std::string& at, FieldErrors& errors) {
  const auto parsed = [](const Json* value) {
    return value != nullptr && value->is_string() ? api::Quantity::parse(value->get_ref<const std::string&>()) : std::nullopt;
  };
  for (const char* list : {"limits", "requests"}) {
    const Json* amounts = member(resources, list);
    if (amounts == nullptr) continue;
    for (const auto& [name, value] : amounts->items()) {
      const auto amount = parsed(&value);
      if (!known_resource(name)) {
        const std::string where = entry(child(at, list), name);
        errors.invalid(where, name, "must be a standard resource type or fully qualified");
        errors.invalid(where, name, "must be a standard resource for containers");
      }
      if (amount && amount->is_negative()) errors.invalid(entry(child(at, list), name), value, kNotNegative);
    }
  }
  const Json* requests = member(resources, "requests");
  if (requests == nullptr) return;
  for (const auto& [name, value] : requests->items()) {
    const Json* bound = member_at(resources, {"limits", name});
    const auto request = parsed(&value);
    const auto limit = parsed(bound);
    if (!request || !limit) continue;
    const bool native = name.find('/') == std::string::npos && !name.starts_with("hugepages-");
    if (!native && *request != *limit) {
      errors.invalid(child(at, "requests"), value, "must be equal to " + name + " limit of " + limit->text());
    } else if (*request > *limit) {
      errors.invalid(child(at, "requests"), value, "must be less than or equal to " + name + " limit of " + limit->text());
    }
  }
}

void validate_container(const Json& container, const std::string& at, const PodVolumes& volumes, bool host_users,
                        FieldErrors& errors) {
  const std::string name(text_of(container, "name"));
  if (name.empty()) {
    errors.required(at + ".name", "");
  } else {
    for (const auto& complaint : check_label_name(name)) errors.invalid(at + ".name", name, complaint);
  }
  if (text_of(container, "image").empty()) errors.required(at + ".image", "");
  if (member(container, "terminationMessagePolicy") != nullptr)
    one_of(container, "terminationMessagePolicy", at, {"FallbackToLogsOnError", "File"}, errors);
  if (const Json* ports = member(container, "ports")) validate_ports(*ports, at + ".ports", errors);
  if (const Json* env = member(container, "env")) {
    for (std::size_t i = 0; i < env->size(); ++i) validate_env_variable((*env)[i], index(at + ".env", i), errors);
  }
  validate_mounts(container, volumes, at, errors);
  one_of(container, "imagePullPolicy", at, {"Always", "IfNotPresent", "Never"}, errors);
  if (const Json* resources = member(container, "resources")) validate_resources(*resources, at + ".resources", errors);
  validate_container_security(container, at, host_users, errors);
}

PodVolumes validate_volumes(const Json& spec, const std::string& path, FieldErrors& errors) {
  PodVolumes names;
  const Json* volumes = member(spec, "volumes");
  if (volumes == nullptr) return names;
  for (std::size_t i = 0; i < volumes->size(); ++i) {
    const Json& volume = (*volumes)[i];
    const std::string at = index(path + ".volumes", i);
    const std::string name(text_of(volume, "name"));
    validate_volume_source(volume, at, errors);
    if (name.empty()) {
      errors.required(at + ".name", "");
    } else {
      for (const auto& complaint : check_label_name(name)) errors.invalid(at + ".name", name, complaint);
      if (!names.emplace(name, &volume).second) errors.duplicate(at + ".name", name);
    }
  }
  return names;
}

void validate_containers(const Json& spec, const std::string& path, const PodVolumes& volumes, FieldErrors& errors) {
  const Json* containers = member(spec, "containers");
  if (containers == nullptr || containers->empty()) errors.required(path + ".containers", "");
  const Json* users = member(spec, "hostUsers");
  const bool host_users = users == nullptr || *users != false;
  std::set<std::string> names;
  for (const auto list : {"containers", "initContainers"}) {
    const Json* found = member(spec, list);
    if (found == nullptr) continue;
    for (std::size_t i = 0; i < found->size(); ++i) {
      const std::string at = index(child(path, list), i);
      const std::string name(text_of((*found)[i], "name"));
      validate_container((*found)[i], at, volumes, host_users, errors);
      if (!name.empty() && !names.insert(name).second) errors.duplicate(at + ".name", name);
      validate_probes((*found)[i], at, errors);
    }
    validate_unique_host_ports(*found, child(path, list), errors);
  }
}

/// Fields that name another object, or become part of a host's name.
void validate_names(const Json& spec, std::initializer_list<const char*> fields, Complaints (*check)(std::string_view),
                    const std::string& path, FieldErrors& errors) {
  for (const char* field : fields) {
    const std::string name(text_of(spec, field));
    if (name.empty()) continue;
    for (const auto& complaint : check(name)) errors.invalid(child(path, field), name, complaint);
  }
}

/// What only pods are refused for, and templates are not.
void validate_own(const Json& spec, FieldErrors& errors) {
  const Json* volumes = member(spec, "volumes");
  const bool has_account = !text_of(spec, "serviceAccountName").empty();
  for (std::size_t i = 0; volumes != nullptr && !has_account && i < volumes->size(); ++i) {
    const Json* sources = member_at((*volumes)[i], {"projected", "sources"});
    for (std::size_t j = 0; sources != nullptr && j < sources->size(); ++j) {
      if (member((*sources)[j], "serviceAccountToken") != nullptr) {
        errors.forbidden(index(index("spec.volumes", i) + ".projected.sources", j) + ".serviceAccountToken",
                         "must not be specified when serviceAccountName is not set");
      }
    }
  }
  for (const char* list : {"containers", "initContainers"}) {
    const Json* containers = member(spec, list);
    for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
      const std::string image(text_of((*containers)[i], "image"));
      if (!image.empty() && (image.front() == ' ' || image.back() == ' '))
        errors.invalid(index(child("spec", list), i) + ".image", image, "must not have leading or trailing whitespace");
    }
  }
}

/// Whether the objects agree in every member but those named.
bool same_but(const Json& a, const Json& b, std::initializer_list<std::string_view> names) {
  const auto covers = [&](const Json& x, const Json& y) {
    return std::ranges::all_of(x.get_ref<const Json::object_t&>(), [&](const auto& entry) {
      return std::ranges::find(names, entry.first) != names.end() || same(&entry.second, member(y, entry.first));
    });
  };
  return covers(a, b) && covers(b, a);
}

/// Whether only what may change in a running pod does; the lists of containers are of one length already.
bool keeps_frozen(const Json& now, const Json& before) {
  if (!same_but(now, before,
                {"containers", "initContainers", "activeDeadlineSeconds", "tolerations", "schedulingGates",
                 "terminationGracePeriodSeconds"})) {
    return false;
  }
  const auto grace = integer_of(now, "terminationGracePeriodSeconds", 0);
  const auto had = integer_of(before, "terminationGracePeriodSeconds", 0);
  const bool mends_negative = had < 0 && grace == 1;
  if (grace != had && !mends_negative) return false;
  for (const char* list : {"containers", "initContainers"}) {
    const Json* containers = member(now, list);
    for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
      if (!same_but((*containers)[i], before.at(list)[i], {"image"})) return false;
    }
  }
  return true;
}

bool tolerations_only_added(const Json& now, const Json& before) {
  const Json* old = member(before, "tolerations");
  const Json* wanted = member(now, "tolerations");
  if (old == nullptr) return true;
  return std::ranges::all_of(*old, [&](const Json& toleration) {
    return wanted != nullptr && std::ranges::any_of(*wanted, [&](const Json& t) {
             Json a = t;
             Json b = toleration;
             a.erase("tolerationSeconds");
             b.erase("tolerationSeconds");
             return a == b;
           });
  });
}

void validate_deadline(const Json& now, const Json& before, FieldErrors& errors) {
  const Json* deadline = member(now, "activeDeadlineSeconds");
  const Json* old = member(before, "activeDeadlineSeconds");
  if (deadline == nullptr) {
    if (old != nullptr)
      errors.invalid("spec.activeDeadlineSeconds", Json(nullptr), "must not update from a positive integer to nil value");
    return;
  }
  const auto seconds = deadline->get<std::int64_t>();
  if (seconds < 1) errors.invalid("spec.activeDeadlineSeconds", seconds, "must be between 1 and 2147483647, inclusive");
  if (old != nullptr && old->get<std::int64_t>() < seconds) {
    errors.invalid("spec.activeDeadlineSeconds", seconds, "must be less than or equal to previous value");
  }
}

}  // namespace

void validate_choice(const Json& object, std::string_view name, const std::vector<std::string>& supported, const std::string& at,
                     FieldErrors& errors) {
  const Json* choice = member(object, name);
  if (choice != nullptr && std::ranges::find(supported, text_of(object, name)) == supported.end())
    errors.not_supported(child(at, name), *choice, supported);
}

void validate_pod_spec(const Json& spec, const std::string& path, FieldErrors& errors) {
  const PodVolumes volumes = validate_volumes(spec, path, errors);
  validate_containers(spec, path, volumes, errors);
  validate_host_ports(spec, path, errors);
  one_of(spec, "restartPolicy", path, {"Always", "OnFailure", "Never"}, errors);
  one_of(spec, "dnsPolicy", path, {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, errors);
  if (const Json* labels = member(spec, "nodeSelector")) validate_labels(*labels, path + ".nodeSelector", errors);
  validate_pod_security(spec, path, errors);
  validate_affinity(spec, path, errors);
  if (text_of(spec, "dnsPolicy") == "None" && member(spec, "dnsConfig") == nullptr)
    errors.required(path + ".dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None");
  validate_gates(spec, path, errors);
  validate_spread(spec, path, errors);
  validate_host_users(spec, path, errors);
  validate_names(spec, {"serviceAccountName", "nodeName"}, check_subdomain, path, errors);
  if (const Json* deadline = member(spec, "activeDeadlineSeconds"); deadline != nullptr && deadline->get<std::int64_t>() < 1) {
    errors.invalid(path + ".activeDeadlineSeconds", *deadline, "must be between 1 and 2147483647, inclusive");
  }
  validate_names(spec, {"hostname", "subdomain"}, check_label_name, path, errors);
  validate_tolerations(spec, path, errors);
  validate_names(spec, {"priorityClassName", "runtimeClassName"}, check_subdomain, path, errors);
  validate_os(spec, path, errors);
}

void validate_pod(const Json& tree, FieldErrors& errors) {
  const Json& spec = object_of(tree, "spec");
  validate_pod_spec(spec, "spec", errors);
  validate_own(spec, errors);
}

void validate_pod_update(const Json& now, const Json& before, FieldErrors& errors) {
  const Json& spec = now.at("spec");
  const Json& old = before.at("spec");
  if (spec == old) return;
  validate_pod_spec(spec, "spec", errors);
  validate_own(spec, errors);
  for (const auto list : {"containers", "initContainers"}) {
    const Json* containers = member(spec, list);
    const Json* known = member(old, list);
    if ((containers != nullptr ? containers->size() : 0) != (known != nullptr ? known->size() : 0)) {
      errors.forbidden(child("spec", list), "pod updates may not add or remove containers");
      return;
    }
    if (containers == nullptr) continue;
    for (std::size_t i = 0; i < containers->size(); ++i) {
      const std::string image(text_of((*containers)[i], "image"));
      if (image.empty()) errors.required(index(child("spec", list), i) + ".image", "");
    }
  }
  validate_deadline(spec, old, errors);
  if (!tolerations_only_added(spec, old))
    errors.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
  if (!keeps_frozen(spec, old)) errors.forbidden("spec", std::string(kUpdateRule) + "\n" + Json::diff(old, spec).dump() + "\n");
}

}  // namespace kruise::cluster
