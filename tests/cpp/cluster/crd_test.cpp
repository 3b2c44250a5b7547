#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "api.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kWidgets = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    schema: &schema
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 0, maximum: 10}
              color: {type: string, enum: [red, green], default: red}
              name: {type: string, pattern: '^[a-z]+$', maxLength: 5}
              port: {x-kubernetes-int-or-string: true}
              tags: {type: array, x-kubernetes-list-type: set, maxItems: 3, items: {type: string}}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, properties: {name: {type: string}, weight: {type: integer, default: 1}}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, properties: {size: {type: integer}}}
  - name: v1beta1
    served: true
    storage: false
    schema: *schema
)";
const std::string kPath = "/apis/example.com/v1/widgets";

Json widget(const std::string& name, const Json& spec) {
  return {{"apiVersion", "example.com/v1"}, {"kind", "Widget"}, {"metadata", {{"name", name}}}, {"spec", spec}};
}

struct Widgets : Api {
  Widgets() { server.install_crd(kWidgets); }
};

TEST(Crd, IsEstablishedAndDiscovered) {
  Widgets api;
  const auto crd = api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com");
  EXPECT_EQ(crd.body["status"]["acceptedNames"]["listKind"], "WidgetList");
  EXPECT_EQ(crd.body["status"]["conditions"][1]["type"], "Established");
  const auto resources = api.get("/apis/example.com/v1");
  ASSERT_EQ(resources.code, 200);
  EXPECT_EQ(resources.body["resources"][0]["name"], "widgets");
  EXPECT_EQ(resources.body["resources"][1]["name"], "widgets/scale");
  api.remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com");
  EXPECT_EQ(api.get("/apis/example.com/v1").code, 404);
  EXPECT_EQ(api.get(kPath).code, 404);
}

TEST(Crd, ItsEndTakesTheObjectsAndEndsTheirWatches) {
  Widgets api;
  const std::string definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
  api.post(kPath, widget("a", {{"size", 1}}));
  Json held = widget("b", {{"size", 1}});
  held["metadata"]["finalizers"] = Json::array({"test/hold"});
  api.post(kPath, held);
  const auto stream = api.watch(kPath + "?watch=1");
  EXPECT_EQ(drain(*stream), (std::vector<std::string>{"ADDED a", "ADDED b"}));

  EXPECT_EQ(api.remove(definition).body["status"]["conditions"][2]["type"], "Terminating");
  EXPECT_EQ(drain(*stream), (std::vector<std::string>{"DELETED a", "MODIFIED b"}));
  EXPECT_EQ(api.post(kPath, widget("c", {{"size", 1}})).code, 403);
  EXPECT_EQ(api.get(definition).code, 200) << "one object still has a finalizer";
  EXPECT_FALSE(stream->ended());

  api.merge(kPath + "/b", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(drain(*stream), (std::vector<std::string>{"DELETED b"}));
  EXPECT_TRUE(stream->ended());
  EXPECT_EQ(api.get(definition).code, 404);
  EXPECT_EQ(api.get(kPath).code, 404);

  api.server.install_crd(kWidgets);
  EXPECT_EQ(api.get(kPath).body["items"], Json::array());
  EXPECT_EQ(drain(*stream), std::vector<std::string>{}) << "what comes under the same name is none of its business";
}

TEST(Crd, PrunesAndDefaults) {
  Widgets api;
  const auto made = api.post(
      kPath,
      widget("a", {{"size", 1}, {"foo", 1}, {"free", {{"any", 1}}}, {"parts", Json::array({{{"name", "x"}, {"bar", 2}}})}}));
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(
      made.body["spec"],
      (Json{{"size", 1}, {"color", "red"}, {"free", {{"any", 1}}}, {"parts", Json::array({{{"name", "x"}, {"weight", 1}}})}}));
  EXPECT_THAT(made.warnings, ElementsAre("unknown field \"spec.foo\"", "unknown field \"spec.parts[0].bar\""));
  EXPECT_EQ(made.body["metadata"]["generation"], 1);
}

struct Wrong {
  const char* name;
  Json spec;
  const char* reason;
  const char* field;
  const char* message;
};

TEST(Crd, ValidatesWithTheServersWords) {
  Widgets api;
  const std::vector<Wrong> cases = {
      {"required", Json::object(), "FieldValueRequired", "spec.size", "Required value"},
      {"type",
       {{"size", "x"}},
       "FieldValueTypeInvalid",
       "spec.size",
       "Invalid value: \"string\": spec.size in body must be of type integer: \"string\""},
      {"minimum",
       {{"size", -1}},
       "FieldValueInvalid",
       "spec.size",
       "Invalid value: -1: spec.size in body should be greater than or equal to 0"},
      {"maximum",
       {{"size", 11}},
       "FieldValueInvalid",
       "spec.size",
       "Invalid value: 11: spec.size in body should be less than or equal to 10"},
      {"enum",
       {{"size", 1}, {"color", "blue"}},
       "FieldValueNotSupported",
       "spec.color",
       "Unsupported value: \"blue\": supported values: \"red\", \"green\""},
      {"pattern",
       {{"size", 1}, {"name", "A"}},
       "FieldValueInvalid",
       "spec.name",
       "Invalid value: \"A\": spec.name in body should match '^[a-z]+$'"},
      {"max length",
       {{"size", 1}, {"name", "abcdef"}},
       "FieldValueTooLong",
       "spec.name",
       "Too long: may not be more than 5 bytes"},
      {"set", {{"size", 1}, {"tags", {"a", "a"}}}, "FieldValueDuplicate", "spec.tags[1]", "Duplicate value: \"a\""},
      {"max items",
       {{"size", 1}, {"tags", {"a", "b", "c", "d"}}},
       "FieldValueTooMany",
       "spec.tags",
       "Too many: 4: must have at most 3 items"},
      {"map",
       {{"size", 1}, {"parts", Json::array({{{"name", "x"}}, {{"name", "x"}}})}},
       "FieldValueDuplicate",
       "spec.parts[1]",
       "Duplicate value: {\"name\":\"x\"}"},
  };
  for (const auto& wrong : cases) {
    const auto refused = api.post(kPath, widget("a", wrong.spec));
    ASSERT_EQ(refused.code, 422) << wrong.name << refused.body;
    const Json& cause = refused.body["details"]["causes"][0];
    EXPECT_EQ(cause["reason"], wrong.reason) << wrong.name;
    EXPECT_EQ(cause["field"], wrong.field) << wrong.name;
    EXPECT_EQ(cause["message"], wrong.message) << wrong.name;
  }
}

TEST(Crd, GenerationCountsTheSpecAndStatusIsApart) {
  Widgets api;
  api.post(kPath, widget("a", {{"size", 1}}));
  EXPECT_EQ(api.merge(kPath + "/a", {{"metadata", {{"labels", {{"x", "y"}}}}}}).body["metadata"]["generation"], 1);
  EXPECT_EQ(api.merge(kPath + "/a", {{"spec", {{"size", 2}}}, {"status", {{"size", 9}}}}).body["metadata"]["generation"], 2);
  const auto status = api.merge(kPath + "/a/status",
                                {{"status", {{"size", 9}}}, {"spec", {{"size", 3}}}, {"metadata", {{"labels", {{"x", "z"}}}}}});
  EXPECT_EQ(status.body["status"]["size"], 9);
  EXPECT_EQ(status.body["spec"]["size"], 2);
  EXPECT_EQ(status.body["metadata"]["labels"]["x"], "y");
  EXPECT_EQ(status.body["metadata"]["generation"], 2);
  EXPECT_EQ(api.get(kPath + "/a/scale").body["status"]["replicas"], 9);
  EXPECT_EQ(api.strategic(kPath + "/a", Json::object()).code, 415);
  Json body = api.get(kPath + "/a").body;
  body["metadata"].erase("resourceVersion");
  EXPECT_EQ(api.put(kPath + "/a", body).body["details"]["causes"][0]["message"],
            "Invalid value: 0: must be specified for an update");
}

TEST(Crd, EachVersionShowsTheSameObjects) {
  Widgets api;
  api.post(kPath, widget("a", {{"size", 1}}));
  const auto other = api.get("/apis/example.com/v1beta1/widgets/a");
  EXPECT_EQ(other.body["apiVersion"], "example.com/v1beta1");
  EXPECT_EQ(api.merge("/apis/example.com/v1beta1/widgets/a", {{"spec", {{"size", 2}}}}).body["apiVersion"],
            "example.com/v1beta1");
  EXPECT_EQ(api.get(kPath + "/a").body["apiVersion"], "example.com/v1");
  EXPECT_THAT(drain(*api.watch("/apis/example.com/v1beta1/widgets?watch=1")), ElementsAre("ADDED a"));
}

TEST(Crd, ADefinitionThatCannotWorkIsRefusedByField) {
  Api api;
  std::string text(kWidgets);
  text.replace(text.find("widgets.example.com"), 19, "gadgets.example.com");
  try {
    api.server.install_crd(text);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("metadata.name"));
  }
}

TEST(Crd, TheChartsCloneSet) {
  Api api;
  std::ifstream file(KRUISE_SOURCE_DIR "/charts/kruise/crds/apps.kruise.io_clonesets.yaml");
  std::stringstream text;
  text << file.rdbuf();
  api.server.install_crd(text.str());
  const Json set = {{"apiVersion", "apps.kruise.io/v1alpha1"},
                    {"kind", "CloneSet"},
                    {"metadata", {{"name", "web"}}},
                    {"spec",
                     {{"replicas", 3},
                      {"selector", {{"matchLabels", {{"app", "web"}}}}},
                      {"template", {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", pod("x")["spec"]}}}}}};
  const auto made = api.post("/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets", set);
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1");
}

}  // namespace
}  // namespace kruise::cluster::testing
