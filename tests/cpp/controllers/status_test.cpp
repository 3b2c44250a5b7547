#include "controllers/cloneset/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "client/error.hpp"
#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kNotReady = [](PodBuilder& p) { p.not_ready(); };

json status(const World& world, std::int64_t at_s = 0) {
  const auto plan = world.plan(at_s);
  return plan.status ? json::parse(plan.status->body)["status"] : json();
}

/// Makes the world's status what its plan wants.
void accept(World& world, const runtime::Write& write) {
  json object;
  object["metadata"]["name"] = "web";
  object["status"] = json::parse(write.body)["status"];
  world.set.set.status = api::decode<api::CloneSet>(object.dump()).status;
}

TEST(StatusTest, CountsPodsAsTheyAre) {
  World world(clone_set().replicas(7).partition(3).min_ready(10).paused());
  world.old_pods(2).old_pods(1, kNotReady).new_pods(1).new_pods(1, [](PodBuilder& p) { p.ready(-5); });
  world.new_pods(1, [](PodBuilder& p) { p.state(api::kLifecycleUpdated); }).new_pods(1, kNotReady);
  world.add(member("web", "gone1", world.new_revision).terminating())
      .add(member("web", "fail1", world.new_revision).phase(api::PodPhase::kFailed));
  const json s = status(world);
  EXPECT_EQ(s["replicas"], 7);
  EXPECT_EQ(s["readyReplicas"], 5);
  EXPECT_EQ(s["availableReplicas"], 3);  // not the young one, nor the one that waits for its hook
  EXPECT_EQ(s["updatedReplicas"], 4);
  EXPECT_EQ(s["updatedReadyReplicas"], 3);
  EXPECT_EQ(s["updatedAvailableReplicas"], 1);
  EXPECT_EQ(s["expectedUpdatedReplicas"], 4);
  EXPECT_EQ(s["currentRevision"], world.old_revision);
  EXPECT_EQ(s["updateRevision"], world.new_revision);
  EXPECT_EQ(s["observedGeneration"], 1);
  EXPECT_EQ(s["labelSelector"], "app=web");
}

TEST(StatusTest, OnlyFiguresOfASetOnItsWayMayWait) {
  World base(clone_set().replicas(3));
  base.set.current(base.new_revision);
  World none = base;
  none.new_pods(3, kNotReady);
  EXPECT_FALSE(none.plan().status_may_wait);  // the first: nobody has been told anything yet
  accept(base, *none.plan().status);
  World some = base;
  some.new_pods(2, kNotReady).new_pods(1);
  EXPECT_TRUE(some.plan().status);
  EXPECT_TRUE(some.plan().status_may_wait);
  World all = base;
  all.new_pods(3);
  EXPECT_FALSE(all.plan().status_may_wait);
  accept(base, *all.plan().status);
  World broken = base;
  broken.new_pods(2).new_pods(1, kNotReady);
  EXPECT_TRUE(broken.plan().status);
  EXPECT_FALSE(broken.plan().status_may_wait);  // who looks at it now would take it for settled
  some.set.set.meta.generation = 2;
  EXPECT_FALSE(some.plan().status_may_wait);
}

// CloneSet §26, 1.0: one broken pod froze the current revision; 1.6.2: it moved while pods of the partition were owed.
TEST(StatusTest, CurrentRevisionMovesWhenAllAreUpdatedAndNoneIsOwed) {
  World all(clone_set().replicas(2));
  all.new_pods(1).new_pods(1, kNotReady);  // a broken pod does not freeze it
  EXPECT_EQ(status(all)["currentRevision"], all.new_revision);
  // With a partition, the last old pods lost, their replacements owed: it must not move.
  World owed(clone_set().replicas(3).partition(2));
  owed.new_pods(1);
  EXPECT_EQ(status(owed)["currentRevision"], owed.old_revision);
  const auto next = owed.plan();
  int old = 0;
  for (const auto& chain : next.steps.at(0).chains) {
    old += json::parse(chain.back().body)["metadata"]["labels"]["controller-revision-hash"] == owed.old_revision ? 1 : 0;
  }
  EXPECT_EQ(old, 2);
}

// CloneSet §25.14.
TEST(StatusTest, NoPodsMeansCurrentIsUpdate) {
  World world(clone_set().replicas(0));
  EXPECT_EQ(status(world)["currentRevision"], world.new_revision);
}

// CloneSet §26, 1.2: not written when only expectedUpdatedReplicas changed.
TEST(StatusTest, IsWrittenOnlyWhenSomethingButTimesDiffers) {
  World world(clone_set().replicas(2).paused());
  world.old_pods(2);
  accept(world, *world.plan().status);
  EXPECT_FALSE(world.plan().status);
  for (const auto& change : std::vector<std::function<void(api::CloneSetStatus&)>>{
           [](auto& s) { s.expected_updated_replicas = 1; }, [](auto& s) { s.updated_available_replicas = 1; },
           [](auto& s) { s.collision_count = 4; }, [](auto& s) { s.label_selector = ""; },
           [](auto& s) { s.observed_generation = 0; }, [](auto& s) { s.current_revision = "web-gone"; },
           [](auto& s) {
             s.conditions.push_back({.type = "FailedUpdate",
                                     .status = "True",
                                     .reason = "",
                                     .message = "x",
                                     .last_transition_time = {},
                                     .last_update_time = {}});
           }}) {
    World other = world;
    change(other.set.set.status);
    if (other.set.set.status.collision_count == 4) continue;  // counted on from, not corrected
    EXPECT_TRUE(other.plan().status);
  }
}

TEST(StatusTest, ZeroTakesAnEarlierCountAway) {
  World world(clone_set().replicas(1));
  world.old_pods(1);
  world.set.set.status.updated_available_replicas = 3;
  EXPECT_TRUE(status(world)["updatedAvailableReplicas"].is_null());
  EXPECT_EQ(status(world)["updatedReplicas"], 0);
}

// CloneSet §26, by reading: conditions were never cleared.
TEST(StatusTest, AFailedWriteBecomesTheConditionOfItsPhase) {
  World scaling(clone_set().replicas(2));
  client::ApiError quota{.code = 403, .reason = "Forbidden", .message = "exceeded quota"};
  const auto next = scaling.plan();
  ASSERT_TRUE(next.status_after_error);
  const auto failed = next.status_after_error(quota);
  EXPECT_THAT(failed->body, HasSubstr("FailedScale"));
  EXPECT_THAT(failed->body, HasSubstr("exceeded quota"));

  World updating(clone_set().replicas(1).in_place().max_unavailable(1));
  updating.old_pods(1);
  EXPECT_THAT(updating.plan().status_after_error(quota)->body, HasSubstr("FailedUpdate"));
  // Also a pod that the server does not accept.
  client::ApiError invalid{.code = 422, .reason = "Invalid", .message = "spec.containers[0].image: Required value"};
  EXPECT_THAT(scaling.plan().status_after_error(invalid)->body, HasSubstr("Required value"));
  // The same failure again writes nothing, and keeps the time at which it began.
  accept(updating, *updating.plan().status_after_error(quota));
  EXPECT_FALSE(updating.plan(60).status_after_error(quota));
  client::ApiError other{.code = 500, .reason = "InternalError", .message = "boom"};
  EXPECT_THAT(updating.plan(60).status_after_error(other)->body, HasSubstr(R"("lastTransitionTime":"2021-03-01T08:00:00Z")"));
  // A pass without it takes it away.
  EXPECT_TRUE(json::parse(updating.plan(60).status->body)["status"]["conditions"].is_null());
}

TEST(StatusTest, AnObjectThatIsGoneNeedsNoStatus) {
  World world(clone_set().replicas(1));
  const auto plan = world.plan();
  EXPECT_TRUE(plan.status->not_found_is_success);
  EXPECT_EQ(plan.status->uid, kSetUid);
  EXPECT_EQ(plan.status->subresource, "status");
  EXPECT_EQ(plan.status->patch_type, client::PatchType::kMerge);
}

// CloneSet §26, 0.5: pods that no longer match kept their owner.
TEST(OwnershipInPlanTest, ReleasesAndAdoptsBeforeAnythingElse) {
  World world(clone_set().replicas(4));
  world.old_pods(1).old_pods(1, [](PodBuilder& p) { p.label("app", "stray"); });
  auto orphan = member("web", "zzzzz", world.old_revision);
  orphan.fields.meta.owners = {owner_of("web", false)};
  world.add(orphan);
  EXPECT_THAT(lines(world.plan()), ElementsAre("patch pod web-aaaac: release", "patch pod web-zzzzz: adopt"));
  EXPECT_EQ(status(world)["replicas"], 2);  // the released one no longer counts
}

// CloneSet §25.11.
TEST(OwnershipInPlanTest, ClaimsOfAReleasedPodDoNotGiveItsNameAway) {
  World world(clone_set().replicas(2).claim_template("data"));
  world.old_pods(1);
  world.observed.claims = {claim("data-web-aaaab", "aaaab"), claim("data-web-stray", "stray")};
  world.observed.foreign_pods = {pod("web-stray").ptr()};
  EXPECT_EQ(writes(world.plan(), "create pod web-stray"), 0);
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
}

TEST(HistoryTest, RevisionsThatPodsAreAtStayLive) {
  World world(clone_set().replicas(1).paused());
  world.set.set.spec.revision_history_limit = 0;
  SetBuilder third = world.set;
  third.image("nginx:3");
  auto spare = std::make_shared<api::Revision>(*revision_of(third, 3));
  world.observed.revisions.insert(world.observed.revisions.begin(), spare);
  world.old_pods(1);
  const auto next = world.plan();
  // nginx:2 is wanted and is moved to the end; nginx:3 is nobody's.
  EXPECT_EQ(writes(next, "delete revision " + spare->meta.name), 1);
  EXPECT_EQ(writes(next, "delete revision"), 1);
  world.new_pods(1, [&](PodBuilder& p) { p.revision(spare->meta.name); });
  EXPECT_EQ(writes(world.plan(), "delete revision"), 0);
}

// CloneSet §25.6.
TEST(HistoryTest, ARollbackKeepsTheOldNameAndUntouchedPodsAreUpdatedAtOnce) {
  World world(clone_set().replicas(3).in_place().max_unavailable(1));
  world.set.image("nginx:1").current(world.old_revision);
  world.old_pods(2).new_pods(1, kNotReady);
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "patch revision " + world.old_revision), 1);
  EXPECT_EQ(status(world)["updateRevision"], world.old_revision);
  EXPECT_EQ(status(world)["updatedReplicas"], 2);
  EXPECT_EQ(writes(next, "patch pod web-aaaad"), 1);  // the broken one comes back first
}

}  // namespace
}  // namespace kruise::controllers::cloneset
