// The facts of core types that patches, pruning and server-side apply stand on.
#include "api/schema.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace kruise::api {
namespace {

using Strings = std::vector<std::string>;

Strings strings(std::span<const std::string_view> values) { return {values.begin(), values.end()}; }

const FieldInfo& field_of(std::string_view type, std::string_view name) {
  const TypeInfo* part = part_type(type);
  if (part == nullptr) throw std::runtime_error("no type " + std::string(type));
  const FieldInfo* field = part->field(name);
  if (field == nullptr) throw std::runtime_error("no field " + std::string(type) + "." + std::string(name));
  return *field;
}

struct MergeCase {
  std::string_view type, field, merge_key;
  Strings list_keys;
};

TEST(Schema, ListsMergeByTheirKeys) {
  const MergeCase cases[] = {
      {"PodSpec", "containers", "name", {"name"}},
      {"PodSpec", "initContainers", "name", {"name"}},
      {"PodSpec", "ephemeralContainers", "name", {"name"}},
      {"PodSpec", "volumes", "name", {"name"}},
      {"PodSpec", "imagePullSecrets", "name", {"name"}},
      {"PodSpec", "hostAliases", "ip", {"ip"}},
      {"PodSpec", "topologySpreadConstraints", "topologyKey", {"topologyKey", "whenUnsatisfiable"}},
      {"Container", "env", "name", {"name"}},
      {"Container", "ports", "containerPort", {"containerPort", "protocol"}},
      {"Container", "volumeMounts", "mountPath", {"mountPath"}},
      {"Container", "volumeDevices", "devicePath", {"devicePath"}},
      {"PodStatus", "conditions", "type", {"type"}},
      {"PodStatus", "podIPs", "ip", {"ip"}},
      {"NodeStatus", "conditions", "type", {"type"}},
      {"PersistentVolumeClaimStatus", "conditions", "type", {"type"}},
      {"ObjectMeta", "ownerReferences", "uid", {"uid"}},
      {"ServiceSpec", "ports", "port", {"port", "protocol"}},
      {"DeploymentStatus", "conditions", "type", {"type"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.type) + "." + std::string(c.field));
    const FieldInfo& field = field_of(c.type, c.field);
    EXPECT_TRUE(field.patch_merge);
    EXPECT_EQ(field.merge_key, c.merge_key);
    EXPECT_EQ(field.topology, Topology::kMap);
    EXPECT_EQ(strings(field.list_keys()), c.list_keys);
    EXPECT_EQ(field.type->kind, TypeInfo::Kind::kList);
  }
}

TEST(Schema, SetsAndAtomicLists) {
  EXPECT_TRUE(field_of("ObjectMeta", "finalizers").patch_merge);
  EXPECT_EQ(field_of("ObjectMeta", "finalizers").merge_key, "");
  EXPECT_EQ(field_of("ObjectMeta", "finalizers").topology, Topology::kSet);
  for (const auto name : {"command", "args", "envFrom"}) {
    EXPECT_FALSE(field_of("Container", name).patch_merge) << name;
    EXPECT_EQ(field_of("Container", name).topology, Topology::kAtomic) << name;
  }
  EXPECT_FALSE(field_of("PodSpec", "tolerations").patch_merge);
  EXPECT_EQ(field_of("PodSpec", "nodeSelector").topology, Topology::kAtomic);
  EXPECT_EQ(field_of("DeploymentSpec", "selector").topology, Topology::kAtomic);
  EXPECT_TRUE(field_of("PodSpec", "volumes").patch_retain_keys);
  EXPECT_TRUE(field_of("DeploymentSpec", "strategy").patch_retain_keys);
  EXPECT_FALSE(field_of("PodSpec", "containers").patch_retain_keys);
}

TEST(Schema, PresenceOfPointersMeansSomething) {
  for (const auto name : {"terminationGracePeriodSeconds", "priority", "automountServiceAccountToken", "securityContext"}) {
    EXPECT_TRUE(field_of("PodSpec", name).pointer) << name;
  }
  for (const auto name : {"hostNetwork", "nodeName", "restartPolicy"}) EXPECT_FALSE(field_of("PodSpec", name).pointer) << name;
  EXPECT_TRUE(field_of("PodSpec", "containers").required);
  EXPECT_FALSE(field_of("PodSpec", "containers").omit_empty);  // written as null when absent
  EXPECT_TRUE(field_of("Container", "name").required);
  EXPECT_TRUE(field_of("ContainerPort", "containerPort").required);
  EXPECT_TRUE(field_of("VolumeMount", "mountPath").required);
  EXPECT_FALSE(field_of("Container", "image").required);
}

TEST(Schema, Defaults) {
  const std::vector<std::tuple<std::string_view, std::string_view, std::string_view>> cases = {
      {"PodSpec", "restartPolicy", R"("Always")"},
      {"PodSpec", "dnsPolicy", R"("ClusterFirst")"},
      {"PodSpec", "schedulerName", R"("default-scheduler")"},
      {"PodSpec", "terminationGracePeriodSeconds", "30"},
      {"PodSpec", "securityContext", "{}"},
      {"ContainerPort", "protocol", R"("TCP")"},
      {"Container", "terminationMessagePath", R"("/dev/termination-log")"},
      {"Probe", "periodSeconds", "10"},
      {"Probe", "failureThreshold", "3"},
      {"Probe", "initialDelaySeconds", ""},
      {"HTTPGetAction", "scheme", R"("HTTP")"},
      {"SecretVolumeSource", "defaultMode", "420"},
      {"HostPathVolumeSource", "type", R"("")"},
      {"PersistentVolumeClaimSpec", "volumeMode", R"("Filesystem")"},
      {"DeploymentSpec", "replicas", "1"},
      {"Container", "imagePullPolicy", ""},
  };
  for (const auto& [type, name, text] : cases) EXPECT_EQ(field_of(type, name).default_json(), text) << type << "." << name;
}

TEST(Schema, PullPolicyFollowsTheTag) {
  EXPECT_EQ(default_pull_policy("nginx"), "Always");
  EXPECT_EQ(default_pull_policy("nginx:latest"), "Always");
  EXPECT_EQ(default_pull_policy("nginx:1"), "IfNotPresent");
  EXPECT_EQ(default_pull_policy("registry:5000/nginx"), "Always");
  EXPECT_EQ(default_pull_policy("registry:5000/a/nginx:2"), "IfNotPresent");
  EXPECT_EQ(default_pull_policy("nginx@sha256:abc"), "IfNotPresent");
  EXPECT_EQ(default_pull_policy("nginx:latest@sha256:abc"), "Always");
  EXPECT_EQ(default_pull_policy(""), "IfNotPresent");
  EXPECT_EQ(default_pull_policy("Not An Image"), "IfNotPresent");
}

TEST(Schema, ProtobufNumbers) {
  EXPECT_EQ(field_of("ObjectMeta", "name").proto_field, 1);
  EXPECT_EQ(field_of("ObjectMeta", "finalizers").proto_field, 14);
  EXPECT_EQ(field_of("ConfigMap", "data").proto_field, 2);
  EXPECT_EQ(field_of("ConfigMap", "metadata").proto_field, 1);
  EXPECT_EQ(field_of("Namespace", "kind").proto_field,
            0);  // apiVersion and kind travel in the envelope
  EXPECT_EQ(field_of("Volume", "emptyDir").proto_outer, 2);
  EXPECT_EQ(field_of("Volume", "name").proto_outer, 0);
  EXPECT_EQ(field_of("SelfSubjectAccessReview", "spec").proto_field, 2);
}

TEST(Schema, KindsAndParts) {
  for (const auto* kind :
       {"Pod", "Node", "Namespace", "ConfigMap", "Secret", "Event", "Service", "ServiceAccount", "PersistentVolumeClaim"}) {
    ASSERT_NE(core_type("", "v1", kind), nullptr) << kind;
    EXPECT_EQ(core_type("", "v1", kind)->name, kind);
  }
  EXPECT_NE(core_type("apps", "v1", "ControllerRevision"), nullptr);
  EXPECT_NE(core_type("coordination.k8s.io", "v1", "Lease"), nullptr);
  EXPECT_EQ(core_type("apps", "v1beta1", "Deployment"), nullptr);
  EXPECT_EQ(core_type("", "v1", "PodSpec"), nullptr);
  EXPECT_NE(core_type("events.k8s.io", "v1", "Event"), core_type("", "v1", "Event"));
  EXPECT_EQ(part_type("Event"), core_type("", "v1", "Event"));
  EXPECT_EQ(part_type("events_v1.Event"), core_type("events.k8s.io", "v1", "Event"));
  EXPECT_EQ(part_type("Nonsense"), nullptr);
}

TEST(Schema, EveryTableIsWhole) {
  EXPECT_GT(core_parts().size(), 280U);
  for (const TypeInfo* type : core_parts()) {
    std::set<std::string_view> names;
    for (const FieldInfo& field : type->fields) {
      SCOPED_TRACE(std::string(type->name) + "." + std::string(field.name));
      EXPECT_TRUE(names.insert(field.name).second);
      ASSERT_NE(field.type, nullptr);
      const bool composite = field.type->kind == TypeInfo::Kind::kList || field.type->kind == TypeInfo::Kind::kMap;
      EXPECT_EQ(composite, field.type->element != nullptr);
      for (const auto key : field.list_keys()) EXPECT_NE(field.type->element->field(key), nullptr) << key;
      if (!field.merge_key.empty()) {
        EXPECT_NE(field.type->element->field(field.merge_key), nullptr);
      }
    }
  }
}

}  // namespace
}  // namespace kruise::api
