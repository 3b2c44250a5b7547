#include <gmock/gmock.h>

#include "api.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Verbs, CreateFillsInWhatTheServerOwns) {
  Api api;
  const auto made = api.post(kPods, pod("a"));
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["metadata"]["namespace"], "default");
  EXPECT_EQ(made.body["metadata"]["creationTimestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(made.body["metadata"]["uid"].get<std::string>().size(), 36U);
  EXPECT_EQ(made.body["status"]["phase"], "Pending");
  EXPECT_EQ(made.body["spec"]["restartPolicy"], "Always");
  EXPECT_EQ(made.body["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
  EXPECT_EQ(api.post(kPods, pod("a")).body["reason"], "AlreadyExists");
  EXPECT_EQ(api.post("/api/v1/namespaces/nope/pods", pod("a")).body["message"], "namespaces \"nope\" not found");
}

TEST(Verbs, GenerateNameGivesFreshNames) {
  Api api;
  Json wanted = pod("");
  wanted["metadata"] = {{"generateName", "web-"}};
  const auto a = api.post(kPods, wanted).body["metadata"]["name"].get<std::string>();
  const auto b = api.post(kPods, wanted).body["metadata"]["name"].get<std::string>();
  EXPECT_NE(a, b);
  EXPECT_THAT(a, HasSubstr("web-"));
  EXPECT_EQ(a.size(), 9U);
}

TEST(Verbs, StaleUpdatesConflictAndNothingChanges) {
  Api api;
  const auto first = api.post(kConfigMaps, configmap("c", {{"k", "1"}}));
  Json body = first.body;
  body["data"]["k"] = "2";
  const auto second = api.put(kConfigMaps + "/c", body);
  ASSERT_EQ(second.code, 200);
  body["data"]["k"] = "3";
  const auto stale = api.put(kConfigMaps + "/c", body);
  EXPECT_EQ(stale.code, 409);
  EXPECT_EQ(stale.body["message"],
            "Operation cannot be fulfilled on configmaps \"c\": the object has been modified; please apply your changes to the "
            "latest version and try again");
  EXPECT_EQ(api.get(kConfigMaps + "/c").body["data"]["k"], "2");
  body["metadata"].erase("resourceVersion");
  EXPECT_EQ(api.put(kConfigMaps + "/c", body).code, 200);
}

TEST(Verbs, WritesThatChangeNothingKeepTheVersion) {
  Api api;
  const auto made = api.post(kConfigMaps, configmap("c", {{"k", "1"}}));
  EXPECT_EQ(api.put(kConfigMaps + "/c", made.body).version(), made.version());
  EXPECT_EQ(api.merge(kConfigMaps + "/c", {{"data", {{"k", "1"}}}}).version(), made.version());
  EXPECT_NE(api.merge(kConfigMaps + "/c", {{"data", {{"k", "2"}}}}).version(), made.version());
}

TEST(Verbs, PatchTypes) {
  Api api;
  api.post(kPods, pod("a"));
  const auto strategic =
      api.strategic(kPods + "/a", {{"spec", {{"containers", Json::array({{{"name", "main"}, {"image", "nginx:2"}}})}}}});
  ASSERT_EQ(strategic.code, 200) << strategic.body;
  EXPECT_EQ(strategic.body["spec"]["containers"][0]["image"], "nginx:2");
  EXPECT_EQ(strategic.body["metadata"]["generation"], 2);
  const auto failed =
      api.json_patch(kPods + "/a", Json::array({{{"op", "test"}, {"path", "/spec/containers/0/image"}, {"value", "x"}}}));
  EXPECT_EQ(failed.code, 422);
  EXPECT_EQ(failed.body["reason"], "Invalid");
  EXPECT_EQ(api.json_patch(kPods + "/a", {{"op", "test"}}).code, 400);
  EXPECT_EQ(api.call("PATCH", kPods + "/a", "{}", "text/plain").code, 415);
  EXPECT_EQ(api.merge(kPods + "/a", {{"metadata", {{"resourceVersion", "1"}}}}).code, 409);
  EXPECT_EQ(api.merge(kPods + "/nope", Json::object()).code, 404);
}

TEST(Verbs, PodUpdatesMayOnlyChangeWhatARunningPodCan) {
  Api api;
  api.post(kPods, pod("a"));
  const auto refused = api.merge(kPods + "/a", {{"spec", {{"hostNetwork", true}}}});
  EXPECT_EQ(refused.code, 422);
  EXPECT_THAT(refused.body["message"].get<std::string>(),
              HasSubstr("Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than"));
}

TEST(Verbs, StatusIsApart) {
  Api api;
  api.post(kPods, pod("a"));
  const auto by_object = api.merge(kPods + "/a", {{"status", {{"phase", "Running"}}}});
  EXPECT_EQ(by_object.body["status"]["phase"], "Pending");
  const auto by_status =
      api.merge(kPods + "/a/status",
                {{"status", {{"phase", "Running"}}}, {"metadata", {{"labels", {{"x", "y"}}}}}, {"spec", {{"hostname", "z"}}}});
  ASSERT_EQ(by_status.code, 200) << by_status.body;
  EXPECT_EQ(by_status.body["status"]["phase"], "Running");
  EXPECT_EQ(by_status.body["metadata"]["labels"]["x"], "y");
  EXPECT_FALSE(by_status.body["spec"].contains("hostname"));
  EXPECT_EQ(by_status.body["metadata"]["generation"], 1);
}

TEST(Verbs, PodsAreDeletedGracefullyOnceTheyHaveANode) {
  Api api;
  api.post(kPods, pod("a"));
  EXPECT_EQ(api.remove(kPods + "/a").code, 200);
  EXPECT_EQ(api.get(kPods + "/a").code, 404);

  api.post(kPods, pod("b"));
  ASSERT_EQ(api.post(kPods + "/b/binding", {{"target", {{"kind", "Node"}, {"name", "n1"}}}}).code, 201);
  EXPECT_EQ(api.get(kPods + "/b").body["spec"]["nodeName"], "n1");
  const auto marked = api.remove(kPods + "/b");
  EXPECT_EQ(marked.body["metadata"]["deletionGracePeriodSeconds"], 30);
  EXPECT_EQ(marked.body["metadata"]["deletionTimestamp"], "2023-11-14T22:13:50Z");
  EXPECT_EQ(api.remove(kPods + "/b", {{"gracePeriodSeconds", 0}}).code, 200);
  EXPECT_EQ(api.get(kPods + "/b").code, 404);
}

TEST(Verbs, FinalizersHoldAnObjectUntilTheLastIsGone) {
  Api api;
  Json wanted = configmap("c");
  wanted["metadata"]["finalizers"] = Json::array({"example.com/a"});
  api.post(kConfigMaps, wanted);
  EXPECT_TRUE(api.remove(kConfigMaps + "/c").body["metadata"].contains("deletionTimestamp"));
  EXPECT_EQ(api.merge(kConfigMaps + "/c", {{"metadata", {{"finalizers", Json::array({"example.com/a", "example.com/b"})}}}}).code,
            422);
  EXPECT_EQ(api.merge(kConfigMaps + "/c", {{"metadata", {{"finalizers", nullptr}}}}).code, 200);
  EXPECT_EQ(api.get(kConfigMaps + "/c").code, 404);
}

TEST(Verbs, DeletionPreconditions) {
  Api api;
  const auto made = api.post(kConfigMaps, configmap("c"));
  EXPECT_EQ(api.remove(kConfigMaps + "/c", {{"preconditions", {{"uid", "other"}}}}).code, 409);
  EXPECT_EQ(api.remove(kConfigMaps + "/c", {{"preconditions", {{"resourceVersion", "1"}}}}).code, 409);
  EXPECT_EQ(api.remove(kConfigMaps + "/c", {{"preconditions", {{"uid", made.body["metadata"]["uid"]}}}}).code, 200);
}

TEST(Verbs, DryRunStoresNothing) {
  Api api;
  EXPECT_EQ(api.post(kPods + "?dryRun=All", pod("a")).code, 201);
  EXPECT_EQ(api.get(kPods + "/a").code, 404);
  const auto made = api.post(kPods, pod("a"));
  EXPECT_EQ(api.merge(kPods + "/a?dryRun=All", {{"metadata", {{"labels", {{"x", "y"}}}}}}).body["metadata"]["labels"]["x"], "y");
  EXPECT_EQ(api.get(kPods + "/a").version(), made.version());
  EXPECT_EQ(api.remove(kPods + "/a?dryRun=All").code, 200);
  EXPECT_EQ(api.get(kPods + "/a").code, 200);
}

TEST(Verbs, ListsBySelectorAndPage) {
  Api api;
  for (const char* name : {"a", "b", "c", "d"}) api.post(kPods, pod(name, "nginx:1", {{"odd", name[0] % 2 == 1 ? "yes" : "no"}}));
  const auto names = [&](const std::string& query) {
    std::vector<std::string> out;
    const auto list = api.get(kPods + query);
    for (const auto& item : list.body["items"]) out.push_back(item["metadata"]["name"]);
    return out;
  };
  EXPECT_THAT(names("?labelSelector=odd%3Dyes"), ElementsAre("a", "c"));
  EXPECT_THAT(names("?fieldSelector=metadata.name%3Db"), ElementsAre("b"));
  EXPECT_THAT(names("?fieldSelector=status.phase%3DRunning"), ElementsAre());
  EXPECT_EQ(api.get(kPods + "?fieldSelector=spec.foo%3Db").code, 400);

  const auto page = api.get(kPods + "?limit=2");
  EXPECT_EQ(page.body["metadata"]["remainingItemCount"], 2);
  api.remove(kPods + "/c");
  api.post(kPods, pod("bb"));
  const auto rest = api.get(kPods + "?limit=2&continue=" + page.body["metadata"]["continue"].get<std::string>());
  ASSERT_EQ(rest.body["items"].size(), 2U) << "a continued list shows the state it began with";
  EXPECT_EQ(rest.body["items"][0]["metadata"]["name"], "c");
  EXPECT_EQ(rest.version(), page.version());
}

TEST(Verbs, UnknownFieldsByPolicy) {
  Api api;
  Json wanted = pod("a");
  wanted["spec"]["foo"] = 1;
  const auto strict = api.post(kPods + "?fieldValidation=Strict", wanted);
  EXPECT_EQ(strict.code, 400);
  EXPECT_THAT(strict.body["message"].get<std::string>(), HasSubstr("strict decoding error: unknown field \"spec.foo\""));
  const auto warned = api.post(kPods, wanted);
  EXPECT_EQ(warned.code, 201);
  EXPECT_THAT(warned.warnings, ElementsAre("unknown field \"spec.foo\""));
  EXPECT_FALSE(warned.body["spec"].contains("foo"));
}

TEST(Verbs, TokenOfAServiceAccount) {
  Api api;
  const std::string accounts = "/api/v1/namespaces/default/serviceaccounts";
  const auto account = api.post(accounts, {{"metadata", {{"name", "robot"}}}});
  const auto made = api.post(accounts + "/robot/token", {{"spec", {{"expirationSeconds", 7200}}}});
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["kind"], "TokenRequest");
  EXPECT_EQ(made.body["metadata"]["uid"], account.body["metadata"]["uid"]);
  EXPECT_EQ(made.body["spec"]["audiences"], Json::array({"https://kubernetes.default.svc"}));
  EXPECT_EQ(made.body["status"]["expirationTimestamp"], "2023-11-15T00:13:20Z");
  const std::string token = made.body["status"]["token"];
  EXPECT_TRUE(token.starts_with("eyJ") && token.ends_with('.')) << token;
  EXPECT_EQ(token.find_first_of("+/="), std::string::npos) << token;
  EXPECT_EQ(api.post(accounts + "/robot/token",
                     {{"spec", {{"boundObjectRef", {{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "p"}}}}}})
                .code,
            404);
  ASSERT_EQ(api.post(kPods, pod("p")).code, 201);
  EXPECT_EQ(api.post(accounts + "/robot/token",
                     {{"spec", {{"boundObjectRef", {{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "p"}}}}}})
                .code,
            201);
}

TEST(Verbs, ScaleOfADeployment) {
  Api api;
  const Json body = {{"apiVersion", "apps/v1"},
                     {"kind", "Deployment"},
                     {"metadata", {{"name", "d"}}},
                     {"spec",
                      {{"selector", {{"matchLabels", {{"a", "b"}}}}},
                       {"template", {{"metadata", {{"labels", {{"a", "b"}}}}}, {"spec", pod("x")["spec"]}}}}}};
  const std::string path = "/apis/apps/v1/namespaces/default/deployments";
  const auto made = api.post(path, body);
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["spec"]["replicas"], 1);
  EXPECT_EQ(made.body["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
  const auto scaled = api.merge(path + "/d/scale", {{"spec", {{"replicas", 5}}}});
  EXPECT_EQ(scaled.body["spec"]["replicas"], 5);
  EXPECT_EQ(scaled.body["status"]["selector"], "a=b");
  EXPECT_EQ(api.get(path + "/d").body["metadata"]["generation"], 2);
}

}  // namespace
}  // namespace kruise::cluster::testing
