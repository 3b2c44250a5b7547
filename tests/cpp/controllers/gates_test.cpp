// What each feature gate of the CloneSet controller changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using runtime::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kWaiting = [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingUpdate); };

json body_of(const runtime::Plan& plan, const std::string& verb_and_kind) {
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) {
        const bool create = write.verb == runtime::Write::Verb::kCreate;
        if ((create ? "create " : "patch ") + write.resource->kind == verb_and_kind && write.subresource.empty())
          return json::parse(write.body);
      }
    }
  }
  return {};
}

TEST(ShortHashGate, LabelsSayTheHashOnly) {
  for (const bool on : {false, true}) {
    World created(clone_set().replicas(1));
    created.gates.set(Gate::kCloneSetShortHash, on);
    const std::string hash(created.new_revision.substr(created.new_revision.rfind('-') + 1));
    const std::string wanted = on ? hash : created.new_revision;
    EXPECT_EQ(body_of(created.plan(), "create Pod")["metadata"]["labels"]["controller-revision-hash"], wanted);
    World updated(clone_set().replicas(1).in_place().max_unavailable(1));
    updated.gates.set(Gate::kCloneSetShortHash, on);
    updated.old_pods(1);
    const json patch = body_of(updated.plan(), "patch Pod");
    EXPECT_EQ(patch["metadata"]["labels"]["controller-revision-hash"], wanted);
    EXPECT_EQ(patch["metadata"]["labels"]["pod-template-hash"], hash);
    EXPECT_THAT(patch["metadata"]["annotations"]["apps.kruise.io/inplace-update-state"].get<std::string>(),
                HasSubstr("\"revision\":\"" + updated.new_revision + "\""));
  }
}

/// A template whose container takes a variable from its label k.
std::string reading(const std::string& k) {
  return R"({"metadata":{"labels":{"app":"web","k":")" + k +
         R"("}},"spec":{"containers":[{"name":"main","image":"nginx:1","env":[
           {"name":"K","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['k']"}}}]}]}})";
}

TEST(EnvFromMetadataGate, ALabelThatAVariableIsTakenFromRestartsItsContainerOrIsOnlyALabel) {
  const std::string state_key = "apps.kruise.io/inplace-update-state";
  for (const bool on : {false, true}) {
    World world(clone_set().replicas(1).in_place().max_unavailable(1));
    SetBuilder before = world.set;
    world.observed.revisions = {revision_of(before.pod_template(reading("1")), 1),
                                revision_of(world.set.pod_template(reading("2")), 2)};
    world.set.current(world.observed.revisions[0]->meta.name);
    world.old_revision = world.observed.revisions[0]->meta.name;
    world.new_revision = world.observed.revisions[1]->meta.name;
    world.gates.set(Gate::kInPlaceUpdateEnvFromMetadata, on);
    world.old_pods(1, [](PodBuilder& p) { p.label("k", "1").env_of_label(0, "K", "k").runtime_meta(); });
    EXPECT_EQ(lines(world.plan()).size(), 2U);
    const json patch = body_of(world.plan(), "patch Pod");
    EXPECT_EQ(patch["metadata"]["labels"]["k"], "2");
    const json state = json::parse(patch["metadata"]["annotations"][state_key].get<std::string>());
    EXPECT_EQ(state.contains("updateEnvFromMetadata"), on);

    // Written; its container was not restarted yet. Only with the gate that is waited for.
    World later = world;
    later.observed.pods.clear();
    later.new_pods(1, [&](PodBuilder& p) {
      p.image("nginx:1").status("nginx:1", "id-nginx:1").env_of_label(0, "K", "k").label("k", "1").runtime_meta();
      p.label("k", "2").state(api::kLifecycleUpdating).in_place_ready(false).not_ready().annotation(state_key, state.dump());
    });
    EXPECT_EQ(lines(later.plan()).empty(), on);
    EXPECT_EQ(reasons(later.plan()).find("variables of before") != std::string::npos, on) << reasons(later.plan());
  }
}

TEST(ShortHashGate, BothFormsAreUnderstoodEitherWay) {
  for (const bool on : {false, true}) {
    World world(clone_set().replicas(2));
    world.gates.set(Gate::kCloneSetShortHash, on);
    world.new_pods(1).new_pods(1,
                               [&](PodBuilder& p) { p.revision(world.new_revision.substr(world.new_revision.rfind('-') + 1)); });
    EXPECT_THAT(lines(world.plan()), IsEmpty());
  }
}

TEST(PartitionRollbackGate, RaisingThePartitionMovesPodsBack) {
  World world(clone_set().replicas(5).partition(4).max_unavailable(2).in_place());
  world.old_pods(1).new_pods(4);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  world.gates.set(Gate::kCloneSetPartitionRollback, true);
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "patch pod"), 4);  // two pods, NotReady and the change of each
  const json patch = body_of(next, "patch Pod");
  EXPECT_EQ(patch["metadata"]["labels"]["controller-revision-hash"], world.old_revision);
  EXPECT_EQ(patch["spec"]["containers"][0]["image"], "nginx:1");
}

TEST(PartitionRollbackGate, APodThatWaitsForItsHookIsMovedOnceItIsReleased) {
  // It waits to go back: being at the update revision must not make it Normal again, for ever to and fro.
  const api::Lifecycle lifecycle{
      .pre_delete = {},
      .in_place_update = api::LifecycleHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}},
      .pre_normal = {}};
  World world(clone_set().replicas(2).partition(2).max_unavailable(1).in_place().lifecycle(lifecycle));
  world.gates.set(Gate::kCloneSetPartitionRollback, true);
  world.old_pods(1).new_pods(1, kWaiting);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  EXPECT_THAT(reasons(world.plan()), HasSubstr("waits to be updated until label hold=true is removed"));
  World released(clone_set().replicas(2).partition(2).max_unavailable(1).in_place().lifecycle(lifecycle));
  released.gates.set(Gate::kCloneSetPartitionRollback, true);
  released.old_pods(1).new_pods(1, [](PodBuilder& p) { p.state(api::kLifecyclePreparingUpdate); });
  EXPECT_EQ(body_of(released.plan(), "patch Pod")["metadata"]["labels"]["controller-revision-hash"], released.old_revision);
}

TEST(PreparingUpdateAsUpdateGate, WaitingPodsCountAsUpdatedWhereNewOnesAreCreated) {
  const api::Lifecycle lifecycle{
      .pre_delete = {},
      .in_place_update = api::LifecycleHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}},
      .pre_normal = {}};
  for (const bool on : {false, true}) {
    // Three old pods of four, partition 3, one of them waiting: the fourth is a new one, unless the waiting one counts as it.
    World world(clone_set().replicas(4).partition(3).max_unavailable(1).in_place().lifecycle(lifecycle));
    world.gates.set(Gate::kPreparingUpdateAsUpdate, on);
    world.old_pods(2).old_pods(1, kWaiting);
    EXPECT_EQ(body_of(world.plan(), "create Pod")["metadata"]["labels"]["controller-revision-hash"],
              on ? world.old_revision : world.new_revision);
  }
}

TEST(RecreateOnClaimTemplatesGate, OtherClaimTemplatesMeanReplacing) {
  for (const std::string type : {"InPlaceIfPossible", "InPlaceOnly"}) {
    for (const bool on : {false, true}) {
      World world(clone_set().replicas(1).type(type).max_unavailable(1));
      world.gates.set(Gate::kRecreatePodWhenChangeVCTInCloneSetGate, on);
      auto hash = [&](std::size_t i, const char* value) {
        auto changed = std::make_shared<api::Revision>(*world.observed.revisions.at(i));
        changed->meta.annotations[std::string(api::kAnnotationClaimTemplateHash)] = value;
        world.observed.revisions[i] = changed;
      };
      world.old_pods(1);
      hash(0, "1");
      hash(1, "2");
      const bool replaced = writes(world.plan(), "patch pod") == 1;
      EXPECT_EQ(replaced, on && type == "InPlaceIfPossible") << type << on << reasons(world.plan());
      if (replaced) {
        EXPECT_THAT(reasons(world.plan()), HasSubstr("replacing: spec.volumeClaimTemplates differs"));
      }
      hash(1, "1");
      EXPECT_EQ(writes(world.plan(), "patch pod"), 2) << type << on;
    }
  }
}

}  // namespace
}  // namespace kruise::controllers::cloneset
