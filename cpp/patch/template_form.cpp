#include "patch/template_form.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/quantity.hpp"

namespace kruise::patch {
namespace {

using api::FieldInfo;
using api::TypeInfo;
using nlohmann::json;
using Kind = TypeInfo::Kind;

/// Structs are written whatever their tag says, for a plain struct is never empty in Go.
bool always_written(const FieldInfo& field) {
  if (!field.omit_empty) return true;
  if (field.pointer) return false;
  const Kind kind = field.type->kind;
  return kind == Kind::kObject || kind == Kind::kTime || kind == Kind::kMicroTime || kind == Kind::kQuantity ||
         kind == Kind::kIntOrString;
}

json zero_of(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::kObject: {
      json object = json::object();
      normalise(object, type);
      return object;
    }
    case Kind::kString:
      return "";
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kFloat:
    case Kind::kIntOrString:
      return 0;
    case Kind::kBool:
      return false;
    case Kind::kQuantity:
      return "0";
    default:
      return nullptr;
  }
}

bool is_empty_value(const json& value) {
  // NOLINTNEXTLINE(readability-container-size-empty): `value` may be of any type, and empty() is true of lists too
  return value.is_null() || value == "" || value == false || (value.is_number() && value == 0) ||
         (value.is_structured() && value.empty());
}

void normalise_quantity(json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.is_number() ? value.dump() : "";
  if (const auto quantity = api::Quantity::parse(text)) value = quantity->text();
}

void normalise_object(json& tree, const TypeInfo& type) {
  for (auto it = tree.begin(); it != tree.end();) {
    const FieldInfo* field = type.field(it.key());
    if (field == nullptr) {
      it = it->is_null() ? tree.erase(it) : std::next(it);
      continue;
    }
    if (!it->is_null()) normalise(*it, *field->type);
    const bool gone = it->is_null() || (!field->pointer && field->omit_empty && !always_written(*field) && is_empty_value(*it));
    it = gone ? tree.erase(it) : std::next(it);
  }
  for (const auto& field : type.fields) {
    if (always_written(field) && !tree.contains(field.name))
      tree[std::string(field.name)] = field.pointer ? json() : zero_of(*field.type);
  }
}

/// Members by the minor version of Kubernetes that brought them, from what the oldest manager knew (1.16) on.
struct Arrival {
  std::string_view type;
  std::string_view field;
  std::int32_t minor;
};
constexpr Arrival kArrivals[] = {
    {"PodSpec", "setHostnameAsFQDN", 19},
    {"PodSpec", "os", 23},
    {"PodSpec", "hostUsers", 25},
    {"PodSpec", "schedulingGates", 26},
    {"PodSpec", "resourceClaims", 26},
    {"PodSpec", "resources", 32},
    {"PodSpec", "hostnameOverride", 34},
    {"PodSecurityContext", "fsGroupChangePolicy", 18},
    {"PodSecurityContext", "seccompProfile", 19},
    {"PodSecurityContext", "appArmorProfile", 30},
    {"PodSecurityContext", "supplementalGroupsPolicy", 31},
    {"PodSecurityContext", "seLinuxChangePolicy", 32},
    {"SecurityContext", "seccompProfile", 19},
    {"SecurityContext", "appArmorProfile", 30},
    {"WindowsSecurityContextOptions", "hostProcess", 22},
    {"Container", "resizePolicy", 27},
    {"Container", "restartPolicy", 28},
    {"Container", "restartPolicyRules", 34},
    {"EphemeralContainer", "resizePolicy", 27},
    {"EphemeralContainer", "restartPolicy", 28},
    {"EphemeralContainer", "restartPolicyRules", 34},
    {"Probe", "terminationGracePeriodSeconds", 20},
    {"Probe", "grpc", 23},
    {"LifecycleHandler", "sleep", 29},
    {"Lifecycle", "stopSignal", 33},
    {"EnvVarSource", "fileKeyRef", 34},
    {"VolumeMount", "recursiveReadOnly", 30},
    {"ResourceRequirements", "claims", 26},
    {"Volume", "ephemeral", 19},
    {"Volume", "image", 31},
    {"VolumeProjection", "clusterTrustBundle", 27},
    {"VolumeProjection", "podCertificate", 34},
    {"TopologySpreadConstraint", "minDomains", 24},
    {"TopologySpreadConstraint", "nodeAffinityPolicy", 25},
    {"TopologySpreadConstraint", "nodeTaintsPolicy", 25},
    {"TopologySpreadConstraint", "matchLabelKeys", 25},
    {"PodAffinityTerm", "namespaceSelector", 21},
    {"PodAffinityTerm", "matchLabelKeys", 29},
    {"PodAffinityTerm", "mismatchLabelKeys", 29},
    {"PersistentVolumeClaimSpec", "dataSourceRef", 22},
    {"PersistentVolumeClaimSpec", "volumeAttributesClassName", 29},
};

bool newer_than(const TypeInfo& type, std::string_view field, std::int32_t minor) {
  if (type.field(field) == nullptr) return true;
  return std::ranges::any_of(kArrivals,
                             [&](const Arrival& a) { return a.type == type.name && a.field == field && a.minor > minor; });
}

}  // namespace

void normalise(json& tree, const TypeInfo& type) {
  switch (type.kind) {
    case Kind::kObject:
      if (tree.is_object()) normalise_object(tree, type);
      break;
    case Kind::kMap:
      if (!tree.is_object()) break;
      for (auto& [key, value] : tree.items())
        value.is_null() ? void(value = zero_of(*type.element)) : normalise(value, *type.element);
      break;
    case Kind::kList:
      if (!tree.is_array()) break;
      for (auto& value : tree) value.is_null() ? void(value = zero_of(*type.element)) : normalise(value, *type.element);
      break;
    case Kind::kQuantity:
      normalise_quantity(tree);
      break;
    default:
      break;
  }
}

void drop_newer_than(json& tree, const json& other, const TypeInfo& type, std::int32_t minor) {
  if (type.kind == Kind::kList && tree.is_array() && other.is_array()) {
    for (std::size_t i = 0; i < std::min(tree.size(), other.size()); ++i)
      drop_newer_than(tree[i], other[i], *type.element, minor);
  }
  if (type.kind != Kind::kObject || !tree.is_object() || !other.is_object()) return;
  for (auto it = tree.begin(); it != tree.end();) {
    const auto counterpart = other.find(it.key());
    if (counterpart == other.end() && newer_than(type, it.key(), minor)) {
      it = tree.erase(it);
      continue;
    }
    const FieldInfo* field = type.field(it.key());
    if (counterpart != other.end() && field != nullptr) drop_newer_than(*it, *counterpart, *field->type, minor);
    ++it;
  }
}

}  // namespace kruise::patch
