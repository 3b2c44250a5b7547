// Properties of the filter and of the watches: what is dropped changes no plan, and every other event names its set.
#include "controllers/cloneset/event_filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cloneset/watches.hpp"
#include "controllers/cloneset_builders.hpp"
#include "workload/in_place_state.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// Changes that a pod goes through, relevant and not.
const std::vector<std::function<void(PodBuilder&)>>& mutations() {
  static const std::vector<std::function<void(PodBuilder&)>> kAll{
      [](PodBuilder& p) { p.version("101"); },
      [](PodBuilder& p) { p.fields.meta.generation += 1; },
      [](PodBuilder& p) { p.condition("PodScheduled", api::Tristate::kTrue); },
      [](PodBuilder& p) { p.condition("Custom", api::Tristate::kFalse, -3); },
      [](PodBuilder& p) { p.fields.statuses[0].ready = !p.fields.statuses[0].ready; },
      [](PodBuilder& p) { p.fields.claim_names.emplace_back("x"); },
      [](PodBuilder& p) { p.not_ready(); },
      [](PodBuilder& p) { p.ready(-1); },
      [](PodBuilder& p) { p.in_place_ready(false); },
      [](PodBuilder& p) { p.drop_condition(api::kConditionInPlaceUpdateReady); },
      [](PodBuilder& p) { p.condition(api::kConditionContainersReady, api::Tristate::kFalse); },
      [](PodBuilder& p) { p.phase(api::PodPhase::kFailed); },
      [](PodBuilder& p) { p.phase(api::PodPhase::kPending); },
      [](PodBuilder& p) { p.terminating(); },
      [](PodBuilder& p) { p.node(""); },
      [](PodBuilder& p) { p.label("hold", "true"); },
      [](PodBuilder& p) { p.label("app", "stray"); },
      [](PodBuilder& p) { p.specified_delete(); },
      [](PodBuilder& p) { p.finalizer("example.com/hold"); },
      [](PodBuilder& p) { p.state(api::kLifecyclePreparingNormal); },
      [](PodBuilder& p) { p.state(api::kLifecycleUpdated); },
      [](PodBuilder& p) { p.restarts(4); },
      [](PodBuilder& p) { p.status("nginx:2", "id-nginx:2"); },
      [](PodBuilder& p) { p.image("nginx:2"); },
      [](PodBuilder& p) { p.no_gate(); },
      [](PodBuilder& p) { p.created(-1); },
      [](PodBuilder& p) {
        p.annotation(api::kAnnotationInPlaceState, R"({"lastContainerStatuses":{"main":{"imageID":"id-nginx:1"}}})");
      },
      [](PodBuilder& p) {
        p.state(api::kLifecycleUpdating)
            .annotation(
                api::kAnnotationInPlaceState,
                R"({"nextContainerImages":{"main":"nginx:9"},"preCheckBeforeNext":{"containersRequiredReady":["main"]}})");
      },
      [](PodBuilder& p) {
        p.state(api::kLifecycleUpdating).annotation(api::kAnnotationInPlaceState, R"({"updateEnvFromMetadata":true})");
      },
      [](PodBuilder& p) { p.fields.containers[0].metadata_env = {{"NOTE", api::MetadataMap::kAnnotations, "note"}}; },
      [](PodBuilder& p) { p.annotation("note", "new"); },
      [](PodBuilder& p) { p.runtime_meta(); },
      [](PodBuilder& p) { p.annotation(api::kAnnotationInPlaceGrace, R"({"graceSeconds":9})"); },
      [](PodBuilder& p) { p.fields.meta.owners.clear(); },
  };
  return kAll;
}

/// A plan's decisions, without the versions that it takes as preconditions.
std::string decisions(const runtime::Plan& plan) {
  std::string text;
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) text += write.key.name + write.purpose + write.subresource + write.body + "\n";
    }
  }
  text += plan.status ? plan.status->body : "";
  text += plan.error.value_or("") + (plan.requeue ? std::to_string(plan.requeue->count()) : "") + reasons(plan);
  return text;
}

TEST(EventFilterTest, EveryDroppedEventIsAProvenNoOp) {
  base::Random random(11);
  int dropped = 0;
  const World prototype(clone_set().in_place().max_unavailable(2).lifecycle(
      {.pre_delete = api::LifecycleHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}},
       .in_place_update = api::LifecycleHook{.labels_handler = {}, .finalizers_handler = {"example.com/hold"}},
       .pre_normal = {}}));
  for (int round = 0; round < 1500; ++round) {
    World world = prototype;
    world.set.replicas(static_cast<int>(random.below(5)));
    if (random.below(2) == 0) world.set.type("ReCreate").max_surge(1);
    const auto shake = [&](PodBuilder& p) {
      for (auto n = random.below(4); n > 0; --n) mutations()[random.below(mutations().size())](p);
    };
    world.old_pods(2, shake).new_pods(2, shake);
    auto before = member("web", "changing", random.below(2) == 0 ? world.old_revision : world.new_revision);
    shake(before);
    auto after = before;
    mutations()[random.below(mutations().size())](after);
    World then = world;
    world.add(before);
    then.add(after);
    if (!is_no_op(*before.ptr(), *after.ptr())) continue;
    ++dropped;
    ASSERT_EQ(decisions(world.plan()), decisions(then.plan())) << "round " << round;
  }
  EXPECT_GT(dropped, 200);
}

// CloneSet §26, 1.9; users #2473, #925, #947: finalizers of preNormal and a pod turning Failed were dropped.
TEST(EventFilterTest, KeepsTheEdgesThatOthersLost) {
  const auto base = [] { return member("web", "aaaaa", "web-1"); };
  const auto kept = [&](const std::function<void(PodBuilder&)>& change) {
    auto after = base();
    change(after.version("101"));
    return !is_no_op(*base().ptr(), *after.ptr());
  };
  EXPECT_TRUE(kept([](PodBuilder& p) { p.phase(api::PodPhase::kFailed); }));
  EXPECT_TRUE(kept([](PodBuilder& p) { p.finalizer("any"); }));
  EXPECT_TRUE(kept([](PodBuilder& p) { p.status("nginx:1", "other-id"); }));
  EXPECT_TRUE(kept([](PodBuilder& p) { p.terminating(); }));
  EXPECT_FALSE(kept([](PodBuilder&) {}));
  EXPECT_FALSE(kept([](PodBuilder& p) { p.condition("PodScheduled", api::Tristate::kTrue); }));
}

// ---- watches

struct Watched {
  Watched() {
    watch({sets, pods, claims, revisions}, [this](const api::Key& key, runtime::Cause cause) {
      keys.push_back(key.name);
      last_cause = cause;
    });
    sets.end_list(1);
    pods.end_list(1);
    claims.end_list(1);
    revisions.end_list(1);
  }
  std::vector<std::string> taken() { return std::exchange(keys, {}); }
  void put(PodBuilder p) { pods.put(p.version(std::to_string(++version)).ptr(), 1); }
  void put(const api::CloneSet& set) {
    auto copy = std::make_shared<api::CloneSet>(set);
    copy->meta.resource_version = std::to_string(++version);
    sets.put(copy, 1);
  }
  void put(const api::Claim& c) {
    auto copy = std::make_shared<api::Claim>(c);
    copy->meta.resource_version = std::to_string(++version);
    claims.put(copy, 1);
  }

  cache::Store<api::CloneSet> sets;
  cache::Store<api::Pod> pods;
  cache::Store<api::Claim> claims;
  cache::Store<api::Revision> revisions;
  std::vector<std::string> keys;
  runtime::Cause last_cause = runtime::Cause::kChange;
  int version = 10;
};

TEST(WatchesTest, SetsNameThemselvesEditsFirst) {
  Watched w;
  SetBuilder set = clone_set("web");
  set.set.spec.replicas.reset();
  w.put(set.set);
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  set.set.status.replicas = 3;
  w.put(set.set);
  EXPECT_EQ(w.last_cause, runtime::Cause::kChange);
  set.set.meta.generation = 2;
  w.put(set.set);
  EXPECT_EQ(w.last_cause, runtime::Cause::kUserEdit);
  w.taken();
  w.sets.erase({"default", "web"}, static_cast<std::uint64_t>(++w.version));
  EXPECT_THAT(w.taken(), ElementsAre("web"));
}

// CloneSet §26, 1.3: a full list flooded the queue at start.
TEST(WatchesTest, WhatAStartListsIsNoNews) {
  cache::Store<api::CloneSet> sets;
  cache::Store<api::Pod> pods;
  cache::Store<api::Claim> claims;
  cache::Store<api::Revision> revisions;
  std::vector<runtime::Cause> causes;
  watch({sets, pods, claims, revisions}, [&](const api::Key&, runtime::Cause cause) { causes.push_back(cause); });
  sets.list_item(std::make_shared<const api::CloneSet>(clone_set("web").set), 1);
  sets.end_list(60);
  pods.list_item(member("web", "aaaaa", "web-1").ptr(), 1);
  pods.end_list(101);
  EXPECT_THAT(causes, ElementsAre(runtime::Cause::kResync, runtime::Cause::kResync));
}

// Users #2520: an owner reference with an old API version was ignored.
TEST(WatchesTest, PodsNameTheirControllerWhateverItsVersion) {
  Watched w;
  w.put(member("web", "aaaaa", "web-1"));
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  auto other_version = member("web", "bbbbb", "web-1");
  other_version.fields.meta.owners[0].api_version = "apps.kruise.io/v1beta1";
  w.put(other_version);
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  auto other_group = member("web", "ccccc", "web-1");
  other_group.fields.meta.owners[0].api_version = "example.com/v1";
  w.put(other_group);
  EXPECT_THAT(w.taken(), IsEmpty());
}

TEST(WatchesTest, NoOpsAreDroppedEdgesAreNot) {
  Watched w;
  auto p = member("web", "aaaaa", "web-1");
  w.put(p);
  w.taken();
  w.put(p.condition("PodScheduled", api::Tristate::kTrue));
  EXPECT_THAT(w.taken(), IsEmpty());
  w.put(p.phase(api::PodPhase::kFailed));
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  w.put(p.terminating());
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  w.pods.erase({"default", "web-aaaaa"}, static_cast<std::uint64_t>(++w.version));
  EXPECT_THAT(w.taken(), ElementsAre("web"));
}

// CloneSet §26, by reading: a pod first seen terminating left its creation expected for ever.
TEST(WatchesTest, APodCreatedAlreadyTerminatingNamesItsSet) {
  Watched w;
  w.put(member("web", "aaaaa", "web-1").terminating());
  EXPECT_THAT(w.taken(), ElementsAre("web"));
}

TEST(WatchesTest, AChangedControllerNamesBoth) {
  Watched w;
  auto p = member("web", "aaaaa", "web-1");
  w.put(p);
  w.taken();
  p.fields.meta.owners[0].name = "other";
  w.put(p);
  EXPECT_THAT(w.taken(), UnorderedElementsAre("web", "other"));
}

TEST(WatchesTest, OrphansNameEverySetThatMatches) {
  Watched w;
  w.put(clone_set("web").set);
  auto twin = clone_set("twin");
  twin.set.spec.selector.match_labels = {{"app", "web"}};
  w.put(twin.set);
  auto empty = clone_set("empty");
  empty.set.spec.selector = {};
  w.put(empty.set);
  w.taken();
  auto p = pod("stray").label("app", "web");
  w.put(p);
  EXPECT_THAT(w.taken(), UnorderedElementsAre("web", "twin"));
  w.put(p.label("app", "none"));
  EXPECT_THAT(w.taken(), IsEmpty());
  w.sets.erase({"default", "twin"}, static_cast<std::uint64_t>(++w.version));
  w.taken();
  w.put(p.label("app", "web"));
  EXPECT_THAT(w.taken(), ElementsAre("web"));
}

TEST(WatchesTest, ClaimsMatterWhenTheyComeOrGo) {
  Watched w;
  auto c = std::make_shared<api::Claim>(*claim("data-web-aaaaa", "aaaaa"));
  w.put(*c);
  EXPECT_THAT(w.taken(), ElementsAre("web"));
  c->meta.annotations["bound"] = "yes";
  w.put(*c);
  EXPECT_THAT(w.taken(), IsEmpty());
  c->meta.deletion_timestamp = at(-1);
  w.put(*c);
  EXPECT_THAT(w.taken(), ElementsAre("web"));
}

// ---- the shell

TEST(ReconcilerTest, GathersWhatThePlanNeeds) {
  Watched w;
  auto reconciler = std::make_unique<CloneSetReconciler>(Stores{w.sets, w.pods, w.claims, w.revisions});
  auto set = clone_set("web").replicas(2).claim_template("data");
  w.put(set.set);
  const auto plain = revision_of(set, 1);
  // An orphaned revision of its own, one that names another owner, and one that holds the name.
  auto orphan = std::make_shared<api::Revision>(*plain);
  orphan->meta.owners.clear();
  orphan->meta.resource_version = "90";
  w.revisions.put(orphan, 1);
  w.version = 100;
  w.put(member("web", "aaaaa", plain->meta.name));
  w.put(member("web", "bbbbb", plain->meta.name).terminating());
  w.put(pod("web-alien").label("app", "web"));
  w.put(*claim("data-web-alien", "alien"));
  const auto seen = reconciler->observed(*w.sets.get({"default", "web"}));
  EXPECT_EQ(seen.pods.size(), 2U);
  EXPECT_EQ(seen.claims.size(), 1U);
  ASSERT_EQ(seen.revisions.size(), 1U);
  EXPECT_EQ(seen.revisions[0]->meta.name, plain->meta.name);
  EXPECT_EQ(seen.name_holders.size(), 1U);
  ASSERT_EQ(seen.foreign_pods.size(), 1U);
  EXPECT_EQ(seen.foreign_pods[0]->name(), "web-alien");

  const auto look = reconciler->observe({"default", "web"});
  ASSERT_TRUE(look);
  const auto next = (*look)({.now = at(0), .random = base::Random(1)});
  EXPECT_EQ(writes(next, "create pod"), 1);
  EXPECT_EQ(writes(next, "create revision"), 0);
  EXPECT_FALSE(reconciler->observe({"default", "gone"}));
  EXPECT_EQ(reconciler->reference({"default", "web"}).uid, kSetUid);
}

}  // namespace
}  // namespace kruise::controllers::cloneset
