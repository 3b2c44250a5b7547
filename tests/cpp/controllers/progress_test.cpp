#include "controllers/cloneset/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::HasSubstr;

constexpr auto kNotReady = [](PodBuilder& p) { p.not_ready(); };

/// A set whose status is written back after each look, as the API server would hold it.
struct Watched : World {
  explicit Watched(SetBuilder s, std::int32_t deadline_s = 60) : World(std::move(s)) {
    set.set.spec.progress_deadline_seconds = deadline_s;
  }

  /// "True CloneSetUpdated" after a look at this second; empty without the condition.
  std::string look(std::int64_t at_s) {
    last = plan(at_s);
    if (last.status) {
      json object = {{"metadata", {{"name", "web"}}}, {"status", json::parse(last.status->body)["status"]}};
      set.set.status = api::decode<api::CloneSet>(object.dump()).status;
    }
    const auto* found = condition();
    return found == nullptr ? "" : found->status + " " + found->reason;
  }
  [[nodiscard]] const api::CloneSetCondition* condition() const {
    const auto& all = set.set.status.conditions;
    const auto found = std::ranges::find(all, kConditionProgressing, &api::CloneSetCondition::type);
    return found == all.end() ? nullptr : &*found;
  }
  runtime::Plan last;
};

TEST(Progress, UnsetOrLargestMeansNoTracking) {
  Watched tracked(clone_set().replicas(1));
  tracked.old_pods(1);
  EXPECT_EQ(tracked.look(0), "True CloneSetUpdated");
  tracked.set.set.spec.progress_deadline_seconds = 2147483647;
  EXPECT_EQ(tracked.look(1), "");
  tracked.set.set.spec.progress_deadline_seconds.reset();
  EXPECT_EQ(tracked.look(2), "");
}

TEST(Progress, Reasons) {
  Watched done(clone_set().replicas(2));
  done.new_pods(2);
  EXPECT_EQ(done.look(0), "True CloneSetAvailable");
  Watched paused(clone_set().replicas(2).paused());
  paused.old_pods(2);
  EXPECT_EQ(paused.look(0), "True CloneSetPaused");
  Watched partition(clone_set().replicas(3).partition(2));
  partition.old_pods(2).new_pods(1);
  EXPECT_EQ(partition.look(0), "True ProgressPartitionAvailable");
  Watched broken(clone_set().replicas(3).partition(2));
  broken.old_pods(2).new_pods(1, kNotReady);
  EXPECT_EQ(broken.look(0), "True CloneSetUpdated");
  Watched owed(clone_set().replicas(3));
  owed.new_pods(2);
  EXPECT_EQ(owed.look(0), "True CloneSetUpdated");
}

TEST(Progress, ADeadlineEndsTheWholeRolloutAndPodsDoNotExtendIt) {
  Watched world(clone_set().replicas(3).max_unavailable(1));
  world.old_pods(2).new_pods(1, kNotReady);
  EXPECT_EQ(world.look(10), "True CloneSetUpdated");
  ASSERT_TRUE(world.last.requeue);
  EXPECT_EQ(*world.last.requeue, std::chrono::seconds(61));
  world.new_pods(1);  // progress
  EXPECT_EQ(world.look(50), "True CloneSetUpdated");
  EXPECT_EQ(*world.last.requeue, std::chrono::seconds(21));
  EXPECT_EQ(world.look(70), "True CloneSetUpdated");  // not before it is over
  EXPECT_EQ(*world.last.requeue, std::chrono::seconds(1));
  EXPECT_EQ(world.look(71), "False ProgressDeadlineExceeded");
  EXPECT_THAT(world.condition()->message, HasSubstr(world.new_revision));
  EXPECT_THAT(reasons(world.last), HasSubstr("progressDeadlineSeconds: late"));
  EXPECT_EQ(world.look(72), "False ProgressDeadlineExceeded");
  EXPECT_FALSE(world.last.status);
}

TEST(Progress, TimesOfAnExceededConditionTellWhen) {
  Watched world(clone_set().replicas(2));
  world.old_pods(1).new_pods(1, kNotReady);
  world.look(10);
  const auto begun = world.condition()->last_transition_time;
  world.look(30);
  EXPECT_EQ(world.condition()->last_update_time, begun);
  world.look(100);
  EXPECT_EQ(*world.condition()->last_transition_time - *begun, std::chrono::seconds(90));
}

TEST(Progress, TimeBeforeTheRolloutDoesNotCount) {
  for (const bool paused : {false, true}) {
    Watched world(clone_set().replicas(2).paused(paused));
    world.old_pods(2);
    if (!paused) {
      world.set.set.spec.update_strategy.partition = api::IntOrString{2};
    }
    EXPECT_NE(world.look(0), "True CloneSetUpdated");
    world.set.paused(false).set.spec.update_strategy.partition = api::IntOrString{0};
    EXPECT_EQ(world.look(1000), "True CloneSetUpdated") << paused;
    EXPECT_EQ(world.look(1059), "True CloneSetUpdated") << paused;
    EXPECT_EQ(world.look(1061), "False ProgressDeadlineExceeded") << paused;
  }
}

TEST(Progress, AnotherRolloutStartsOver) {
  Watched world(clone_set().replicas(4).partition(2));
  world.old_pods(3).new_pods(1, kNotReady);
  world.look(0);
  ASSERT_EQ(world.look(100), "False ProgressDeadlineExceeded");
  world.set.partition(1);
  EXPECT_EQ(world.look(101), "True CloneSetUpdated");
  EXPECT_EQ(world.look(161), "True CloneSetUpdated");
  EXPECT_EQ(world.look(162), "False ProgressDeadlineExceeded");
  world.set.image("nginx:3");
  EXPECT_EQ(world.look(163), "True CloneSetUpdated");
  // While it goes on: a new image begins a new deadline though the reason stays.
  world.set.image("nginx:4");
  EXPECT_EQ(world.look(200), "True CloneSetUpdated");
  EXPECT_EQ(world.look(259), "True CloneSetUpdated");
  EXPECT_EQ(world.look(261), "False ProgressDeadlineExceeded");
}

TEST(Progress, ALateRolloutMayStillSucceed) {
  Watched world(clone_set().replicas(2));
  world.new_pods(1).new_pods(1, kNotReady);
  world.look(0);
  ASSERT_EQ(world.look(100), "False ProgressDeadlineExceeded");
  Watched done(clone_set().replicas(2));
  done.set.set.status = world.set.set.status;
  done.new_pods(2);
  EXPECT_EQ(done.look(101), "True CloneSetAvailable");
}

}  // namespace
}  // namespace kruise::controllers::cloneset
