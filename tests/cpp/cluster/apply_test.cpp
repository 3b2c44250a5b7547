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

}  // namespace
}  // namespace kruise::cluster::testing
