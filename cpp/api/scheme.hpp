// Kinds and resources: what the API calls a thing and under which path it
// lives.
#pragma once

#include <string>
#include <string_view>

namespace kruise::api {

enum class Scope : bool { kCluster, kNamespaced };

/// One served version of a kind. Instances are constants (`api::kPods`) or come
/// from discovery; compare by value.
struct Resource {
  std::string group;    // "" for the core group
  std::string version;  // "v1"
  std::string kind;     // "Pod"
  std::string plural;   // "pods"
  Scope scope = Scope::kNamespaced;

  bool operator==(const Resource&) const = default;
  [[nodiscard]] bool namespaced() const { return scope == Scope::kNamespaced; }
  /// "v1" or "apps.kruise.io/v1alpha1".
  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

/// Same group and plural: the same objects in storage, whatever the version.
[[nodiscard]] inline bool same_objects(const Resource& a, const Resource& b) {
  return a.group == b.group && a.plural == b.plural;
}

inline const Resource kPods{"", "v1", "Pod", "pods", Scope::kNamespaced};
inline const Resource kClaims{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", Scope::kNamespaced};
inline const Resource kVolumes{"", "v1", "PersistentVolume", "persistentvolumes", Scope::kCluster};
inline const Resource kNodes{"", "v1", "Node", "nodes", Scope::kCluster};
inline const Resource kNamespaces{"", "v1", "Namespace", "namespaces", Scope::kCluster};
inline const Resource kConfigMaps{"", "v1", "ConfigMap", "configmaps", Scope::kNamespaced};
inline const Resource kEvents{"", "v1", "Event", "events", Scope::kNamespaced};
inline const Resource kRevisions{"apps", "v1", "ControllerRevision", "controllerrevisions", Scope::kNamespaced};
inline const Resource kLeases{"coordination.k8s.io", "v1", "Lease", "leases", Scope::kNamespaced};
inline const Resource kCrds{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
                            Scope::kCluster};
inline const Resource kCloneSets{"apps.kruise.io", "v1alpha1", "CloneSet", "clonesets", Scope::kNamespaced};

}  // namespace kruise::api
