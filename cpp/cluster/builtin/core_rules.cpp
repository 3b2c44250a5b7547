#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/base64.hpp"
#include "cluster/builtin/rules.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::size_t kDataBytesMax = std::size_t{1024} * 1024;
constexpr std::string_view kImmutable = "field is immutable when `immutable` is set";

void default_namespace(Json& tree) {
  const std::string name(text_at(tree, {"metadata", "name"}));
  if (!name.empty()) object_in(object_in(tree, "metadata"), "labels")["kubernetes.io/metadata.name"] = name;
}

void create_namespace(Json& tree) {
  tree["status"] = {{"phase", "Active"}};
  tree["spec"] = {{"finalizers", Json::array({"kubernetes"})}};
}

void update_namespace(Json& now, const Json& before) { copy_member(now, before, "spec"); }

/// Until the contents are gone.
bool holds_namespace(const Json& tree) { return !empty_value(member_at(tree, {"spec", "finalizers"})); }

void create_volume(Json& tree) { tree["status"] = {{"phase", "Pending"}}; }

/// A claim in use is protected from its first instant, as admission does; whoever plays the controllers takes this off.
void create_claim(Json& tree) {
  create_volume(tree);
  Json& finalizers = tree["metadata"]["finalizers"];
  if (!finalizers.is_array()) finalizers = Json::array();
  constexpr std::string_view kProtection = "kubernetes.io/pvc-protection";
  if (std::ranges::find(finalizers, Json(kProtection)) == finalizers.end()) finalizers.push_back(kProtection);
}

void validate_claim(const Json& tree, FieldErrors& errors) { validate_claim_spec(object_of(tree, "spec"), "spec", errors); }

void update_claim(const Json& now, const Json& before, FieldErrors& errors) {
  Json spec = *member(now, "spec");
  Json old = *member(before, "spec");
  for (Json* s : {&spec, &old}) {
    s->erase("resources");
    s->erase("volumeAttributesClassName");
  }
  if (text_of(old, "volumeName").empty()) copy_member(old, spec, "volumeName");
  if (member(old, "storageClassName") == nullptr) copy_member(old, spec, "storageClassName");
  if (spec != old) {
    errors.forbidden("spec",
                     "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
  }
}

/// Config maps and secrets: file names within a mounted volume.
void validate_keys(const Json& tree, const char* name, FieldErrors& errors) {
  const Json* data = member(tree, name);
  if (data == nullptr) return;
  for (const auto& [key, value] : data->items()) {
    for (const auto& complaint : check_config_key(key)) errors.invalid(entry(name, key), key, complaint);
  }
}

/// The bytes that the values of a map take.
std::size_t bytes_in(const Json& tree, const char* name, bool encoded) {
  std::size_t bytes = 0;
  if (const Json* data = member(tree, name)) {
    for (const Json& value : *data) {
      if (!value.is_string()) continue;
      const auto& text = value.get_ref<const std::string&>();
      bytes += encoded ? text.size() / 4 * 3 - static_cast<std::size_t>(std::ranges::count(text, '=')) : text.size();
    }
  }
  return bytes;
}

void validate_configmap(const Json& tree, FieldErrors& errors) {
  validate_keys(tree, "data", errors);
  validate_keys(tree, "binaryData", errors);
  if (const Json* binary = member(tree, "binaryData")) {
    for (const auto& [key, value] : binary->items()) {
      if (member_at(tree, {"data", key}) != nullptr)
        errors.invalid(entry("data", key), key, "duplicate of key present in binaryData");
    }
  }
  if (bytes_in(tree, "data", false) + bytes_in(tree, "binaryData", true) > kDataBytesMax) errors.too_long("", kDataBytesMax);
}

void validate_secret(const Json& tree, FieldErrors& errors) {
  validate_keys(tree, "data", errors);
  if (bytes_in(tree, "data", true) > kDataBytesMax) errors.too_long("data", kDataBytesMax);
  const auto type = text_of(tree, "type");
  const auto need = [&](const char* key) {
    if (member_at(tree, {"data", key}) == nullptr) errors.required(entry("data", key), "");
  };
  if (type == "kubernetes.io/dockerconfigjson") need(".dockerconfigjson");
  if (type == "kubernetes.io/dockercfg") need(".dockercfg");
  if (type == "kubernetes.io/ssh-auth") need("ssh-privatekey");
  if (type == "kubernetes.io/tls") {
    need("tls.crt");
    need("tls.key");
  }
}

void keep_immutable(const Json& now, const Json& before, FieldErrors& errors) {
  if (!bool_of(before, "immutable")) return;
  if (!bool_of(now, "immutable")) errors.forbidden("immutable", kImmutable);
  for (const char* name : {"data", "binaryData"}) {
    if (!same(member(now, name), member(before, name))) errors.forbidden(name, kImmutable);
  }
}

void update_configmap(const Json& now, const Json& before, FieldErrors& errors) {
  keep_immutable(now, before, errors);
  validate_configmap(now, errors);
}

void default_node(Json& tree) {
  const Json* capacity = member_at(tree, {"status", "capacity"});
  if (capacity != nullptr && member_at(tree, {"status", "allocatable"}) == nullptr)
    tree["status"]["allocatable"] = Json(*capacity);
}

/// A new node is not ready, says admission; who plays the node or its controllers takes the taint off.
void create_node(Json& tree) {
  constexpr const char* kNotReady = "node.kubernetes.io/not-ready";
  Json& taints = object_in(tree, "spec")["taints"];
  if (!taints.is_array()) taints = Json::array();
  const bool has = std::ranges::any_of(
      taints, [](const Json& taint) { return text_of(taint, "key") == kNotReady && text_of(taint, "effect") == "NoSchedule"; });
  if (!has) taints.push_back({{"key", kNotReady}, {"effect", "NoSchedule"}});
}

void default_secret(Json& tree) {
  // stringData is for writing only: it goes into data, encoded.
  const Json* plain = member(tree, "stringData");
  if (plain == nullptr) return;
  const Json texts = *plain;
  tree.erase("stringData");
  for (const auto& [name, value] : texts.items()) {
    if (!value.is_string()) continue;
    object_in(tree, "data")[name] = base64_encode(value.get_ref<const std::string&>());
  }
}

void update_secret(const Json& now, const Json& before, FieldErrors& errors) {
  if (text_of(now, "type") != text_of(before, "type"))
    errors.invalid("type", std::string(text_of(now, "type")), "field is immutable");
  validate_secret(now, errors);
  keep_immutable(now, before, errors);
}

void default_service(Json& tree) {
  Json& spec = object_in(tree, "spec");
  if (auto ports = spec.find("ports"); ports != spec.end() && ports->is_array()) {
    for (Json& port : *ports) {
      if (!port.contains("targetPort") && port.contains("port")) port["targetPort"] = port["port"];
      if (!port.contains("protocol")) port["protocol"] = "TCP";
    }
  }
  if (text_of(spec, "type") != "ExternalName" && !spec.contains("internalTrafficPolicy"))
    spec["internalTrafficPolicy"] = "Cluster";
}

/// What the server gives a service of its own accord, and nobody owns.
void allot_families(Json& spec) {
  if (text_of(spec, "type") == "ExternalName") return;
  if (!spec.contains("ipFamilyPolicy")) spec["ipFamilyPolicy"] = "SingleStack";
  if (!spec.contains("ipFamilies")) spec["ipFamilies"] = Json::array({"IPv4"});
}

void update_service(Json& now, const Json&) { allot_families(object_in(now, "spec")); }

void create_service(Json& tree) {
  Json& spec = object_in(tree, "spec");
  allot_families(spec);
  tree["status"] = {{"loadBalancer", Json::object()}};
  if (text_of(spec, "type") == "ExternalName") return;
  // An address of its own from the UID, in the default service range: nothing routes it here.
  if (text_of(spec, "clusterIP").empty()) {
    const std::string uid(text_at(tree, {"metadata", "uid"}));
    const auto bits = std::stoul(uid.substr(0, 4), nullptr, 16);
    spec["clusterIP"] = "10.0." + std::to_string(bits >> 8) + "." + std::to_string(bits & 255);
  }
  spec["clusterIPs"] = Json::array({spec["clusterIP"]});
}

void validate_service(const Json& tree, FieldErrors& errors) {
  const Json* ports = member_at(tree, {"spec", "ports"});
  const bool headless = text_at(tree, {"spec", "clusterIP"}) == "None";
  if (ports == nullptr && !headless && text_at(tree, {"spec", "type"}) != "ExternalName") errors.required("spec.ports", "");
  if (ports == nullptr || !ports->is_array()) return;
  for (std::size_t i = 0; i < ports->size(); ++i) {
    const auto port = integer_of((*ports)[i], "port", 0);
    if (port < 1 || port > 65535)
      errors.invalid(index("spec.ports", i) + ".port", port, "must be between 1 and 65535, inclusive");
    const Json* target = member((*ports)[i], "targetPort");
    const auto aim = target != nullptr && target->is_number() ? target->get<std::int64_t>() : port;
    if ((target == nullptr || target->is_number()) && (aim < 1 || aim > 65535))
      errors.invalid(index("spec.ports", i) + ".targetPort", aim, "must be between 1 and 65535, inclusive");
    if (ports->size() > 1 && text_of((*ports)[i], "name").empty()) errors.required(index("spec.ports", i) + ".name", "");
  }
}

void validate_event(const Json& tree, FieldErrors& errors) {
  const auto about = text_at(tree, {"involvedObject", "namespace"});
  const auto own = text_at(tree, {"metadata", "namespace"});
  if (!about.empty() && about != own) {
    errors.invalid("involvedObject.namespace", std::string(about), "does not match event.namespace");
  }
}

}  // namespace

void validate_claim_spec(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json* modes = member(spec, "accessModes");
  if (modes == nullptr || modes->empty()) errors.required(path + ".accessModes", "at least 1 access mode is required");
  static const std::vector<std::string> kModes = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"};
  for (std::size_t i = 0; modes != nullptr && i < modes->size(); ++i) {
    const Json& mode = (*modes)[i];
    if (!mode.is_string() || std::ranges::find(kModes, mode.get_ref<const std::string&>()) == kModes.end())
      errors.not_supported(path + ".accessModes", mode, kModes);
  }
  if (member_at(spec, {"resources", "requests", "storage"}) == nullptr) errors.required(path + ".resources[storage]", "");
  const auto kind = text_of(spec, "volumeMode");
  if (!kind.empty() && kind != "Block" && kind != "Filesystem")
    errors.not_supported(path + ".volumeMode", std::string(kind), {"Block", "Filesystem"});
}

BuiltinRules namespace_rules() {
  return {.set_defaults = default_namespace,
          .prepare_create = create_namespace,
          .prepare_update = update_namespace,
          .keeps_while_deleting = holds_namespace,
          .prepare_deletion = [](Json& tree) { object_in(tree, "status")["phase"] = "Terminating"; }};
}
BuiltinRules node_rules() { return {.set_defaults = default_node, .prepare_create = create_node}; }
BuiltinRules claim_rules() {
  return {.prepare_create = create_claim, .validate = validate_claim, .validate_update = update_claim};
}
BuiltinRules volume_rules() { return {.prepare_create = create_volume}; }
BuiltinRules configmap_rules() { return {.validate = validate_configmap, .validate_update = update_configmap}; }
BuiltinRules secret_rules() {
  return {.set_defaults = default_secret, .validate = validate_secret, .validate_update = update_secret};
}
BuiltinRules service_rules() {
  return {.set_defaults = default_service,
          .prepare_create = create_service,
          .prepare_update = update_service,
          .validate = validate_service};
}
BuiltinRules event_rules() { return {.validate = validate_event}; }

}  // namespace kruise::cluster
