// What a client may send wrongly, and what the answer names. The words themselves are held against the original by
// tests/conformance.
#include <gmock/gmock.h>

#include "api.hpp"
#include "cluster/base64.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::HasSubstr;

TEST(Base64, NamesTheFirstWrongByteAsGoCounts) {
  struct Case {
    std::string text;
    std::optional<std::size_t> fault;
  };
  for (const auto& c : std::vector<Case>{{"", {}},
                                         {"AAAA", {}},
                                         {"AA==", {}},
                                         {"AAA=", {}},
                                         {"AA\r\nAA\n", {}},
                                         {"%%", 0},
                                         {"AAA%", 3},
                                         {"A", 0},
                                         {"AAAAAA", 4},
                                         {"=AAA", 0},
                                         {"AA=A", 2},
                                         {"AA=", 3},
                                         {"AA==A", 4}}) {
    EXPECT_EQ(base64_fault(c.text), c.fault) << c.text;
  }
}

Json pod_with(const Json& resources) {
  Json body = pod("p");
  body["spec"]["containers"][0]["resources"] = resources;
  return body;
}

TEST(Refusals, QuantitiesAreReadWhereverTheTypeSaysSo) {
  Api api;
  EXPECT_EQ(api.post(kPods, pod_with({{"requests", {{"cpu", "much"}}}})).code, 400);
  EXPECT_THAT(api.post(kPods, pod_with({{"requests", {{"cpu", "1kk"}}}})).body["message"].get<std::string>(),
              HasSubstr("unable to parse quantity's suffix"));
  Json volume = pod("p");
  volume["spec"]["volumes"] = Json::array({{{"name", "v"}, {"emptyDir", {{"sizeLimit", "big"}}}}});
  EXPECT_EQ(api.post(kPods, volume).code, 400);

  const auto made = api.post(kPods, pod_with({{"requests", {{"cpu", 0.5}, {"memory", "1024Mi"}}}}));
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["spec"]["containers"][0]["resources"]["requests"], Json({{"cpu", "500m"}, {"memory", "1Gi"}}));
}

TEST(Refusals, RequestsStayWithinLimits) {
  struct Case {
    Json requests;
    Json limits;
    int code;
  };
  for (const auto& c : std::vector<Case>{{{{"cpu", "2"}}, {{"cpu", "1"}}, 422},
                                         {{{"cpu", "1000m"}}, {{"cpu", "1"}}, 201},
                                         {{{"memory", "1Gi"}}, {{"memory", "1G"}}, 422},
                                         {{{"example.com/gpu", "1"}}, {{"example.com/gpu", "2"}}, 422},
                                         {{{"cpu", "-1"}}, Json::object(), 422}}) {
    Api api;
    EXPECT_EQ(api.post(kPods, pod_with({{"requests", c.requests}, {"limits", c.limits}})).code, c.code) << c.requests;
  }
}

TEST(Refusals, QueriesOfWritesAreJudgedFirst) {
  Api api;
  for (const std::string query : {"?dryRun=Some", "?fieldValidation=Loose", "?force=true"}) {
    const bool patch = query == "?force=true";
    const auto answer =
        patch ? api.merge(kConfigMaps + "/none" + query, Json::object()) : api.post(kConfigMaps + query, configmap("c"));
    EXPECT_EQ(answer.code, 422) << query;
    EXPECT_EQ(answer.body["details"]["kind"], patch ? "PatchOptions" : "CreateOptions");
  }
  EXPECT_EQ(api.get(kConfigMaps + "/c").code, 404);
}

TEST(Refusals, PartsOfPodsAreNamed) {
  struct Case {
    std::string container;  // members of the only container
    std::string spec;       // members of the spec
    std::string field;      // of the first cause; empty: accepted
  };
  for (const auto& c :
       std::vector<Case>{{R"({"livenessProbe":{}})", "{}", "spec.containers[0].livenessProbe"},
                         {R"({"readinessProbe":{"httpGet":{"port":0}}})", "{}", "spec.containers[0].readinessProbe.httpGet.port"},
                         {R"({"startupProbe":{"tcpSocket":{"port":"web"}}})", "{}", ""},
                         {R"({"lifecycle":{"preStop":{"sleep":{"seconds":1}}}})", "{}", ""},
                         {R"({"env":[{"name":"a=b"}]})", "{}", "spec.containers[0].env[0].name"},
                         {R"({"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['a']"}}}]})", "{}", ""},
                         {R"({"resources":{"limits":{"things":"1"}}})", "{}", "spec.containers[0].resources.limits[things]"},
                         {"{}", R"({"volumes":[{"name":"v","configMap":{}}]})", "spec.volumes[0].configMap.name"},
                         {"{}", R"({"tolerations":[{"operator":"Exists"}]})", ""},
                         {"{}", R"({"tolerations":[{"operator":"Exists","value":"x"}]})", "spec.tolerations[0].operator"},
                         {"{}", R"({"readinessGates":[{"conditionType":"a b"}]})", "spec.readinessGates[0].conditionType"},
                         {"{}", R"({"terminationGracePeriodSeconds":-1})", ""}}) {
    Api api;
    Json body = pod("p");
    body["spec"].update(Json::parse(c.spec));
    body["spec"]["containers"][0].update(Json::parse(c.container));
    const auto answer = api.post(kPods, body);
    if (c.field.empty()) {
      EXPECT_EQ(answer.code, 201) << answer.body;
    } else {
      ASSERT_EQ(answer.code, 422) << answer.body;
      EXPECT_EQ(answer.body["details"]["causes"][0]["field"], c.field);
    }
  }
}

TEST(Refusals, KeysOfDataAreFileNames) {
  for (const auto& [key, code] : {std::pair{"a.b-c_D", 201}, {"a b", 422}, {"..", 422}, {"..a", 422}, {"a/b", 422}}) {
    Api api;
    EXPECT_EQ(api.post(kConfigMaps, configmap("c", {{key, "1"}})).code, code) << key;
  }
}

TEST(Claims, StayWhileTheirFinalizerIsOnThem) {
  Api api;
  const std::string claims = "/api/v1/namespaces/default/persistentvolumeclaims";
  const Json claim = {{"metadata", {{"name", "c"}}},
                      {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}};
  ASSERT_EQ(api.post(claims, claim).body["metadata"]["finalizers"], Json::array({"kubernetes.io/pvc-protection"}));
  EXPECT_TRUE(api.remove(claims + "/c").body["metadata"].contains("deletionTimestamp"));
  const auto held = api.get(claims + "/c");
  ASSERT_EQ(held.code, 200);

  // Who takes the last finalizer sees what he wrote under the version that was there; watches see one event, of a version of its
  // own.
  const auto watch = api.watch(claims + "?watch=1&resourceVersion=" + held.version());
  const auto gone = api.merge(claims + "/c", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(gone.version(), held.version());
  EXPECT_EQ(api.get(claims + "/c").code, 404);
  EXPECT_EQ(drain(*watch), std::vector<std::string>{"DELETED c"});
}

}  // namespace
}  // namespace kruise::cluster::testing
