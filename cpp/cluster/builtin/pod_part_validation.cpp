#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cluster/builtin/pod_validation.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kNotNegative = "must be greater than or equal to 0";
constexpr std::string_view kPortRange = "must be between 1 and 65535, inclusive";
constexpr std::array<std::string_view, 4> kHandlers = {"exec", "grpc", "httpGet", "tcpSocket"};

void validate_port(const Json& handler, std::string_view name, const std::string& at, FieldErrors& errors) {
  const Json* action = member(handler, name);
  if (action == nullptr || name == "exec") return;
  const Json* port = member(*action, "port");
  if (port != nullptr && port->is_string()) return;
  const auto number = integer_of(*action, "port", 0);
  if (number < 1 || number > 65535) errors.invalid(child(child(at, name), "port"), number, kPortRange);
}

/// A probe or hook: exactly one way to run it.
void validate_handler(const Json& handler, const std::string& at, FieldErrors& errors) {
  bool any = false;
  for (const auto name : kHandlers) {
    if (member(handler, name) == nullptr) continue;
    if (any) errors.forbidden(child(at, name), "may not specify more than 1 handler type");
    any = true;
    validate_port(handler, name, at, errors);
  }
  if (!any && member(handler, "sleep") == nullptr) errors.required(at, "must specify a handler type");
}

void validate_probe(const Json& container, std::string_view name, const std::string& path, FieldErrors& errors) {
  const Json* probe = member(container, name);
  if (probe == nullptr) return;
  const std::string at = child(path, name);
  validate_handler(*probe, at, errors);
  for (const char* field : {"failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"}) {
    if (const auto number = integer_of(*probe, field, 0); number < 0) errors.invalid(child(at, field), number, kNotNegative);
  }
  if (const auto successes = integer_of(*probe, "successThreshold", 1); name != "readinessProbe" && successes != 1)
    errors.invalid(child(at, "successThreshold"), successes, "must be 1");
}

/// What must be named within a source, of volumes and of variables.
void need(const Json& object, std::string_view source, std::string_view field, const std::string& at, FieldErrors& errors) {
  const Json* found = member(object, source);
  if (found != nullptr && text_of(*found, field).empty()) errors.required(child(child(at, source), field), "");
}

}  // namespace

void validate_probes(const Json& container, const std::string& at, FieldErrors& errors) {
  for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) validate_probe(container, name, at, errors);
  for (const char* name : {"postStart", "preStop"}) {
    if (const Json* hook = member_at(container, {"lifecycle", name}))
      validate_handler(*hook, child(at + ".lifecycle", name), errors);
  }
}

void validate_env_variable(const Json& variable, const std::string& at, FieldErrors& errors) {
  const std::string name(text_of(variable, "name"));
  if (name.empty()) errors.required(at + ".name", "");
  const bool printable = std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
  if (!printable) {
    errors.invalid(at + ".name", name,
                   "a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  const Json* from = member(variable, "valueFrom");
  if (from == nullptr) return;
  const std::string source = at + ".valueFrom";
  if (from->empty())
    errors.invalid(source, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  if (!text_of(variable, "value").empty()) errors.invalid(source, "", "may not be specified when `value` is not empty");
  need(*from, "configMapKeyRef", "key", source, errors);
  need(*from, "secretKeyRef", "key", source, errors);
  need(*from, "fieldRef", "fieldPath", source, errors);
  const std::string path(text_at(*from, {"fieldRef", "fieldPath"}));
  constexpr std::array<std::string_view, 10> kPaths = {
      "metadata.name", "metadata.namespace", "metadata.uid",   "metadata.labels", "metadata.annotations",
      "spec.nodeName", "status.hostIP",      "status.hostIPs", "status.podIP",    "status.podIPs"};
  const bool known = path.empty() || path == "spec.serviceAccountName" || path.starts_with("metadata.labels[") ||
                     path.starts_with("metadata.annotations[") || std::ranges::find(kPaths, path) != kPaths.end();
  if (!known)
    errors.invalid(source + ".fieldRef.fieldPath", path, "error converting fieldPath: field label not supported: " + path);
}

void validate_tolerations(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json* tolerations = member(spec, "tolerations");
  for (std::size_t i = 0; tolerations != nullptr && i < tolerations->size(); ++i) {
    const Json& one = (*tolerations)[i];
    const std::string at = index(path + ".tolerations", i);
    const std::string key(text_of(one, "key"));
    const std::string how(text_of(one, "operator"));
    const std::string value(text_of(one, "value"));
    const std::string effect(text_of(one, "effect"));
    if (!key.empty()) {
      for (const auto& complaint : check_qualified_name(key)) errors.invalid(at + ".key", key, complaint);
    } else if (how != "Exists") {
      errors.invalid(at + ".operator", how,
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    }
    if (member(one, "tolerationSeconds") != nullptr && effect != "NoExecute")
      errors.invalid(at + ".effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (how == "Exists") {
      if (!value.empty()) errors.invalid(at + ".operator", value, "value must be empty when `operator` is 'Exists'");
    } else if (how == "Equal" || how.empty()) {
      std::string complaints;
      for (const auto& complaint : check_label_value(value)) complaints += (complaints.empty() ? "" : ";") + complaint;
      if (!complaints.empty()) errors.invalid(at + ".operator", value, complaints);
    } else {
      errors.not_supported(at + ".operator", how, {"Equal", "Exists"});
    }
    if (!effect.empty() && effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute")
      errors.not_supported(at + ".effect", effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
  }
}

void validate_gates(const Json& spec, const std::string& path, FieldErrors& errors) {
  const auto qualified = [&](const char* list, const char* field, bool names_field) {
    const Json* found = member(spec, list);
    for (std::size_t i = 0; found != nullptr && i < found->size(); ++i) {
      const std::string at = index(child(path, list), i);
      const std::string name(text_of((*found)[i], field));
      for (const auto& complaint : check_qualified_name(name))
        errors.invalid(names_field ? child(at, field) : at, name, complaint);
    }
  };
  qualified("readinessGates", "conditionType", true);
  qualified("schedulingGates", "name", false);
}

}  // namespace kruise::cluster
