#include <gmock/gmock.h>

#include "api.hpp"

namespace kruise::cluster::testing {
namespace {

Answer apply(Api& api, const Json& config, const std::string& manager, bool force = false) {
  const std::string name = config.at("metadata").at("name");
  return api.call("PATCH", kConfigMaps + "/" + name + "?fieldManager=" + manager + (force ? "&force=true" : ""), config.dump(),
                  "application/apply-patch+yaml");
}

TEST(Apply, CreatesThenChangesNothingWhenRepeated) {
  Api api;
  const auto made = apply(api, configmap("c", {{"a", "1"}}), "me");
  ASSERT_EQ(made.code, 201) << made.body;
  EXPECT_EQ(made.body["metadata"]["managedFields"][0]["fieldsV1"], (Json{{"f:data", {{"f:a", Json::object()}}}}));
  const auto again = apply(api, configmap("c", {{"a", "1"}}), "me");
  EXPECT_EQ(again.code, 200);
  EXPECT_EQ(again.version(), made.version());
}

TEST(Apply, RemovesWhatItsManagerNoLongerNames) {
  Api api;
  apply(api, configmap("c", {{"a", "1"}, {"b", "2"}}), "me");
  api.merge(kConfigMaps + "/c", {{"data", {{"z", "other"}}}});
  const auto fewer = apply(api, configmap("c", {{"a", "1"}}), "me");
  EXPECT_EQ(fewer.body["data"], (Json{{"a", "1"}, {"z", "other"}}));
}

TEST(Apply, ConflictsUnlessForced) {
  Api api;
  apply(api, configmap("c", {{"a", "1"}}), "me");
  const auto refused = apply(api, configmap("c", {{"a", "2"}}), "you");
  EXPECT_EQ(refused.code, 409);
  EXPECT_EQ(refused.body["message"], "Apply failed with 1 conflict: conflict with \"me\": .data.a");
  EXPECT_EQ(refused.body["details"]["causes"][0]["reason"], "FieldManagerConflict");
  EXPECT_EQ(apply(api, configmap("c", {{"a", "1"}}), "you").code, 200) << "the same value is shared";
  const auto forced = apply(api, configmap("c", {{"a", "3"}}), "you", true);
  EXPECT_EQ(forced.body["data"]["a"], "3");
  EXPECT_EQ(forced.body["metadata"]["managedFields"].size(), 1U);
}

TEST(Apply, ListsMergeByKey) {
  Api api;
  Json config = pod("a");
  config["metadata"].erase("labels");
  const auto made = api.call("PATCH", kPods + "/a?fieldManager=me", config.dump(), "application/apply-patch+yaml");
  ASSERT_EQ(made.code, 201) << made.body;
  config["spec"]["containers"][0]["image"] = "nginx:2";
  const auto changed = api.call("PATCH", kPods + "/a?fieldManager=me", config.dump(), "application/apply-patch+yaml");
  ASSERT_EQ(changed.code, 200) << changed.body;
  EXPECT_EQ(changed.body["spec"]["containers"][0]["image"], "nginx:2");
  EXPECT_EQ(changed.body["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
  EXPECT_EQ(api.call("PATCH", kPods + "/a", config.dump(), "application/apply-patch+yaml").code, 422) << "a manager is required";
}

/// The fields that a manager owns, as text; "nothing" when it has no entry.
std::string owned(const Json& object, const std::string& manager) {
  for (const Json& entry : object["metadata"].value("managedFields", Json::array())) {
    if (entry["manager"] == manager) return entry["fieldsV1"].dump();
  }
  return "nothing";
}

TEST(Owners, EveryWriteIsTracked) {
  Api api;
  const auto made = api.call("POST", kConfigMaps + "?fieldManager=maker", configmap("c", {{"a", "1"}}).dump());
  EXPECT_EQ(owned(made.body, "maker"), R"({"f:data":{".":{},"f:a":{}}})");
  const auto merged = api.merge(kConfigMaps + "/c", {{"data", {{"a", "2"}}}});
  EXPECT_EQ(owned(merged.body, "test"), R"({"f:data":{"f:a":{}}})") << "who gives no name is known by its program";
  EXPECT_EQ(owned(merged.body, "maker"), R"({"f:data":{}})");
  EXPECT_EQ(owned(api.get(kConfigMaps + "/c").body, "test"), owned(merged.body, "test"));
}

TEST(Owners, AWriteThatChangesNothingMakesNoVersion) {
  Api api;
  const auto made = api.post(kConfigMaps, configmap("c", {{"a", "1"}}));
  api.loop.run_for(std::chrono::seconds(5));
  EXPECT_EQ(api.merge(kConfigMaps + "/c", {{"data", {{"a", "1"}}}}).version(), made.version());
  EXPECT_EQ(api.put(kConfigMaps + "/c", made.body).version(), made.version()) << "managedFields sent back";
}

TEST(Owners, AreForgottenWhenAClientAsks) {
  Api api;
  api.post(kConfigMaps, configmap("c", {{"a", "1"}}));
  const auto reset = api.merge(kConfigMaps + "/c", {{"metadata", {{"managedFields", Json::array({Json::object()})}}}});
  EXPECT_FALSE(reset.body["metadata"].contains("managedFields"));
  const auto written = api.merge(kConfigMaps + "/c", {{"data", {{"b", "1"}}}});
  EXPECT_FALSE(written.body["metadata"].contains("managedFields")) << "nobody is tracked until somebody applies";
}

TEST(Owners, OfAStatusAreApart) {
  Api api;
  api.post(kPods, pod("p"));
  const auto status = api.call("PATCH", kPods + "/p/status?fieldManager=kubelet", R"({"status":{"phase":"Running"}})",
                               "application/merge-patch+json");
  for (const Json& entry : status.body["metadata"]["managedFields"]) {
    if (entry["manager"] == "kubelet") {
      EXPECT_EQ(entry["subresource"], "status");
    }
  }
  EXPECT_EQ(owned(status.body, "kubelet"), R"({"f:status":{"f:phase":{}}})");
}

TEST(Owners, MoveWithTheCount) {
  Api api;
  const std::string path = "/apis/apps/v1/namespaces/default/deployments";
  const Json body = {{"metadata", {{"name", "d"}}},
                     {"spec",
                      {{"replicas", 1},
                       {"selector", {{"matchLabels", {{"a", "b"}}}}},
                       {"template", {{"metadata", {{"labels", {{"a", "b"}}}}}, {"spec", pod("x")["spec"]}}}}}};
  ASSERT_EQ(api.post(path, body).code, 201);
  api.call("PATCH", path + "/d/scale?fieldManager=scaler", R"({"spec":{"replicas":3}})", "application/merge-patch+json");
  const auto scaled = api.get(path + "/d");
  EXPECT_EQ(owned(scaled.body, "scaler"), R"({"f:spec":{"f:replicas":{}}})");
  EXPECT_EQ(owned(scaled.body, "test").find("f:replicas"), std::string::npos);
}

}  // namespace
}  // namespace kruise::cluster::testing
