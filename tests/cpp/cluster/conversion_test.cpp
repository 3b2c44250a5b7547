// A version that its definition does not serve, served by conversion.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "api.hpp"
#include "api/clone_set_conversion.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::HasSubstr;

const std::string kAlpha = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets";
const std::string kBeta = "/apis/apps.kruise.io/v1beta1/namespaces/default/clonesets";

std::string chart_crd() {
  const std::ifstream file(KRUISE_SOURCE_DIR "/charts/kruise/crds/apps.kruise.io_clonesets.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Json clone_set(const std::string& version, const Json& update) {
  return {
      {"apiVersion", "apps.kruise.io/" + version},
      {"kind", "CloneSet"},
      {"metadata", {{"name", "web"}}},
      {"spec",
       {{"replicas", 3},
        {"selector", {{"matchLabels", {{"app", "web"}}}}},
        {"template",
         {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", {{"containers", {{{"name", "main"}, {"image", "nginx:1"}}}}}}}},
        {"updateStrategy", update}}}};
}
const Json kOld = {{"type", "InPlaceIfPossible"}, {"partition", 2}, {"maxUnavailable", 1}};

struct Served : Api {
  Served() : Api(10'000, {{"clonesets.apps.kruise.io", "v1beta1", api::convert_clone_set}}) { server.install_crd(chart_crd()); }
};

TEST(Conversion, IsOffUntilItIsAskedFor) {
  Api api;
  api.server.install_crd(chart_crd());
  EXPECT_EQ(api.get(kBeta).code, 404);
  EXPECT_EQ(api.get("/apis/apps.kruise.io").body["preferredVersion"]["version"], "v1alpha1");
}

TEST(Conversion, DiscoveryPrefersTheNewerVersion) {
  Served api;
  EXPECT_EQ(api.get("/apis/apps.kruise.io").body["preferredVersion"]["version"], "v1beta1");
  EXPECT_EQ(api.get("/apis/apps.kruise.io/v1beta1").body["resources"][0]["name"], "clonesets");
}

TEST(Conversion, ReadsShowTheVersionThatIsAskedFor) {
  Served api;
  ASSERT_EQ(api.post(kAlpha, clone_set("v1alpha1", kOld)).code, 201);
  const auto one = api.get(kBeta + "/web").body;
  EXPECT_EQ(one["apiVersion"], "apps.kruise.io/v1beta1");
  EXPECT_EQ(one["spec"]["updateStrategy"]["type"], "RollingUpdate");
  EXPECT_EQ(one["spec"]["updateStrategy"]["rollingUpdate"]["partition"], 2);
  EXPECT_EQ(one["spec"]["scaleStrategy"]["enablePVCReuse"], true);
  EXPECT_EQ(api.get(kBeta).body["items"][0], one);
  const auto table =
      api.call("GET", kBeta + "?includeObject=Object", {}, {}, "application/json;as=Table;v=v1;g=meta.k8s.io").body;
  EXPECT_EQ(table["rows"][0]["object"], one);
  const auto stream = api.watch(kBeta + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  const auto line = stream->next();
  ASSERT_TRUE(line);
  EXPECT_EQ(Json::parse(**line)["object"], one);
  EXPECT_EQ(api.get(kBeta + "/web/scale").body["spec"]["replicas"], 3);
}

TEST(Conversion, WritesAreStoredInTheStoredVersion) {
  Served api;
  const Json wanted = {{"type", "RollingUpdate"}, {"rollingUpdate", {{"podUpdatePolicy", "InPlaceOnly"}, {"partition", "50%"}}}};
  const auto made = api.post(kBeta, clone_set("v1beta1", wanted));
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["spec"]["updateStrategy"], wanted);
  const auto stored = api.get(kAlpha + "/web").body["spec"];
  EXPECT_EQ(stored["updateStrategy"], Json({{"type", "InPlaceOnly"}, {"partition", "50%"}}));
  EXPECT_EQ(stored["scaleStrategy"]["disablePVCReuse"], true);

  const auto patched = api.merge(kBeta + "/web", {{"spec", {{"updateStrategy", {{"rollingUpdate", {{"partition", 1}}}}}}}});
  ASSERT_EQ(patched.code, 200) << patched.body;
  EXPECT_EQ(patched.body["metadata"]["generation"], 2);
  EXPECT_EQ(api.get(kAlpha + "/web").body["spec"]["updateStrategy"], Json({{"type", "InPlaceOnly"}, {"partition", 1}}));
}

TEST(Conversion, AReadWrittenBackChangesNothing) {
  Served api;
  Json old = clone_set("v1alpha1", kOld);
  old["spec"]["scaleStrategy"]["disablePVCReuse"] = false;  // said, so that nothing is left to spell out
  ASSERT_EQ(api.post(kAlpha, old).code, 201);
  const auto before = api.get(kAlpha + "/web").body;
  for (const auto& body : {api.get(kBeta + "/web").body}) {
    const auto written = api.put(kBeta + "/web", body);
    ASSERT_EQ(written.code, 200) << written.body;
  }
  EXPECT_EQ(api.get(kAlpha + "/web").body, before);
}

TEST(Conversion, StatusAndScaleGoThroughEitherVersion) {
  Served api;
  ASSERT_EQ(api.post(kAlpha, clone_set("v1alpha1", kOld)).code, 201);
  ASSERT_EQ(api.merge(kBeta + "/web/scale", {{"spec", {{"replicas", 7}}}}).body["spec"]["replicas"], 7);
  const Json counts = {
      {"replicas", 7}, {"readyReplicas", 7}, {"availableReplicas", 7}, {"updatedReplicas", 7}, {"updatedReadyReplicas", 7}};
  ASSERT_EQ(api.merge(kBeta + "/web/status", {{"status", counts}}).code, 200);
  const auto now = api.get(kAlpha + "/web").body;
  EXPECT_EQ(now["spec"]["replicas"], 7);
  EXPECT_EQ(now["spec"]["updateStrategy"], kOld);
  EXPECT_EQ(now["status"]["replicas"], 7);
}

TEST(Conversion, TheSchemaOfTheVersionIsHeldUp) {
  Served api;
  const auto refused = api.post(kBeta, clone_set("v1beta1", {{"rollingUpdate", {{"partition", true}}}}));
  EXPECT_EQ(refused.code, 422);
  EXPECT_THAT(refused.body["message"].get<std::string>(), HasSubstr("spec.updateStrategy.rollingUpdate.partition"));
  const auto strange = api.call("POST", kBeta + "?fieldValidation=Strict", clone_set("v1beta1", kOld).dump());
  EXPECT_THAT(strange.body["message"].get<std::string>(), HasSubstr("unknown field \"spec.updateStrategy.partition\""));
}

TEST(Conversion, DryRunsShowTheVersionToo) {
  Served api;
  const auto made = api.post(kBeta + "?dryRun=All", clone_set("v1beta1", {{"type", "OnDelete"}}));
  ASSERT_EQ(made.code, 201);
  EXPECT_EQ(made.body["apiVersion"], "apps.kruise.io/v1beta1");
  EXPECT_EQ(made.body["spec"]["updateStrategy"]["type"], "OnDelete");
  EXPECT_EQ(api.get(kAlpha + "/web").code, 404);
}

}  // namespace
}  // namespace kruise::cluster::testing
