// The whole plan on small worlds: what is written, in which order, how often, and why not.
#include "controllers/cloneset/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

json body(const runtime::Write& write) { return json::parse(write.body); }
json status(const runtime::Plan& plan) { return plan.status ? body(*plan.status)["status"] : json(); }

TEST(PlanTest, ANewSetGetsItsRevisionThenItsPods) {
  const auto set = clone_set().replicas(3);
  const auto next = plan(set, {}, {.now = at(0), .random = base::Random(1)});
  ASSERT_THAT(next.steps, SizeIs(2));
  EXPECT_THAT(lines(next), ElementsAre(StartsWith("create revision web-"), StartsWith("create pod web-"),
                                       StartsWith("create pod web-"), StartsWith("create pod web-")));
  EXPECT_THAT(next.steps[1].chains, SizeIs(3));
  const json pod = body(next.steps[1].chains[0][0]);
  const std::string revision = next.steps[0].chains[0][0].key.name;
  EXPECT_EQ(pod["metadata"]["labels"]["controller-revision-hash"], revision);
  EXPECT_EQ(pod["metadata"]["labels"]["pod-template-hash"], revision.substr(4));
  EXPECT_EQ(pod["metadata"]["labels"]["lifecycle.apps.kruise.io/state"], "PreparingNormal");
  EXPECT_EQ(pod["metadata"]["generateName"], "web-");
  EXPECT_EQ(pod["metadata"]["name"],
            "web-" + pod["metadata"]["labels"]["apps.kruise.io/cloneset-instance-id"].get<std::string>());
  EXPECT_EQ(pod["metadata"]["ownerReferences"][0]["uid"], kSetUid);
  EXPECT_EQ(pod["spec"]["readinessGates"], json::parse(R"([{"conditionType":"InPlaceUpdateReady"}])"));
  EXPECT_EQ(status(next)["updateRevision"], revision);
  EXPECT_EQ(status(next)["currentRevision"], revision);
  EXPECT_EQ(status(next)["labelSelector"], "app=web");
  for (const char* count : {"replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "updatedReadyReplicas"}) {
    EXPECT_EQ(status(next)[count], 0) << count;
  }
  EXPECT_EQ(status(next)["expectedUpdatedReplicas"], 3);
}

TEST(PlanTest, TheSameSeedDrawsTheSameNames) {
  const auto set = clone_set().replicas(3);
  const auto draw = [&](std::uint64_t seed) { return lines(plan(set, {}, {.now = at(0), .random = base::Random(seed)})); };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(PlanTest, UpdatesInPlaceWithinTheBudget) {
  World world(clone_set().replicas(5).in_place().max_unavailable(2));
  world.old_pods(5);
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "patch pod/status"), 2);
  EXPECT_EQ(writes(next, "patch pod web"), 2);
  EXPECT_THAT(lines(next), SizeIs(4));
  EXPECT_THAT(reasons(next), HasSubstr("held: maxUnavailable 2/2 used"));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
