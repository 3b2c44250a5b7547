#include "controllers/cloneset/scale.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/error.hpp"
#include "controllers/cloneset/instance_ids.hpp"
#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string name_of(const World& world, std::size_t i) { return std::string(world.observed.pods.at(i)->name()); }

/// The set is at rest at nginx:2.
World at_rest(SetBuilder set) {
  World world(std::move(set));
  world.set.current(world.new_revision);
  return world;
}

const api::LifecycleHook kHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}};

TEST(ScaleOutTest, EachPodIsOneWriteAndOneAClaim) {
  auto world = at_rest(clone_set().replicas(3).claim_template("data"));
  world.new_pods(1);
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create claim"), 2);
  EXPECT_EQ(writes(next, "create pod"), 2);
  EXPECT_THAT(lines(next), SizeIs(4));
  ASSERT_THAT(next.steps.at(0).chains, SizeIs(2));
  const auto& chain = next.steps[0].chains[0];
  ASSERT_THAT(chain, SizeIs(2));
  const json claim = json::parse(chain[0].body);
  const json pod = json::parse(chain[1].body);
  const std::string id = pod["metadata"]["labels"]["apps.kruise.io/cloneset-instance-id"];
  EXPECT_EQ(claim["metadata"]["name"], "data-web-" + id);
  EXPECT_EQ(claim["metadata"]["labels"], json({{"app", "web"}, {"apps.kruise.io/cloneset-instance-id", id}}));
  EXPECT_EQ(claim["metadata"]["ownerReferences"][0]["uid"], kSetUid);  // the set owns the claim
  EXPECT_EQ(pod["spec"]["volumes"],
            json::parse(R"([{"name":"data","persistentVolumeClaim":{"claimName":"data-web-)" + id + R"(","readOnly":false}}])"));
}

TEST(ScaleOutTest, VolumesOfTheTemplateFollowThoseOfClaimsUnlessTheirNameIsTaken) {
  const std::string text =
      R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"x","unknownToUs":{"kept":true}}],
      "readinessGates":[{"conditionType":"Mine"},{"conditionType":"InPlaceUpdateReady"}],
      "volumes":[{"name":"data","emptyDir":{}},{"name":"tmp","emptyDir":{}}]}})";
  const auto next = plan(clone_set().pod_template(text).claim_template("data").claim_template("logs"), {}, {.now = at(0)});
  const json pod = json::parse(next.steps.at(1).chains.at(0).back().body);
  std::vector<std::string> names;
  for (const auto& volume : pod["spec"]["volumes"]) names.push_back(volume["name"]);
  EXPECT_THAT(names, ElementsAre("data", "logs", "tmp"));
  EXPECT_TRUE(pod["spec"]["volumes"][0].contains("persistentVolumeClaim"));
  EXPECT_THAT(pod["spec"]["readinessGates"], SizeIs(2));  // not twice
  EXPECT_EQ(pod["spec"]["containers"][0]["unknownToUs"]["kept"], true);
}

TEST(ScaleOutTest, AClaimWithoutAPodIsTakenOver) {
  auto world = at_rest(clone_set().replicas(2).claim_template("data"));
  world.new_pods(1);
  world.observed.claims = {claim("data-web-aaaab", "aaaab"), claim("data-web-left1", "left1")};
  EXPECT_THAT(lines(world.plan()), ElementsAre("create pod web-left1"));
}

// CloneSet §26, 1.4: a new pod collided with a terminating one of the same id.
TEST(ScaleOutTest, ATerminatingPodsClaimsWaitForIt) {
  auto world = at_rest(clone_set().replicas(2).claim_template("data"));
  world.new_pods(1).add(member("web", "left1", world.new_revision).terminating());
  world.observed.claims = {claim("data-web-aaaab", "aaaab"), claim("data-web-left1", "left1")};
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create"), 0);
  EXPECT_THAT(reasons(next), HasSubstr("web-left1 instance id: held: takes over the claims"));
}

TEST(ScaleOutTest, APodWithoutClaimsIsReplacedAtOnceWhileItTerminates) {
  auto world = at_rest(clone_set().replicas(2));
  world.new_pods(1).add(member("web", "gone1", world.new_revision).terminating());
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
}

// CloneSet §26, 0.5: terminating claims blocked the creation of pods.
TEST(ScaleOutTest, ATerminatingClaimIsInvisible) {
  auto world = at_rest(clone_set().replicas(1).claim_template("data"));
  auto dying = std::make_shared<api::Claim>(*claim("data-web-left1", "left1"));
  dying->meta.deletion_timestamp = at(-3);
  world.observed.claims = {dying};
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create claim"), 1);
  EXPECT_THAT(lines(next), Not(Contains("create pod web-left1")));
}

// CloneSet §11.8, §25.11: a finished pod that nobody removes, or a released one, held the name for ever.
TEST(ScaleOutTest, NamesHeldByFinishedOrForeignPodsAreSkipped) {
  auto world = at_rest(clone_set().replicas(1).claim_template("data"));
  world.add(member("web", "fail1", world.new_revision).phase(api::PodPhase::kFailed));
  world.observed.claims = {claim("data-web-fail1", "fail1"), claim("data-web-alien", "alien")};
  world.observed.foreign_pods = {pod("web-alien").ptr()};
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create pod"), 1);
  EXPECT_EQ(writes(next, "create pod web-fail1"), 0);
  EXPECT_EQ(writes(next, "create pod web-alien"), 0);
  EXPECT_EQ(writes(next, "delete"), 0);  // a failed pod stays until someone deletes it
}

TEST(ScaleOutTest, CurrentRevisionPodsFillThePartition) {
  World world(clone_set().replicas(4).partition(3));
  world.old_pods(2);
  const auto next = world.plan();
  int old = 0;
  for (const auto& chain : next.steps.at(0).chains) {
    old += json::parse(chain.back().body)["metadata"]["labels"]["controller-revision-hash"] == world.old_revision ? 1 : 0;
  }
  EXPECT_EQ(next.steps[0].chains.size(), 2U);
  EXPECT_EQ(old, 1);
}

TEST(ScaleOutTest, PodsOfTheCurrentRevisionAreBuiltFromItsTemplate) {
  World world(clone_set().replicas(2).partition(2));
  world.old_pods(1);
  const json pod = json::parse(world.plan().steps.at(0).chains.at(0).back().body);
  EXPECT_EQ(pod["spec"]["containers"][0]["image"], "nginx:1");
  EXPECT_EQ(pod["metadata"]["labels"]["app"], "web");
  EXPECT_FALSE(pod.contains("$patch"));
}

// CloneSet §26, open: a claim template is removed while pods of the old revision are created.
TEST(ScaleOutTest, ARemovedClaimTemplateOfOldPodsIsReportedOnce) {
  const std::string mounts = R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1",
      "volumeMounts":[{"name":"data","mountPath":"/d"}]}]}})";
  World world(clone_set().replicas(2).partition(2));
  SetBuilder before = clone_set().pod_template(mounts);
  world.observed.revisions[0] = revision_of(before, 1);
  world.set.current(world.observed.revisions[0]->meta.name);
  world.add(member("web", "aaaab", world.observed.revisions[0]->meta.name));
  auto next = world.plan();
  EXPECT_EQ(writes(next, "create pod"), 0);
  ASSERT_TRUE(next.status);
  EXPECT_THAT(next.status->body, HasSubstr("FailedScale"));
  EXPECT_THAT(next.status->body, HasSubstr("volume \\\"data\\\""));
  EXPECT_THAT(next.events, SizeIs(1));
  EXPECT_FALSE(next.error);
  world.set.set.status = api::decode<api::CloneSet>(R"({"metadata":{"name":"web"},"status":)" +
                                                    json::parse(next.status->body)["status"].dump() + "}")
                             .status;
  EXPECT_THAT(world.plan().events, IsEmpty());
}

TEST(ScaleOutTest, ScaleMaxUnavailableLimitsCreation) {
  auto world = at_rest(clone_set().replicas(6));
  world.set.set.spec.scale_strategy.max_unavailable = 2;
  world.new_pods(2).new_pods(1, [](PodBuilder& p) { p.not_ready(); });
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create pod"), 1);
  ASSERT_THAT(next.events, SizeIs(1));
  EXPECT_EQ(next.events[0].reason, "ScaleUpLimited");
  EXPECT_THAT(next.events[0].message, HasSubstr("3 pods are missing, 1 may be created"));
}

TEST(ScaleOutTest, AFullScaleBudgetDeletesNothingButUpdatesGoOn) {
  World world(clone_set().replicas(4).in_place().max_unavailable("100%"));
  world.set.set.spec.scale_strategy.max_unavailable = 1;
  world.old_pods(2).old_pods(1, [](PodBuilder& p) { p.not_ready(); });
  world.set.to_delete({name_of(world, 0)});
  const auto next = world.plan();
  EXPECT_EQ(writes(next, "create pod"), 0);
  EXPECT_EQ(writes(next, "delete"), 0);
  EXPECT_GT(writes(next, "patch pod web"), 0);
}

TEST(ScaleInTest, DeletionIsOneWriteAndOneAClaim) {
  auto world = at_rest(clone_set().replicas(1).claim_template("data"));
  world.new_pods(2).new_pods(0);
  world.observed.claims = {claim("data-web-aaaab", "aaaab"), claim("data-web-aaaac", "aaaac")};
  world.set.to_delete({name_of(world, 1)});
  const auto next = world.plan();
  EXPECT_THAT(lines(next), ElementsAre("delete pod web-aaaac", "delete claim data-web-aaaac"));
  const auto& write = next.steps.at(0).chains.at(0).at(0);
  EXPECT_EQ(write.uid, "uid-web-aaaac");
  EXPECT_EQ(write.resource_version, "100");
  EXPECT_TRUE(write.not_found_is_success);
}

// CloneSet §26, by reading: a pod without an id took claims without one along.
TEST(ScaleInTest, AnEmptyInstanceIdTakesNoClaimsAlong) {
  auto world = at_rest(clone_set().replicas(0));
  auto without_id = member("web", "x", world.new_revision);
  without_id.fields.meta.labels.erase(std::string(api::kLabelInstanceId));
  world.add(without_id);
  auto stray = std::make_shared<api::Claim>(*claim("data", ""));
  world.observed.claims = {stray};
  EXPECT_THAT(lines(world.plan()), ElementsAre("delete pod web-x"));
}

TEST(ScaleInTest, TheWorstGoFirstAndOldOnesBeforeNewOnes) {
  World world(clone_set().replicas(4));
  world.old_pods(2).new_pods(3).new_pods(1, [](PodBuilder& p) { p.not_ready(); });
  EXPECT_THAT(lines(world.plan()), UnorderedElementsAre("delete pod web-aaaab", "delete pod web-aaaac"));
  auto rest = at_rest(clone_set().replicas(3));
  rest.new_pods(3).new_pods(1, [](PodBuilder& p) { p.not_ready(); });
  EXPECT_THAT(lines(rest.plan()), ElementsAre("delete pod web-aaaae"));
}

TEST(ScaleInTest, ReadyPodsCostTheBudgetBrokenOnesGoFreely) {
  auto world = at_rest(clone_set().replicas(2).max_unavailable(1));
  world.new_pods(3, [](PodBuilder& p) { p.not_ready(); }).new_pods(2);
  EXPECT_EQ(writes(world.plan(), "delete pod"), 3);
}

TEST(ScaleInTest, ToZeroDeletesAll) {
  auto world = at_rest(clone_set().replicas(0));
  world.new_pods(4);
  EXPECT_EQ(writes(world.plan(), "delete pod"), 4);
  EXPECT_TRUE(world.plan().status);
}

// CloneSet §13.2, §26, 0.9: a planned deletion ignored maxUnavailable and could not surge.
TEST(PlannedDeletionTest, TheThreeExamples) {
  // pod a broken, rest ready, full size: maxUnavailable 2, surge 1, plan b: b goes at once.
  const auto build = [](int max_unavailable, std::size_t planned) {
    auto world = at_rest(clone_set().replicas(3).max_unavailable(max_unavailable).max_surge(1));
    world.new_pods(1, [](PodBuilder& p) { p.not_ready(); }).new_pods(2);
    world.set.to_delete({name_of(world, planned)});
    return world;
  };
  EXPECT_THAT(lines(build(2, 1).plan()), ElementsAre("delete pod web-aaaac"));
  // maxUnavailable 1: one extra pod first, b goes when that is ready.
  auto world = build(1, 1);
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
  EXPECT_EQ(writes(world.plan(), "delete"), 0);
  world.new_pods(1, [](PodBuilder& p) { p.not_ready(); });
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  EXPECT_THAT(reasons(world.plan()),
              HasSubstr("web-aaaac maxUnavailable: held: to be deleted (named for deletion), but maxUnavailable 1 of 3"));
  world.observed.pods.pop_back();
  world.new_pods(1);
  EXPECT_THAT(lines(world.plan()), ElementsAre("delete pod web-aaaac"));
  // plan a, the broken one: it goes at once.
  EXPECT_THAT(lines(build(1, 0).plan()), ElementsAre("delete pod web-aaaab"));
}

// CloneSet §25.12.
TEST(PlannedDeletionTest, WithReplicasLoweredExactlyThesePodsGo) {
  auto world = at_rest(clone_set().replicas(2).max_unavailable(1));
  world.new_pods(3);
  world.set.to_delete({name_of(world, 2)});
  EXPECT_THAT(lines(world.plan()), ElementsAre("delete pod web-aaaad"));
}

TEST(PlannedDeletionTest, AnyValueOfTheLabelCounts) {
  auto world = at_rest(clone_set().replicas(2).max_unavailable(2));
  world.new_pods(1).new_pods(1, [](PodBuilder& p) { p.label(api::kLabelSpecifiedDelete, "false"); });
  EXPECT_THAT(lines(world.plan()), ElementsAre("delete pod web-aaaac"));
}

TEST(PlannedDeletionTest, NamesOfPodsThatAreGoneLeaveTheList) {
  auto world = at_rest(clone_set().replicas(1));
  world.new_pods(1);
  world.set.to_delete({"web-gone", name_of(world, 0)});
  const auto next = world.plan();
  ASSERT_THAT(next.cleanup, SizeIs(1));
  EXPECT_EQ(next.cleanup[0].patch_type, client::PatchType::kJson);
  const json patch = json::parse(next.cleanup[0].body);
  EXPECT_EQ(patch[0], json::parse(R"({"op":"test","path":"/metadata/uid","value":"set-uid"})"));
  EXPECT_EQ(patch[1]["value"], json({"web-gone", "web-aaaab"}));
  EXPECT_EQ(patch[2], json::parse(R"({"op":"replace","path":"/spec/scaleStrategy/podsToDelete","value":["web-aaaab"]})"));
}

// CloneSet §25.13.
TEST(PlannedDeletionTest, AHookedPodStaysListedUntilItIsInactive) {
  auto world = at_rest(clone_set().replicas(1).lifecycle({.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}}));
  world.new_pods(1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingDelete); });
  world.set.to_delete({name_of(world, 0)});
  const auto next = world.plan();
  EXPECT_THAT(lines(next), IsEmpty());
  EXPECT_THAT(reasons(next), HasSubstr("once label hold=true is removed"));
}

TEST(DeletionHookTest, AsksFirstThenDeletes) {
  const api::Lifecycle lifecycle{.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}};
  auto world = at_rest(clone_set().replicas(1).lifecycle(lifecycle));
  world.new_pods(2, [](PodBuilder& p) { p.label("hold", "true"); });
  const auto asked = world.plan();
  EXPECT_THAT(lines(asked), ElementsAre("patch pod web-aaaab: set state PreparingDelete"));
  EXPECT_THAT(asked.steps.at(0).chains.at(0).at(0).body, HasSubstr("lifecycle.apps.kruise.io/timestamp"));
  // Waiting, then released.
  auto later = at_rest(clone_set().replicas(1).lifecycle(lifecycle));
  later.new_pods(1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingDelete); }).new_pods(1);
  EXPECT_THAT(lines(later.plan()), IsEmpty());
  auto released = at_rest(clone_set().replicas(1).lifecycle(lifecycle));
  released.new_pods(1, [](PodBuilder& p) { p.state(api::kLifecyclePreparingDelete); }).new_pods(1);
  EXPECT_THAT(lines(released.plan()), ElementsAre("delete pod web-aaaab"));
}

TEST(DeletionHookTest, IsCancelledWhenThePodIsWantedAgain) {
  api::Lifecycle lifecycle{.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}};
  auto world = at_rest(clone_set().replicas(2).lifecycle(lifecycle));
  world.new_pods(2, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingDelete); }).new_pods(1);
  const auto next = world.plan();
  EXPECT_THAT(lines(next), ElementsAre("patch pod web-aaaab: cancel deletion"));
  EXPECT_THAT(next.steps.at(0).chains.at(0).at(0).body, HasSubstr(R"("lifecycle.apps.kruise.io/state":"PreparingNormal")"));
  // A planned one is not cancelled, nor where a hook marks pods as not ready.
  world.set.to_delete({name_of(world, 0), name_of(world, 1)});
  EXPECT_EQ(writes(world.plan(), "patch pod"), 0);
  world.set.to_delete({});
  lifecycle.pre_delete->mark_pod_not_ready = true;
  world.set.lifecycle(lifecycle);
  EXPECT_EQ(writes(world.plan(), "patch pod"), 0);
}

TEST(DeletionHookTest, ExcludingPreparingDeleteReplacesAtOnce) {
  const api::Lifecycle lifecycle{.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}};
  auto world = at_rest(clone_set().replicas(3).lifecycle(lifecycle));
  world.new_pods(2).new_pods(
      1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingDelete).specified_delete(); });
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  world.set.set.meta.labels[std::string(api::kLabelExcludePreparingDelete)] = "True";
  EXPECT_THAT(lines(world.plan()), IsEmpty());
  world.set.set.meta.labels[std::string(api::kLabelExcludePreparingDelete)] = "true";
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
  world.set.set.meta.labels.clear();
  world.observed.options.exclude_preparing_delete = true;  // the manager's flag
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
}

TEST(DeletionHookTest, TheFieldOfTheSetSaysTheSameAsTheLabel) {
  const api::Lifecycle lifecycle{.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}};
  auto world = at_rest(clone_set().replicas(3).lifecycle(lifecycle));
  world.new_pods(2).new_pods(
      1, [](PodBuilder& p) { p.label("hold", "true").state(api::kLifecyclePreparingDelete).specified_delete(); });
  world.set.set.spec.scale_strategy.exclude_preparing_delete = true;
  EXPECT_EQ(writes(world.plan(), "create pod"), 1);
}

TEST(ScaleInTest, TheCheapestGoFirstAndThoseThatShareANode) {
  auto world = at_rest(clone_set().replicas(3).max_unavailable(api::IntOrString{"100%"}));
  int made = 0;
  // Ready for ever shorter; the first two share a node, the fourth is cheap.
  world.new_pods(4, [&](PodBuilder& p) {
    p.ready(-500 + made).node(made < 2 ? "n1" : "n" + std::to_string(made));
    if (made++ == 3) p.annotation(api::kAnnotationPodDeletionCost, "-5");
  });
  EXPECT_THAT(lines(world.plan()), Contains("delete pod " + name_of(world, 3)));
  EXPECT_THAT(reasons(world.plan()), HasSubstr("deletion cost -5"));
  world.set.replicas(2);
  EXPECT_THAT(lines(world.plan()), UnorderedElementsAre("delete pod " + name_of(world, 3), "delete pod " + name_of(world, 1)));
}

TEST(ScaleInTest, DomainsOfTheTemplatesConstraintsAreEvenedOut) {
  const std::string constrained =
      R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:2"}],
      "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]}})";
  auto world = at_rest(clone_set().replicas(3).max_unavailable(api::IntOrString{"100%"}));
  world.set.pod_template(constrained);
  int made = 0;
  world.new_pods(4, [&](PodBuilder& p) { p.ready(-500 + made).node("n" + std::to_string(made)), ++made; });
  for (int i = 0; i < 4; ++i) {
    auto node = std::make_shared<api::Node>();
    node->meta.name = "n" + std::to_string(i);
    node->meta.labels["zone"] = i < 3 ? "a" : "b";
    world.observed.nodes.push_back(node);
  }
  // Without the constraint the last one, the youngest, would go.
  EXPECT_THAT(lines(world.plan()), Contains("delete pod " + name_of(world, 2)));
  world.observed.nodes.clear();
  EXPECT_THAT(lines(world.plan()), Contains("delete pod " + name_of(world, 3)));
}

TEST(InstanceIdTest, FailuresOfDifferentNewPodsReadAlike) {
  EXPECT_EQ(with_ids_masked(R"(pods "web-bcd24" is forbidden: exceeded quota of web-team)", "web"),
            R"(pods "web-*" is forbidden: exceeded quota of web-team)");
  EXPECT_EQ(with_ids_masked(R"(claims "data-web-zzzzz" and "data-web-22222")", "web"), R"(claims "data-web-*" and "data-web-*")");
  EXPECT_EQ(with_ids_masked("web-bcd2 web-bcd245 web- we", "web"), "web-bcd2 web-bcd245 web- we");
  World world(clone_set().replicas(2));
  const auto told = [&](const char* pod) {
    const client::ApiError quota{.code = 403, .reason = "Forbidden", .message = std::string("pods \"") + pod + "\" is forbidden"};
    return world.plan().status_after_error(quota)->body;
  };
  EXPECT_EQ(told("web-bcdfg"), told("web-hjklm"));
}

TEST(InstanceIdTest, FreshOnesAreFiveSafeCharactersAndUnique) {
  base::Random random(3);
  const auto ids = choose_instance_ids("web", {}, 2000, random);
  ASSERT_THAT(ids, SizeIs(2000));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i].id.size(), 5U);
    EXPECT_EQ(ids[i].id.find_first_not_of("bcdfghjklmnpqrstvwxz2456789"), std::string::npos);
    if (i > 0) {
      EXPECT_LT(ids[i - 1].id, ids[i].id);
    }
  }
}

}  // namespace
}  // namespace kruise::controllers::cloneset
