#include "controllers/cloneset/update.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"
#include "workload/in_place_state.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

const api::LifecycleHook kHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {"example.com/hold"}};
const api::Lifecycle kUpdateHook{.pre_delete = {}, .in_place_update = kHook, .pre_normal = {}};
constexpr auto kNotReady = [](PodBuilder& p) { p.not_ready(); };
constexpr auto kHooked = [](PodBuilder& p) { p.label("hold", "true").finalizer("example.com/hold"); };

SetBuilder in_place(int replicas) { return clone_set().replicas(replicas).in_place(); }

/// Names of the pods whose spec or revision label is written.
std::vector<std::string> updated(const runtime::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      const json body = json::parse(chain.back().body);
      const json labels = body["metadata"].value("labels", json::object());
      if (labels.contains("controller-revision-hash") || labels.contains("apps.kruise.io/specified-delete"))
        names.push_back(chain.back().key.name);
    }
  }
  return names;
}

std::string state_written(const runtime::Plan& plan, const std::string& pod) {
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) {
        const json body = json::parse(write.body);
        if (write.key.name != pod || !body.is_object()) continue;
        const json labels = body["metadata"].value("labels", json::object());
        if (labels.contains("lifecycle.apps.kruise.io/state")) return labels["lifecycle.apps.kruise.io/state"];
      }
    }
  }
  return "";
}

// ---- how many

struct LimitCase {
  const char* what;
  int replicas, max_unavailable, surge, partition;
  int old_good, old_bad, new_good, new_bad;
  std::size_t expected;
};

// CloneSet §16.3, §27.3 (limit). §26, 1.1: without bound pods broke at the new revision; §25.4, §25.15.
TEST(UpdateLimitTest, Table) {
  const LimitCase cases[] = {
      {"all fine", 5, 2, 0, 0, 5, 0, 0, 0, 2},
      {"one updating", 5, 2, 0, 0, 4, 0, 0, 1, 1},
      {"budget used at the new revision", 5, 2, 0, 0, 3, 0, 0, 2, 0},
      {"all broken at the old revision: no more than the budget breaks at the new one", 5, 2, 0, 0, 0, 5, 0, 0, 2},
      {"all broken, two at the new revision", 5, 2, 0, 0, 0, 3, 0, 2, 0},
      {"broken old ones cost nothing but their turn", 10, 2, 0, 0, 8, 2, 0, 0, 2},
      {"partition", 5, 5, 0, 3, 5, 0, 0, 0, 2},
      {"partition reached", 5, 5, 0, 3, 3, 0, 2, 0, 0},
      {"extra pods take the place of others: only two more need to move", 4, 1, 2, 0, 4, 0, 2, 0, 2},
      {"surge widens the budget by the pods that are present", 6, 1, 2, 0, 6, 0, 2, 0, 3},
      {"max unavailable 0 with one extra pod ready: one old pod goes", 5, 0, 1, 0, 5, 0, 1, 0, 1},
      {"max unavailable 0 with the extra pod not ready", 5, 0, 1, 0, 5, 0, 0, 1, 0},
  };
  for (const auto& c : cases) {
    for (const char* type : {"InPlaceIfPossible", "ReCreate"}) {
      World world(clone_set()
                      .replicas(c.replicas)
                      .type(type)
                      .max_unavailable(c.max_unavailable)
                      .max_surge(c.surge)
                      .partition(c.partition));
      world.old_pods(c.old_good).old_pods(c.old_bad, kNotReady).new_pods(c.new_good).new_pods(c.new_bad, kNotReady);
      EXPECT_THAT(updated(world.plan()), SizeIs(c.expected)) << c.what << ", " << type << "\n" << reasons(world.plan());
    }
  }
}

/// Candidates in the order of their label, some available (a), some not (x); how many are taken.
std::size_t taken(int replicas, api::IntOrString max_unavailable, const std::string& candidates) {
  World world(clone_set().replicas(replicas).in_place().max_unavailable(std::move(max_unavailable)));
  world.set.set.spec.update_strategy.priority_strategy.order_priority = {{.ordered_key = "turn"}};
  int turn = 100;
  for (const char c : candidates) {
    world.old_pods(1, [&](PodBuilder& p) {
      p.label("turn", std::to_string(--turn));
      if (c == 'x') p.not_ready();
    });
  }
  world.new_pods(replicas - static_cast<int>(candidates.size()));
  return updated(world.plan()).size();
}

// CloneSet §27.2 (limit).
TEST(UpdateLimitTest, AvailablePodsNeedABudgetThatBrokenOnesUse) {
  EXPECT_EQ(taken(3, "20%", "aaa"), 1U);
  EXPECT_EQ(taken(3, "20%", "axa"), 0U);  // the first is available and the budget is used up
  EXPECT_EQ(taken(3, "20%", "xaa"), 1U);
  EXPECT_EQ(taken(10, "20%", "xaaaaaaax"), 1U);
}

TEST(UpdateLimitTest, ScaleOutStillOwedStopsUpdates) {
  World world(in_place(5).max_unavailable(1));
  world.set.set.spec.scale_strategy.max_unavailable = 0;
  world.old_pods(3);
  EXPECT_THAT(updated(world.plan()), IsEmpty());
}

// CloneSet §26, 1.4: updates stood still once scaleStrategy.maxUnavailable was set.
TEST(UpdateLimitTest, ScaleStrategysBudgetDoesNotTouchUpdates) {
  World world(in_place(5).max_unavailable(3));
  world.set.set.spec.scale_strategy.max_unavailable = 1;
  world.old_pods(5);
  EXPECT_THAT(updated(world.plan()), SizeIs(3));
}

TEST(UpdateLimitTest, TheReasonNamesBudgetFiguresAndPods) {
  World world(in_place(5).max_unavailable(2));
  world.old_pods(3).new_pods(1, kNotReady).new_pods(1, [](PodBuilder& p) { p.state(api::kLifecycleUpdated); });
  EXPECT_THAT(reasons(world.plan()), HasSubstr("web-aaaab maxUnavailable: held: maxUnavailable 2/2 used at the new revision "
                                               "(maxUnavailable 2 of 5) by web-aaaae (not ready), "
                                               "web-aaaaf (updated, waits for its hook to be put back)"));
}

// Users #369, #1832: 5 % of 5 pods was 0, and the rollout blocked for ever.
TEST(UpdateLimitTest, PercentOfAFewPodsRoundsUpAndIsExplained) {
  World world(in_place(5).max_unavailable("5%"));
  world.old_pods(5);
  EXPECT_THAT(updated(world.plan()), SizeIs(1));
  // With a surge the same percentage is 0: explained, and the surge drives the rollout.
  World surged(in_place(5).max_unavailable("5%").max_surge(1));
  surged.old_pods(5).new_pods(1, kNotReady);
  EXPECT_THAT(updated(surged.plan()), IsEmpty());
  EXPECT_THAT(reasons(surged.plan()),
              HasSubstr("maxUnavailable 1/1 used at the new revision (maxUnavailable 0 of 5 with 6 pods present)"));
}

// CloneSet §26, 1.2: partition 99 % of a small set updated nothing.
TEST(UpdateLimitTest, PartitionPercentageBelowHundredMovesOnePod) {
  World world(in_place(3).partition("99%"));
  world.old_pods(3);
  EXPECT_THAT(updated(world.plan()), SizeIs(1));
  EXPECT_THAT(reasons(world.plan()), HasSubstr("partition: held: partition 2 of 3 keeps the old revision"));
}

// CloneSet §25.7.
TEST(UpdateLimitTest, ARaisedPartitionMovesNothingBack) {
  World world(in_place(10).partition(7).max_unavailable(10));
  world.old_pods(5).new_pods(5);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

// CloneSet §25.8, §26, 0.9: pods were updated although the current revision was the update revision.
TEST(UpdateLimitTest, ABrandNewSetIsNotHeldByItsPartition) {
  World world(in_place(3).partition(3));
  world.set.current(world.new_revision);
  world.new_pods(3);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

// ---- in what order

// CloneSet §17, §26, 1.9: the sort by priority was not stable.
TEST(UpdateOrderOfPlanTest, WorstFirstThenPrioritiesThenThoseWaitingAlready) {
  World world(in_place(6).max_unavailable(3));
  world.old_pods(1).old_pods(1, [](PodBuilder& p) { p.label("first", "yes"); }).old_pods(1, [](PodBuilder& p) { p.ready(-1); });
  world.old_pods(2).old_pods(1, [](PodBuilder& p) { p.state(api::kLifecyclePreparingUpdate); });
  EXPECT_THAT(updated(world.plan()), ElementsAre("web-aaaag", "web-aaaad", "web-aaaab"));
  world.set.set.spec.update_strategy.priority_strategy.weight_priority = {
      {.weight = 5, .match_selector = {.match_labels = {{"first", "yes"}}, .match_expressions = {}}}};
  EXPECT_THAT(updated(world.plan()), ElementsAre("web-aaaag", "web-aaaac", "web-aaaad"));
}

TEST(UpdateOrderOfPlanTest, ScattersOverAllPodsOfTheSet) {
  World world(in_place(10).max_unavailable(3));
  const auto labelled = [](PodBuilder& p) { p.label("k", "v"); };
  world.old_pods(2).old_pods(1, labelled).old_pods(2).old_pods(1, labelled).old_pods(2).old_pods(1, labelled).old_pods(1);
  world.set.set.spec.update_strategy.scatter_strategy = {{.key = "k", .value = "v"}};
  EXPECT_THAT(updated(world.plan()), ElementsAre("web-aaaad", "web-aaaab", "web-aaaac"));
}

// ---- in which way

TEST(UpdateTypeTest, ReCreateNamesPodsForDeletion) {
  World world(clone_set().replicas(2).max_unavailable(1));
  world.old_pods(2);
  const auto next = world.plan();
  EXPECT_THAT(lines(next), ElementsAre("patch pod web-aaaab: name for deletion"));
  EXPECT_THAT(next.steps[0].chains[0][0].body, HasSubstr(R"("apps.kruise.io/specified-delete":"true")"));
  EXPECT_EQ(next.steps[0].chains[0][0].on_success->reason, "SuccessfulUpdatePodReCreate");
}

TEST(UpdateTypeTest, APodNamedAlreadyIsNotNamedAgain) {
  World world(clone_set().replicas(2).max_unavailable(0).max_surge(1));
  world.old_pods(1, [](PodBuilder& p) { p.specified_delete(); }).old_pods(1).new_pods(1, kNotReady);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

TEST(UpdateTypeTest, InPlaceIfPossibleReplacesWhereItIsNotAndSaysWhy) {
  World world(in_place(2).max_unavailable(1));
  world.set.pod_template(
      R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:2","command":["run"]}]}})");
  world.old_pods(2);
  const auto next = world.plan();
  EXPECT_THAT(updated(next), ElementsAre("web-aaaab"));
  EXPECT_THAT(reasons(next), HasSubstr("replacing: spec.containers[0].command differs"));
}

TEST(UpdateTypeTest, InPlaceOnlyRefusesAndNamesThePodButGoesOnWithOthers) {
  World world(clone_set().replicas(3).type("InPlaceOnly").max_unavailable(3));
  world.old_pods(1, [](PodBuilder& p) { p.revision("web-unknown"); }).old_pods(2);
  const auto next = world.plan();
  EXPECT_THAT(updated(next), UnorderedElementsAre("web-aaaac", "web-aaaad"));
  ASSERT_TRUE(next.error);
  EXPECT_THAT(*next.error, HasSubstr("pod web-aaaab cannot be updated in place: its revision is unknown"));
  EXPECT_THAT(next.status->body, HasSubstr("FailedUpdate"));
}

// CloneSet §25.10.
TEST(UpdateTypeTest, AnUnknownRevisionLabelMeansReplacing) {
  World world(in_place(1).max_unavailable(1));
  world.old_pods(1, [](PodBuilder& p) { p.revision("edited-by-hand"); });
  EXPECT_THAT(lines(world.plan()), ElementsAre("patch pod web-aaaab: name for deletion"));
}

TEST(UpdateTypeTest, ShortRevisionLabelsAreUnderstood) {
  World world(in_place(2).max_unavailable(1));
  world.new_pods(1, [&](PodBuilder& p) { p.revision(world.new_revision.substr(4)); });
  world.old_pods(1, [&](PodBuilder& p) { p.revision(world.old_revision.substr(4)); });
  EXPECT_THAT(updated(world.plan()), ElementsAre("web-aaaac"));
}

// CloneSet §26, after 1.9.0: pods of OnDelete never turned ready.
TEST(UpdateTypeTest, OnDeleteUpdatesNothingButPodsStillTurnReady) {
  World world(clone_set().replicas(2).type("OnDelete"));
  world.old_pods(
      2, [](PodBuilder& p) { p.drop_condition(api::kConditionInPlaceUpdateReady).state(api::kLifecyclePreparingNormal); });
  const auto next = world.plan();
  EXPECT_THAT(updated(next), IsEmpty());
  EXPECT_EQ(writes(next, "patch pod/status"), 2);
}

TEST(UpdateTypeTest, MetadataAloneIsInPlaceToo) {
  World world(in_place(1).max_unavailable(1));
  world.set.pod_template(
      R"({"metadata":{"labels":{"app":"web","tier":"gold"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}})");
  world.old_pods(1);
  const auto next = world.plan();
  ASSERT_EQ(next.steps.back().chains[0].size(), 2U);
  const json change = json::parse(next.steps.back().chains[0][1].body);
  EXPECT_EQ(change["metadata"]["labels"]["tier"], "gold");
  EXPECT_FALSE(change.contains("spec"));
}

// ---- write counts

TEST(WriteCountTest, AnInPlaceUpdateWithoutHooksAndGraceIsThreeWrites) {
  World world(in_place(2).max_unavailable(1));
  world.old_pods(2);
  const auto start = world.plan();
  EXPECT_THAT(lines(start), ElementsAre("patch pod/status web-aaaab: set InPlaceUpdateReady=False",
                                        "patch pod web-aaaab: update image main=nginx:2"));
  const auto& change = start.steps[0].chains[0][1];
  EXPECT_EQ(change.on_success->reason, "SuccessfulUpdatePodInPlace");

  World done(in_place(1));
  const workload::InPlaceState state{
      .revision = done.new_revision, .update_timestamp = at(-9), .last_container_statuses = {{"main", {"id-nginx:1", "c-0"}}}};
  done.new_pods(1, [&](PodBuilder& p) {
    p.state(api::kLifecycleUpdating).in_place_ready(false).not_ready().annotation(api::kAnnotationInPlaceState, state.text());
  });
  const auto finish = done.plan();
  ASSERT_THAT(lines(finish), SizeIs(1));
  const auto& write = finish.steps[0].chains[0][0];
  EXPECT_EQ(write.subresource, "status");
  EXPECT_EQ(write.resource_version, "100");
  const json body = json::parse(write.body);
  EXPECT_EQ(body["metadata"]["labels"]["lifecycle.apps.kruise.io/state"], "Normal");
  EXPECT_EQ(body["status"]["conditions"][0]["status"], "True");
}

TEST(WriteCountTest, ANewPodsSecondWriteIsConditionAndStateOnceItHasANode) {
  const auto fresh = [](PodBuilder& p) {
    p.state(api::kLifecyclePreparingNormal).drop_condition(api::kConditionInPlaceUpdateReady).not_ready();
  };
  World world(in_place(2));
  world.new_pods(1, fresh).new_pods(1, [&](PodBuilder& p) {
    fresh(p);
    p.node("");
  });
  const auto next = world.plan();
  EXPECT_THAT(lines(next), ElementsAre(StartsWith("patch pod/status web-aaaab")));
  const json body = json::parse(next.steps[0].chains[0][0].body);
  EXPECT_EQ(body["metadata"]["labels"]["lifecycle.apps.kruise.io/state"], "Normal");
  EXPECT_EQ(body["status"]["conditions"][0]["type"], "InPlaceUpdateReady");
}

TEST(WriteCountTest, NothingIsSentThatChangesNothing) {
  World world(in_place(3));
  world.set.current(world.new_revision);
  world.new_pods(3);
  const auto first = world.plan();
  EXPECT_THAT(lines(first), IsEmpty());
  ASSERT_TRUE(first.status);
  world.set.set.status = api::decode<api::CloneSet>(R"({"metadata":{"name":"web"},"status":)" +
                                                    json::parse(first.status->body)["status"].dump() + "}")
                             .status;
  EXPECT_TRUE(world.plan().writes_nothing());
}

// ---- waiting

// CloneSet §26, 1.0.1: new pods of a paused set never turned ready.
TEST(UpdateWaitsTest, PausedPodsStillTurnReady) {
  World world(in_place(2).paused());
  world.old_pods(1).old_pods(
      1, [](PodBuilder& p) { p.drop_condition(api::kConditionInPlaceUpdateReady).state(api::kLifecyclePreparingNormal); });
  const auto next = world.plan();
  EXPECT_THAT(updated(next), IsEmpty());
  EXPECT_EQ(writes(next, "patch pod/status"), 1);
  EXPECT_THAT(reasons(next), HasSubstr("paused: held: the update is paused"));
}

// CloneSet §26, 1.5: a paused set with maxSurge still created updated pods.
TEST(UpdateWaitsTest, PausedWithSurgeCreatesNoUpdatedPods) {
  World world(in_place(3).paused().max_surge(2));
  world.old_pods(3);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

TEST(UpdateWaitsTest, ASurgeComesBeforeTheUpdate) {
  World world(in_place(3).max_surge(1).max_unavailable(0));
  world.old_pods(3);
  EXPECT_THAT(lines(world.plan()), ElementsAre(StartsWith("create pod")));
}

// CloneSet §22, §25.16.
TEST(UpdateWaitsTest, MinReadySecondsKeepsTheBudgetUsedAndAsksToLookAgain) {
  World world(in_place(3).max_unavailable(1).min_ready(30));
  world.old_pods(2).new_pods(1, [](PodBuilder& p) { p.ready(-10); });
  const auto next = world.plan();
  EXPECT_THAT(updated(next), IsEmpty());
  ASSERT_TRUE(next.requeue);
  EXPECT_EQ(*next.requeue, std::chrono::milliseconds(20'001));
  EXPECT_THAT(reasons(next), HasSubstr("(ready for too short)"));
  EXPECT_THAT(updated(world.plan(21)), SizeIs(1));
}

// CloneSet §25.1.
TEST(UpdateWaitsTest, ASetBeingDeletedIsLeftAlone) {
  World world(in_place(5).max_unavailable(5).being_deleted());
  world.old_pods(3).old_pods(1, [](PodBuilder& p) { p.label("app", "other"); });
  const auto next = world.plan();
  EXPECT_THAT(next.steps, IsEmpty());
  EXPECT_TRUE(next.status);
}

TEST(UpdateGraceTest, StartsWaitsAndCountsAsUpdated) {
  World world(in_place(2).max_unavailable(1).grace(30));
  world.old_pods(2);
  const auto start = world.plan();
  EXPECT_EQ(start.requeue, std::chrono::seconds(30));
  const json change = json::parse(start.steps[0].chains[0][1].body);
  EXPECT_FALSE(change.contains("spec"));
  EXPECT_TRUE(change["metadata"]["annotations"].contains("apps.kruise.io/inplace-update-grace"));
}

/// A pod in the grace period of an update to `revision` that began 10 s ago.
std::function<void(PodBuilder&)> in_grace(std::string revision, std::string image = "nginx:2") {
  return [revision, image](PodBuilder& p) {
    const workload::InPlaceState state{.revision = revision, .update_timestamp = at(-10)};
    const workload::InPlaceGrace grace{.revision = revision, .container_images = {{"main", image}}, .grace_seconds = 30};
    p.revision(revision)
        .image("nginx:1")
        .status("nginx:1", "id-nginx:1")
        .state(api::kLifecycleUpdating)
        .in_place_ready(false)
        .not_ready();
    p.annotation(api::kAnnotationInPlaceState, state.text()).annotation(api::kAnnotationInPlaceGrace, grace.text());
  };
}

TEST(UpdateGraceTest, EndsByItselfAndIsNotComplete) {
  World world(in_place(1).grace(30));
  world.new_pods(1, in_grace(world.new_revision));
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  EXPECT_EQ(world.plan().requeue, std::chrono::seconds(20));
  const auto end = world.plan(20);
  EXPECT_THAT(lines(end), ElementsAre("patch pod web-aaaab: end grace period"));
}

// CloneSet §25.6: a revert in the grace period waited it out, twice.
TEST(UpdateGraceTest, ARevertAppliesTheWantedRevisionAtOnce) {
  World world(in_place(1).grace(30));
  // The wanted revision is the old one again.
  world.set.image("nginx:1").current(world.old_revision);
  world.new_pods(1, in_grace(world.new_revision));
  const auto next = world.plan();
  EXPECT_THAT(updated(next), ElementsAre("web-aaaab"));
  const json change = json::parse(next.steps.back().chains[0].back().body);
  EXPECT_EQ(change["metadata"]["labels"]["controller-revision-hash"], world.old_revision);
  EXPECT_TRUE(change["metadata"]["annotations"]["apps.kruise.io/inplace-update-grace"].is_null());
  EXPECT_FALSE(change.contains("spec"));
}

// Its end was left out of the plan for the newer revision, and what it had kept back with it.
TEST(UpdateGraceTest, OvertakenWhenItIsOverToo) {
  World world(in_place(1).grace(30));
  world.set.image("nginx:1").current(world.old_revision);
  world.new_pods(1, in_grace(world.new_revision));
  const json change = json::parse(world.plan(20).steps.back().chains[0].back().body);
  EXPECT_EQ(change["metadata"]["labels"]["controller-revision-hash"], world.old_revision);
  EXPECT_FALSE(change["metadata"]["annotations"]["apps.kruise.io/inplace-update-grace"].is_string()) << "no second one";
}

// Users #46 and others: one object took all down.
TEST(UpdateGraceTest, AnUnreadableAnnotationStaysWithItsPod) {
  World world(in_place(3).max_unavailable(2));
  world
      .new_pods(
          1,
          [](PodBuilder& p) { p.state(api::kLifecycleUpdating).not_ready().annotation(api::kAnnotationInPlaceState, "{broken"); })
      .old_pods(2);
  const auto next = world.plan();
  ASSERT_TRUE(next.error);
  EXPECT_THAT(*next.error, HasSubstr("web-aaaab"));
  EXPECT_THAT(updated(next), SizeIs(1));
}

// ---- hooks: every transition, and a way out of every state

TEST(UpdateHookTest, AsksThenStartsWhenReleased) {
  World world(in_place(1).max_unavailable(1).lifecycle(kUpdateHook));
  world.old_pods(1, kHooked);
  EXPECT_THAT(lines(world.plan()), ElementsAre("patch pod web-aaaab: set state PreparingUpdate"));

  World waiting(in_place(1).max_unavailable(1).lifecycle(kUpdateHook));
  waiting.old_pods(1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingUpdate); });
  EXPECT_THAT(lines(waiting.plan()), IsEmpty());
  EXPECT_THAT(reasons(waiting.plan()), HasSubstr("held: waits to be updated until label hold=true is removed"));

  World released(in_place(1).max_unavailable(1).lifecycle(kUpdateHook));
  released.old_pods(1, [](PodBuilder& p) { p.state(api::kLifecyclePreparingUpdate); });
  EXPECT_EQ(state_written(released.plan(), "web-aaaab"), "Updating");
}

TEST(UpdateHookTest, AWaitingPodDoesNotCostTheBudgetTwice) {
  World world(in_place(4).max_unavailable(1).lifecycle(kUpdateHook));
  world.old_pods(1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingUpdate); }).old_pods(3, kHooked);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

TEST(UpdateHookTest, AfterTheUpdateTheHookMustComeBack) {
  World world(in_place(1).lifecycle(kUpdateHook));
  world.new_pods(1, [](PodBuilder& p) { p.state(api::kLifecycleUpdating).in_place_ready(false).not_ready(); });
  EXPECT_EQ(state_written(world.plan(), "web-aaaab"), "Updated");
  World back(in_place(1).lifecycle(kUpdateHook));
  back.new_pods(1, [](PodBuilder& p) {
    kHooked(p);
    p.state(api::kLifecycleUpdated);
  });
  EXPECT_EQ(state_written(back.plan(), "web-aaaab"), "Normal");
}

// CloneSet §26, 0.10: a pod in state Updated could never be updated again.
TEST(UpdateHookTest, AnUpdatedPodTakesTheNextRevisionAndIsAskedAgain) {
  World world(in_place(1).max_unavailable(1).lifecycle(kUpdateHook));
  world.old_pods(1, [](PodBuilder& p) { p.state(api::kLifecycleUpdated); });
  const auto next = world.plan();
  EXPECT_EQ(state_written(next, "web-aaaab"), "PreparingUpdate");
  const json body = json::parse(next.steps.back().chains[0][0].body);
  EXPECT_EQ(body["metadata"]["labels"]["hold"], "true");
  EXPECT_EQ(body["metadata"]["finalizers"], json({"example.com/hold"}));
  EXPECT_FALSE(body["metadata"].contains("$setElementOrder/finalizers"));  // united with what is there, not replaced
}

// CloneSet §26, 1.4; users #1156, #1606: a rollback before the hook was released hung in PreparingUpdate.
TEST(UpdateHookTest, ARollbackWhileWaitingGivesThePodBack) {
  // At the wanted revision again: PreparingUpdate leads out, with the hook intact or partly released.
  for (const bool intact : {true, false}) {
    World world(in_place(1).lifecycle(kUpdateHook));
    world.new_pods(1, [&](PodBuilder& p) {
      if (intact) kHooked(p);
      p.state(api::kLifecyclePreparingUpdate);
    });
    EXPECT_EQ(state_written(world.plan(), "web-aaaab"), intact ? "Normal" : "Updated");
  }
}

// CloneSet §26, by reading: hooked pods that were no longer to move flipped between two states.
TEST(UpdateHookTest, ARaisedPartitionGivesWaitingPodsBack) {
  World world(in_place(2).partition(2).lifecycle(kUpdateHook));
  world.old_pods(1, [](PodBuilder& p) {
    kHooked(p);
    p.state(api::kLifecyclePreparingUpdate);
  });
  world.old_pods(1);
  EXPECT_EQ(state_written(world.plan(), "web-aaaab"), "Normal");
}

TEST(UpdateHookTest, EveryStateHasAWayOut) {
  // For rollback (the pod is at the wanted revision), for deletion, and for hooks that were taken out of the set.
  for (const auto state :
       {api::kLifecyclePreparingNormal, api::kLifecyclePreparingUpdate, api::kLifecycleUpdating, api::kLifecycleUpdated}) {
    World rolled_back(in_place(1).lifecycle(kUpdateHook));
    rolled_back.new_pods(1, [&](PodBuilder& p) {
      kHooked(p);
      p.state(state);
    });
    EXPECT_EQ(state_written(rolled_back.plan(), "web-aaaab"), "Normal") << state;

    World no_hooks(in_place(1));
    no_hooks.new_pods(1, [&](PodBuilder& p) { p.state(state); });
    EXPECT_EQ(state_written(no_hooks.plan(), "web-aaaab"), "Normal") << state;
  }
  for (const auto state :
       {api::kLifecyclePreparingNormal, api::kLifecycleNormal, api::kLifecyclePreparingUpdate, api::kLifecycleUpdating,
        api::kLifecycleUpdated, api::kLifecyclePreparingDelete, std::string_view("Unheard-of")}) {
    World deleted(in_place(0).lifecycle(kUpdateHook));
    deleted.new_pods(1, [&](PodBuilder& p) { p.state(state); });
    EXPECT_THAT(lines(deleted.plan()), ElementsAre("delete pod web-aaaab")) << state;
  }
}

TEST(UpdateHookTest, APodInAnUnknownStateIsAnErrorOfItsOwn) {
  World world(in_place(3).max_unavailable(3));
  world.old_pods(1, [](PodBuilder& p) { p.state("Sleeping"); }).old_pods(2);
  const auto next = world.plan();
  EXPECT_THAT(*next.error, HasSubstr("web-aaaab may not be updated in lifecycle state Sleeping"));
  EXPECT_THAT(updated(next), SizeIs(2));
}

// CloneSet §25.5.
TEST(UpdateHookTest, ANewerRevisionOvertakesARunningUpdate) {
  World world(in_place(2).max_unavailable(1));
  world.old_pods(1, [](PodBuilder& p) {
    const workload::InPlaceState state{
        .revision = "web-x", .update_timestamp = at(-9), .last_container_statuses = {{"main", {"id-nginx:1", "c-1"}}}};
    p.image("nginx:1.5")
        .state(api::kLifecycleUpdating)
        .in_place_ready(false)
        .not_ready()
        .annotation(api::kAnnotationInPlaceState, state.text());
  });
  world.old_pods(1);
  EXPECT_THAT(updated(world.plan()), ElementsAre("web-aaaab"));
}

TEST(RefreshTest, AMissingTemplateHashLabelIsAdded) {
  World world(in_place(1));
  world.new_pods(1, [](PodBuilder& p) { p.fields.meta.labels.erase(std::string(api::kLabelPodTemplateHash)); });
  const auto next = world.plan();
  EXPECT_THAT(lines(next), ElementsAre(StartsWith("patch pod web-aaaab: refresh labels")));
}

TEST(RefreshTest, ARefreshAndAnUpdateOfOnePodAreOneWrite) {
  // Its condition was never set, and it is to be replaced: one patch says both.
  World world(clone_set().replicas(1).max_unavailable(1));
  world.old_pods(1, [](PodBuilder& p) { p.drop_condition(api::kConditionInPlaceUpdateReady); });
  const auto next = world.plan();
  ASSERT_THAT(lines(next), SizeIs(1));
  EXPECT_THAT(next.steps[0].chains[0][0].body, AllOf(HasSubstr("specified-delete"), HasSubstr("InPlaceUpdateReady")));
  // In place the condition goes straight to False.
  World in(in_place(1).max_unavailable(1));
  in.old_pods(1, [](PodBuilder& p) { p.drop_condition(api::kConditionInPlaceUpdateReady); });
  EXPECT_THAT(lines(in.plan()), SizeIs(2));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
