// Who sets KruisePodReady (CloneSet §18.4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"
#include "controllers/podreadiness/reconciler.hpp"

namespace kruise::controllers::podreadiness {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::ElementsAre;

PodBuilder gated(PodBuilder p) {
  p.fields.readiness_gates.emplace_back(api::kConditionKruisePodReady);
  return p;
}

struct Case {
  const char* what;
  PodBuilder pod;
  bool is_set;
};

TEST(PodReadinessTest, Table) {
  auto new_member = gated(member("web", "aaaaa", "web-1")).drop_condition(api::kConditionInPlaceUpdateReady);
  auto of_another = new_member;
  of_another.fields.meta.owners[0].api_version = "apps/v1";
  auto without_own_gate = gated(member("web", "aaaaa", "web-1").no_gate());
  const Case cases[] = {
      {"a pod of nobody", gated(pod("lone").no_gate()), true},
      {"one without the gate", pod("lone").no_gate(), false},
      {"one that has the condition", gated(pod("lone")).condition(api::kConditionKruisePodReady, api::Tristate::kTrue), false},
      {"one that is held back", gated(pod("lone")).condition(api::kConditionKruisePodReady, api::Tristate::kFalse), false},
      {"one on its way out", gated(pod("lone")).terminating(), false},
      {"a workload's own condition is still to come: both are one write", new_member, false},
      {"that condition is there already", gated(member("web", "aaaaa", "web-1")), true},
      {"a workload that has no condition of its own", without_own_gate, true},
      {"another group's workload", of_another, true},
  };
  for (const auto& c : cases) {
    const auto next = plan(*c.pod.ptr(), {.now = at(0)});
    EXPECT_EQ(!next.writes_nothing(), c.is_set) << c.what;
    if (next.steps.empty()) continue;
    const auto& write = next.steps.at(0).chains.at(0).at(0);
    EXPECT_EQ(write.subresource, "status") << c.what;
    EXPECT_EQ(write.resource_version, "100") << c.what;
    EXPECT_EQ(json::parse(write.body)["status"]["conditions"],
              json::parse(R"([{"type":"KruisePodReady","status":"True","lastTransitionTime":"2021-03-01T08:00:00Z"}])"))
        << c.what;
  }
}

TEST(PodReadinessTest, NamesThePodsThatLackItAndNoOthers) {
  cache::Store<api::Pod> pods;
  std::vector<std::string> keys;
  std::vector<runtime::Cause> causes;
  watch(pods, [&](const api::Key& key, runtime::Cause cause) {
    keys.push_back(key.text());
    causes.push_back(cause);
  });
  pods.list_item(gated(pod("listed")).ptr(), 1);
  pods.list_item(pod("other").ptr(), 1);
  pods.end_list(100);
  pods.put(gated(pod("new")).version("101").ptr(), 1);
  pods.put(pod("plain").version("102").ptr(), 1);
  EXPECT_THAT(keys, ElementsAre("default/listed", "default/new"));
  EXPECT_THAT(causes, ElementsAre(runtime::Cause::kResync, runtime::Cause::kChange));

  PodReadinessReconciler reconciler(pods);
  EXPECT_TRUE(reconciler.observe({"default", "new"}));
  EXPECT_FALSE(reconciler.observe({"default", "plain"}));
  EXPECT_FALSE(reconciler.observe({"default", "gone"}));
  EXPECT_EQ(reconciler.reference({"default", "new"}).uid, "uid-new");
  // What is there already when one begins to look.
  keys.clear();
  watch(pods, [&](const api::Key& key, runtime::Cause) { keys.push_back(key.text()); });
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre("default/listed", "default/new"));
}

// CloneSet §26, Writes: the second write of a new pod says both.
TEST(PodReadinessTest, AWorkloadSetsItWithItsOwnCondition) {
  World world(clone_set().replicas(1));
  world.new_pods(1, [](PodBuilder& p) {
    p = gated(p).drop_condition(api::kConditionInPlaceUpdateReady).state(api::kLifecyclePreparingNormal);
  });
  const auto next = world.plan();
  ASSERT_EQ(lines(next).size(), 1U);
  const json patch = json::parse(next.steps[0].chains[0][0].body);
  ASSERT_EQ(patch["status"]["conditions"].size(), 2U);
  EXPECT_EQ(patch["status"]["conditions"][0]["type"], "InPlaceUpdateReady");
  EXPECT_EQ(patch["status"]["conditions"][1]["type"], "KruisePodReady");
  EXPECT_EQ(patch["status"]["conditions"][1]["status"], "True");
  EXPECT_EQ(patch["metadata"]["labels"][std::string(api::kLabelLifecycleState)], "Normal");
}

}  // namespace
}  // namespace kruise::controllers::podreadiness
