// Lifecycle hooks that also mark the pod as not ready (markPodNotReady).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kUpdateHold = R"([{"userAgent":"Lifecycle","key":"preUpdateHook"}])";
const std::string kDeleteHold = R"([{"userAgent":"Lifecycle","key":"preDeleteHook"}])";

api::Lifecycle marking() {
  api::LifecycleHook hook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}};
  hook.mark_pod_not_ready = true;
  return {.pre_delete = hook, .in_place_update = hook, .pre_normal = {}};
}

void gate(PodBuilder& p, api::Tristate status = api::Tristate::kTrue, const std::string& message = {}) {
  p.fields.readiness_gates.emplace_back(api::kConditionKruisePodReady);
  p.condition(api::kConditionKruisePodReady, status);
  p.fields.conditions.back().message = message;
}

/// The one patch of a plan.
json only_patch(const World& world) {
  const auto next = world.plan();
  EXPECT_THAT(lines(next), SizeIs(1)) << reasons(next);
  return lines(next).size() == 1 ? json::parse(next.steps.at(0).chains.at(0).at(0).body) : json();
}
std::string message_of(const json& patch) {
  for (const auto& condition : patch["status"]["conditions"]) {
    if (condition["type"] == "KruisePodReady")
      return condition["message"].is_null() ? "none" : condition["message"].get<std::string>();
  }
  return {};
}
std::string state_of(const json& patch) {
  return patch.value(json::json_pointer("/metadata/labels/lifecycle.apps.kruise.io~1state"), "");
}

TEST(Marking, PreparingDeleteMarksInTheSameWrite) {
  World world(clone_set().replicas(1).lifecycle(marking()));
  world.set.current(world.new_revision);
  world.new_pods(1).new_pods(1, [](PodBuilder& p) { gate(p.label("hold", "true").specified_delete()); });
  const json patch = only_patch(world);
  EXPECT_EQ(state_of(patch), "PreparingDelete");
  EXPECT_EQ(message_of(patch), kDeleteHold);
}

TEST(Marking, APodThatIsPreparingAlreadyIsMarkedToo) {
  World world(clone_set().replicas(1).lifecycle(marking()));
  world.set.current(world.new_revision);
  world.new_pods(1).new_pods(
      1, [](PodBuilder& p) { gate(p.label("hold", "true").specified_delete().state(api::kLifecyclePreparingDelete)); });
  const json patch = only_patch(world);
  EXPECT_EQ(state_of(patch), "");
  EXPECT_EQ(message_of(patch), kDeleteHold);
  World marked(clone_set().replicas(1).lifecycle(marking()));
  marked.set.current(marked.new_revision);
  marked.new_pods(1).new_pods(1, [](PodBuilder& p) {
    gate(p.label("hold", "true").specified_delete().state(api::kLifecyclePreparingDelete).not_ready(), api::Tristate::kFalse,
         kDeleteHold);
  });
  EXPECT_THAT(lines(marked.plan()), IsEmpty());
}

TEST(Marking, PreparingUpdateMarksAndSoDoesTheNextUpdate) {
  for (const auto state : {api::kLifecycleNormal, api::kLifecycleUpdated}) {
    World world(clone_set().replicas(1).in_place().max_unavailable(1).lifecycle(marking()));
    world.old_pods(1, [&](PodBuilder& p) {
      gate(p.state(state));
      if (state == api::kLifecycleNormal) p.label("hold", "true");
    });
    const json patch = only_patch(world);
    EXPECT_EQ(state_of(patch), "PreparingUpdate") << state;
    EXPECT_EQ(message_of(patch), kUpdateHold) << state;
  }
}

TEST(Marking, TheMarkGoesWithTheEndOfTheUpdateWhateverTheWay) {
  struct Case {
    std::string_view state;
    bool mark_is_back;
    std::string next;
  };
  for (const auto& [state, back, next] :
       {Case{api::kLifecycleUpdating, false, "Updated"}, Case{api::kLifecycleUpdating, true, "Normal"},
        Case{api::kLifecyclePreparingUpdate, true, "Normal"}, Case{api::kLifecyclePreparingUpdate, false, "Updated"}}) {
    World world(clone_set().replicas(1).in_place().lifecycle(marking()));
    world.set.current(world.new_revision);
    world.new_pods(1, [&, s = state, b = back](PodBuilder& p) {
      gate(p.state(s), api::Tristate::kFalse, kUpdateHold);
      if (b) p.label("hold", "true");
    });
    const json patch = only_patch(world);
    EXPECT_EQ(state_of(patch), next) << state;
    EXPECT_EQ(message_of(patch), "none") << state;
  }
}

TEST(Marking, PodsWithoutTheGateOnlyChangeTheirState) {
  World world(clone_set().replicas(1).in_place().max_unavailable(1).lifecycle(marking()));
  world.old_pods(1, [](PodBuilder& p) { p.label("hold", "true"); });
  const json patch = only_patch(world);
  EXPECT_EQ(state_of(patch), "PreparingUpdate");
  EXPECT_FALSE(patch.contains("status"));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
