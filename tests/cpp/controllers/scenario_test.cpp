// CloneSets from end to end in virtual time, on the embedded API server with simulated nodes. Every write of the controller is
// judged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include <algorithm>
#include "api/names.hpp"
#include "base/log.hpp"
#include "client/request.hpp"
#include "controllers/cloneset_builders.hpp"

#include "controllers/rig.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string image_patch(const std::string& image, const std::string& strategy = "{}") {
  return R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":")" + image + R"("}]}},"updateStrategy":)" +
         strategy + "}}";
}

std::set<std::string> uids(const std::vector<json>& objects) {
  std::set<std::string> all;
  for (const auto& o : objects) all.insert(o["metadata"]["uid"]);
  return all;
}

std::string state_of(const json& pod) { return pod["metadata"]["labels"].value("lifecycle.apps.kruise.io/state", ""); }

class ScenarioTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(rig.invariants.violations, IsEmpty()); }
  int written(const std::string& what) { return std::exchange(rig.invariants.writes[what], 0); }
  Rig rig;
};

TEST_F(ScenarioTest, CreatesTwentyPodsWithTwoWritesEach) {
  rig.create(clone_set().replicas(20).in_place());
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(written("ADDED pods"), 20);
  EXPECT_EQ(written("MODIFIED pods"), 20);
  EXPECT_EQ(rig.set()["status"]["currentRevision"], rig.set()["status"]["updateRevision"]);
}

TEST_F(ScenarioTest, UpdatesInPlaceByPartitionsWithThreeWritesAPod) {
  rig.create(clone_set().replicas(20).in_place());
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const auto before = uids(rig.pods());
  rig.invariants.writes.clear();
  rig.patch(image_patch("nginx:2", R"({"partition":"80%"})"));
  ASSERT_TRUE(rig.wait([&] { return rig.set()["status"].value("updatedAvailableReplicas", 0) == 4; })) << rig.set().dump(1);
  rig.run(std::chrono::minutes(1));
  EXPECT_EQ(rig.with_image("nginx:2"), 4);
  EXPECT_EQ(written("MODIFIED pods"), 12);
  rig.patch(R"({"spec":{"updateStrategy":{"partition":"50%"}}})");
  ASSERT_TRUE(rig.wait([&] { return rig.set()["status"].value("updatedAvailableReplicas", 0) == 10; }));
  rig.patch(R"({"spec":{"updateStrategy":{"partition":0}}})");
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  EXPECT_EQ(uids(rig.pods()), before);
  for (const auto& pod : rig.pods()) EXPECT_EQ(pod["status"]["containerStatuses"][0]["restartCount"], 1);
  EXPECT_EQ(written("MODIFIED pods"), 48);
  EXPECT_EQ(written("ADDED pods"), 0);
}

TEST_F(ScenarioTest, ReplacesPodsWithSurge) {
  rig.create(clone_set().replicas(5).max_surge(2).max_unavailable(0));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const auto before = uids(rig.pods());
  rig.patch(image_patch("nginx:2"));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  std::set<std::string> kept;
  std::ranges::set_intersection(uids(rig.pods()), before, std::inserter(kept, kept.end()));
  EXPECT_THAT(kept, IsEmpty());
}

TEST_F(ScenarioTest, ReplacesPodsWithinMaxUnavailable) {
  rig.create(clone_set().replicas(6).max_unavailable(2));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.patch(image_patch("nginx:2"));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(rig.with_image("nginx:2"), 6);
}

TEST_F(ScenarioTest, ABadImageIsRolledBackMidway) {
  rig.nodes.fail_image("nginx:bad");
  rig.create(clone_set().replicas(10).in_place().max_unavailable(3));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const auto before = uids(rig.pods());
  const std::string first = rig.set()["status"]["updateRevision"];
  rig.patch(image_patch("nginx:bad"));
  rig.run(std::chrono::minutes(2));
  EXPECT_EQ(rig.with_image("nginx:bad"), 3);
  rig.patch(image_patch("nginx:1"));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(rig.with_image("nginx:1"), 10);
  EXPECT_EQ(uids(rig.pods()), before);
  EXPECT_EQ(rig.set()["status"]["updateRevision"], first);
}

TEST_F(ScenarioTest, ANamedPodIsReplacedAndItsNameForgotten) {
  rig.create(clone_set().replicas(5));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const std::string victim = rig.pods()[2]["metadata"]["name"];
  rig.patch(R"({"spec":{"scaleStrategy":{"podsToDelete":[")" + victim + R"("]}}})");
  ASSERT_TRUE(rig.wait([&] {
    for (const auto& pod : rig.pods()) {
      if (pod["metadata"]["name"] == victim) return false;
    }
    return rig.rolled_out();
  }));
  ASSERT_TRUE(rig.wait([&] { return rig.set()["spec"]["scaleStrategy"].value("podsToDelete", json::array()).empty(); }))
      << rig.set().dump(1);
  EXPECT_THAT(rig.pods(), SizeIs(5));
}

TEST_F(ScenarioTest, ScalesOutAndIn) {
  rig.create(clone_set().replicas(3));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.patch(R"({"spec":{"replicas":9}})");
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.patch(R"({"spec":{"replicas":2}})");
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  rig.patch(R"({"spec":{"replicas":0}})");
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kPods).empty(); }));
}

TEST_F(ScenarioTest, ClaimsStayWithTheirIds) {
  rig.create(clone_set().replicas(3).claim_template("data"));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(written("ADDED persistentvolumeclaims"), 3);
  const auto claims = uids(rig.list(api::kClaims));
  // Deleted by somebody else: the next pod takes name and claims over.
  const std::string name = rig.pods()[0]["metadata"]["name"];
  const std::string uid = rig.pods()[0]["metadata"]["uid"];
  rig.send(client::remove(api::kPods, {"default", name}));
  ASSERT_TRUE(rig.wait([&] {
    for (const auto& pod : rig.pods()) {
      if (pod["metadata"]["name"] == name && pod["metadata"]["uid"] != uid) return rig.rolled_out();
    }
    return false;
  })) << rig.set().dump(1);
  EXPECT_EQ(uids(rig.list(api::kClaims)), claims);
  // Scaled in by the controller: the claim goes too.
  rig.patch(R"({"spec":{"replicas":2}})");
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kClaims).size() == 2; }));
}

TEST_F(ScenarioTest, HooksHoldUpdatesAndDeletions) {
  auto set = clone_set().replicas(3).in_place().max_unavailable(1);
  set.pod_template(
      R"({"metadata":{"labels":{"app":"web","hold":"true"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}})");
  const api::LifecycleHook hook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {}};
  set.lifecycle({.pre_delete = hook, .in_place_update = hook, .pre_normal = {}});
  rig.create(set);
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  rig.patch(image_patch("nginx:2"));
  // A user's controller: releases who waits, gives back who was updated.
  std::set<std::string> seen;
  ASSERT_TRUE(rig.wait([&] {
    for (const auto& pod : rig.pods()) {
      seen.insert(state_of(pod));
      const std::string hold = pod["metadata"]["labels"].value("hold", "");
      if (state_of(pod) == "PreparingUpdate" && hold == "true")
        rig.patch_pod(pod["metadata"]["name"], R"({"metadata":{"labels":{"hold":"false"}}})");
      if (state_of(pod) == "Updated" && hold != "true")
        rig.patch_pod(pod["metadata"]["name"], R"({"metadata":{"labels":{"hold":"true"}}})");
    }
    return rig.rolled_out();
  })) << rig.set().dump(1);
  EXPECT_TRUE(seen.contains("PreparingUpdate") && seen.contains("Updating") && seen.contains("Updated"));
  rig.patch(R"({"spec":{"replicas":2}})");
  ASSERT_TRUE(rig.wait([&] {
    for (const auto& pod : rig.pods()) {
      if (state_of(pod) == "PreparingDelete") return true;
    }
    return false;
  }));
  rig.run(std::chrono::minutes(1));
  EXPECT_THAT(rig.pods(), SizeIs(3));
  for (const auto& pod : rig.pods()) {
    if (state_of(pod) == "PreparingDelete") rig.patch_pod(pod["metadata"]["name"], R"({"metadata":{"labels":{"hold":null}}})");
  }
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kPods).size() == 2; }));
}

TEST_F(ScenarioTest, PausedSetsUpdateNothingButHeal) {
  rig.create(clone_set().replicas(4).in_place());
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.patch(image_patch("nginx:2", R"({"paused":true})"));
  rig.run(std::chrono::minutes(1));
  EXPECT_EQ(rig.with_image("nginx:1"), 4);
  rig.nodes.fail_pod("default/" + rig.pods()[0]["metadata"]["name"].get<std::string>());
  ASSERT_TRUE(rig.wait([&] { return rig.pods().size() == 4 && rig.set()["status"].value("availableReplicas", 0) == 4; }))
      << rig.set().dump(1);
  rig.patch(R"({"spec":{"updateStrategy":{"paused":false}}})");
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
}

TEST_F(ScenarioTest, GraceDrainsBeforeTheChange) {
  rig.create(clone_set().replicas(2).in_place().max_unavailable(1).grace(30));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.patch(image_patch("nginx:2", R"({"inPlaceUpdateStrategy":{"gracePeriodSeconds":30}})"));
  rig.run(std::chrono::seconds(20));
  EXPECT_EQ(rig.with_image("nginx:2"), 0);
  EXPECT_EQ(rig.set()["status"].value("updatedReplicas", 0), 1);
  rig.run(std::chrono::seconds(15));
  EXPECT_EQ(rig.with_image("nginx:2"), 1);
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
}

TEST_F(ScenarioTest, ReleasedPodsAreReplacedAndOrphansOfTheSetAdopted) {
  rig.create(clone_set().replicas(2));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const std::string name = rig.pods()[0]["metadata"]["name"];
  rig.patch_pod(name, R"({"metadata":{"labels":{"app":"stray"}}})");
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kPods).size() == 3 && rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_TRUE(rig.pod(name)["metadata"].value("ownerReferences", json::array()).empty());
  // One that still names the set, but nobody as its controller.
  const json pod = rig.pods()[1];
  json owners = pod["metadata"]["ownerReferences"];
  owners[0]["controller"] = false;
  rig.patch_pod(pod["metadata"]["name"], json({{"metadata", {{"ownerReferences", owners}}}}).dump());
  ASSERT_TRUE(rig.wait([&] { return rig.pod(pod["metadata"]["name"])["metadata"]["ownerReferences"][0]["controller"] == true; }));
  EXPECT_THAT(rig.list(api::kPods), SizeIs(3));
}

TEST_F(ScenarioTest, ABadSetIsTouchedByNothingUntilItIsRepaired) {
  rig.create(clone_set().replicas(3).partition("many"));
  rig.run(std::chrono::seconds(30));
  EXPECT_THAT(rig.list(api::kPods), IsEmpty());
  const json condition = rig.set()["status"]["conditions"][0];
  EXPECT_EQ(condition["type"], "FailedScale");
  EXPECT_THAT(condition["message"].get<std::string>(), ::testing::HasSubstr("spec.updateStrategy.partition"));
  rig.patch(R"({"spec":{"updateStrategy":{"partition":0}}})");
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  EXPECT_FALSE(rig.set()["status"].contains("conditions"));
}

TEST_F(ScenarioTest, AControllerKilledAtAnyTimeIsCarriedOnFrom) {
  rig.create(clone_set().replicas(8).in_place().max_unavailable(3));
  for (int i = 0; i < 6; ++i) {
    rig.run(std::chrono::milliseconds(700));
    rig.restart_controller();
  }
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  rig.patch(image_patch("nginx:2"));
  for (int i = 0; i < 12; ++i) {
    rig.run(std::chrono::milliseconds(430));
    rig.restart_controller();
  }
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_THAT(rig.list(api::kPods), SizeIs(8));
}

TEST(FaultyScenarioTest, UnderFaultsNeverUnsafeAfterwardsRight) {
  // Refused calls are warnings, which are what this is about; an error would still be one too many.
  const base::log::Capture capture([](base::log::Level level, std::string_view, const std::string& line) {
    if (level == base::log::Level::kError) ADD_FAILURE() << line;
  });
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Random random(seed);
    Rig rig(seed);
    rig.fault(0.05 + 0.3 * random.unit());
    const bool in_place = random.below(2) == 0;
    auto set = clone_set().replicas(6).max_unavailable(2);
    if (in_place) set.in_place();
    if (random.below(2) == 0) set.max_surge(1);
    if (random.below(3) == 0) set.claim_template("data");
    rig.create(set);
    rig.run(std::chrono::seconds(20));
    for (int i = 1; i <= 4; ++i) {
      rig.patch(image_patch("nginx:" + std::to_string(random.below(3))));
      if (random.below(2) == 0) rig.patch(R"({"spec":{"replicas":)" + std::to_string(4 + random.below(4)) + "}}");
      rig.run(std::chrono::milliseconds(random.below(12'000)));
      if (random.below(2) == 0) rig.restart_controller();
    }
    rig.fault(0);
    EXPECT_TRUE(rig.wait([&] { return rig.rolled_out(); }, std::chrono::minutes(30))) << rig.set().dump(1);
    EXPECT_THAT(rig.invariants.violations, IsEmpty());
  }
}

TEST_F(ScenarioTest, HistoryIsTrimmed) {
  auto set = clone_set().replicas(1).in_place().max_unavailable(1);
  set.set.spec.revision_history_limit = 2;
  rig.create(set);
  for (int i = 1; i <= 6; ++i) {
    rig.patch(image_patch("nginx:" + std::to_string(i)));
    ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << i << rig.set().dump(1);
  }
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kRevisions).size() <= 3; }));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
