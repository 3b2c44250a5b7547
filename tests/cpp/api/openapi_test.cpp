// The documents that kubectl asks for: whole, closed under reference, and with what patches need.
#include "api/openapi.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "api/json_reader.hpp"

namespace kruise::api {
namespace {

const std::vector<OpenApiResource> kCore{{kPods, {}, true, false}, {kNodes, {}, true, false}, {kConfigMaps, {}, false, false}};

/// The members of an object as text.
std::map<std::string, std::string> members(std::string_view json) {
  std::map<std::string, std::string> found;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    RawJson text;
    const std::string name(key);
    in.read(text);
    EXPECT_TRUE(found.emplace(name, text.text).second) << "twice: " << name;
  });
  return found;
}

std::map<std::string, std::string> schemas(const std::string& document) {
  return members(members(members(document)["components"])["schemas"]);
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  const std::string document = openapi_v3_group_version("", "v1", kCore);
  const auto known = schemas(document);
  EXPECT_GT(known.size(), 140U);
  constexpr std::string_view kReference = R"("$ref":"#/components/schemas/)";
  std::set<std::string> wanted;
  for (auto at = document.find(kReference); at != std::string::npos; at = document.find(kReference, at + 1)) {
    const auto start = at + kReference.size();
    wanted.insert(document.substr(start, document.find('"', start) - start));
  }
  for (const auto& name : wanted) EXPECT_TRUE(known.contains(name)) << name;
}

TEST(OpenApi, FieldsCarryWhatPatchesNeed) {
  auto known = schemas(openapi_v3_group_version("", "v1", kCore));
  const auto pod = members(known["io.k8s.api.core.v1.Pod"]);
  EXPECT_EQ(pod.at("x-kubernetes-group-version-kind"), R"([{"group":"","kind":"Pod","version":"v1"}])");
  auto container = members(members(known["io.k8s.api.core.v1.Container"])["properties"]);
  EXPECT_TRUE(
      has(container["ports"], R"("x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["containerPort","protocol"])"));
  EXPECT_TRUE(has(container["ports"], R"("x-kubernetes-patch-merge-key":"containerPort","x-kubernetes-patch-strategy":"merge")"));
  EXPECT_TRUE(has(container["imagePullPolicy"], R"("enum":["Always","Never","IfNotPresent"])"));
  EXPECT_TRUE(has(container["name"], R"("type":"string")"));
  EXPECT_TRUE(has(container["name"], "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#container-v1-core"));
  auto spec = members(known["io.k8s.api.core.v1.PodSpec"]);
  EXPECT_EQ(spec["required"], R"(["containers"])");
  EXPECT_TRUE(has(members(spec["properties"])["volumes"], R"("x-kubernetes-patch-strategy":"merge,retainKeys")"));
  EXPECT_TRUE(has(members(spec["properties"])["restartPolicy"], R"("default":"Always")"));
}

TEST(OpenApi, PathsSayWhatIsServed) {
  auto paths = members(members(openapi_v3_group_version("", "v1", kCore))["paths"]);
  EXPECT_TRUE(paths.contains("/api/v1/namespaces/{namespace}/pods"));
  EXPECT_TRUE(paths.contains("/api/v1/namespaces/{namespace}/pods/{name}/status"));
  EXPECT_FALSE(paths.contains("/api/v1/namespaces/{namespace}/pods/{name}/scale"));
  EXPECT_TRUE(paths.contains("/api/v1/nodes/{name}"));
  const auto patch = members(paths["/api/v1/namespaces/{namespace}/pods/{name}"]).at("patch");
  EXPECT_TRUE(has(patch, "application/strategic-merge-patch+json"));
  EXPECT_TRUE(has(patch, R"("name":"fieldValidation","in":"query")"));
  EXPECT_TRUE(has(patch, R"("x-kubernetes-group-version-kind":{"group":"","kind":"Pod","version":"v1"})"));
}

TEST(OpenApi, CustomKindsKeepTheirOwnSchema) {
  constexpr std::string_view kSchema =
      R"({"type":"object","description":"A set.","properties":{"kind":{"type":"string"},"metadata":{"type":"object"},
          "spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}})";
  const OpenApiResource one{kCloneSets, kSchema, true, true};
  const std::string document = openapi_v3_group_version("apps.kruise.io", "v1alpha1", std::span(&one, 1));
  auto known = schemas(document);
  auto set = members(known["io.kruise.apps.v1alpha1.CloneSet"]);
  EXPECT_EQ(set["description"], R"("A set.")");
  EXPECT_EQ(set["x-kubernetes-group-version-kind"], R"([{"group":"apps.kruise.io","kind":"CloneSet","version":"v1alpha1"}])");
  EXPECT_EQ(members(set["properties"])["spec"], R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})");
  EXPECT_TRUE(has(members(set["properties"])["metadata"], "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
  EXPECT_TRUE(known.contains("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
  auto paths = members(members(document)["paths"]);
  EXPECT_TRUE(paths.contains("/apis/apps.kruise.io/v1alpha1/namespaces/{namespace}/clonesets/{name}/scale"));
  EXPECT_TRUE(has(paths["/apis/apps.kruise.io/v1alpha1/namespaces/{namespace}/clonesets/{name}/scale"], R"("kind":"Scale")"));
  EXPECT_FALSE(has(paths["/apis/apps.kruise.io/v1alpha1/namespaces/{namespace}/clonesets/{name}"], "strategic"));
  const OpenApiResource bad{kCloneSets, "[1]", false, false};
  EXPECT_THROW((void)openapi_v3_group_version("apps.kruise.io", "v1alpha1", std::span(&bad, 1)), DecodeError);
}

}  // namespace
}  // namespace kruise::api
