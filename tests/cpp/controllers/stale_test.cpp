// What others do beside the controller, and what it then sees too late or cannot write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api/names.hpp"
#include "base/log.hpp"
#include "controllers/cloneset_builders.hpp"
#include "controllers/rig.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kSecondImage = R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}}})";

class StaleTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(rig.invariants.violations, IsEmpty()); }
  std::set<std::string> uids() {
    std::set<std::string> all;
    for (const auto& pod : rig.pods()) all.insert(pod["metadata"]["uid"]);
    return all;
  }
  std::multiset<std::string> event_reasons() {
    std::multiset<std::string> reasons;
    for (const auto& event : rig.list(api::kEvents)) reasons.insert(event["reason"]);
    return reasons;
  }
  Rig rig;
  base::log::Capture quiet{[](auto, auto, const auto&) {}};
};

// A cache that lags and others that write: each write of the controller may find another version of its pod.
TEST_F(StaleTest, AStaleCacheMeetsConflictsAndBreaksNothing) {
  rig.create(clone_set().replicas(6).in_place().max_unavailable(2));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  const auto before = uids();
  const double failed = rig.failed_passes();
  rig.lag(std::chrono::seconds(3));
  rig.patch(kSecondImage);
  for (int round = 0; round < 60; ++round) {
    for (const auto& pod : rig.pods())
      rig.patch_pod(pod["metadata"]["name"], R"({"metadata":{"annotations":{"edit":")" + std::to_string(round) + R"("}}})");
    rig.run(std::chrono::milliseconds(500));
  }
  EXPECT_GT(rig.failed_passes(), failed + 3) << "no conflict: the test would prove nothing";
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(rig.with_image("nginx:2"), 6);
  EXPECT_EQ(uids(), before);
  EXPECT_THAT(event_reasons(), Not(Contains("FailedUpdatePodInPlace"))) << "a conflict is nobody's business";
}

// CloneSet §16.4, §26, 0.5: where the write of an update in place failed, the pod was replaced.
TEST_F(StaleTest, AFailedWriteInPlaceIsTriedAgainAndThePodKept) {
  rig.create(clone_set().replicas(3).in_place().max_unavailable(1));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  const auto before = uids();
  rig.inject([](const client::Request& request) -> cluster::Fault {
    const bool of_pod = request.method == "PATCH" && request.path.find("/pods/") != std::string::npos;
    if (!of_pod || request.path.ends_with("/status")) return {};
    return {.kind = cluster::Fault::Kind::kAnswer, .code = 500};
  });
  rig.patch(kSecondImage);
  rig.run(std::chrono::minutes(1));
  EXPECT_EQ(uids(), before);
  EXPECT_EQ(rig.with_image("nginx:1"), 3);
  EXPECT_THAT(event_reasons(), Contains("FailedUpdatePodInPlace"));
  ASSERT_TRUE(rig.set()["status"].contains("conditions")) << rig.set().dump(1);
  EXPECT_EQ(rig.set()["status"]["conditions"][0]["type"], "FailedUpdate");
  rig.inject({});
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }, std::chrono::minutes(30))) << rig.set().dump(1);
  EXPECT_EQ(uids(), before);
  EXPECT_FALSE(rig.set()["status"].contains("conditions"));
}

// A pod that the server finds invalid is a failure that the set tells, not a stale view.
TEST_F(StaleTest, AnInvalidPodIsToldByEventAndCondition) {
  auto set = clone_set().replicas(2);
  set.pod_template(
      R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1","ports":[{"containerPort":0}]}]}})");
  rig.create(set);
  rig.run(std::chrono::minutes(10));
  EXPECT_THAT(rig.pods(), IsEmpty());
  EXPECT_LE(rig.failed_passes(), 20) << "tried again with the back-off";
  EXPECT_LE(rig.invariants.writes["MODIFIED clonesets"], 3) << "told once";
  EXPECT_THAT(event_reasons(), Contains("FailedCreate"));
  ASSERT_TRUE(rig.set()["status"].contains("conditions")) << rig.set().dump(1);
  EXPECT_EQ(rig.set()["status"]["conditions"][0]["type"], "FailedScale");
  EXPECT_THAT(rig.set()["status"]["conditions"][0]["message"].get<std::string>(), ::testing::HasSubstr("containerPort"));
}

// Somebody deletes pods under the manager's hands: nothing is written twice, nothing is left behind.
TEST_F(StaleTest, PodsThatVanishUnderAnUpdateAreReplaced) {
  rig.create(clone_set().replicas(6).in_place().max_unavailable(2));
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); }));
  rig.lag(std::chrono::seconds(2));
  rig.patch(kSecondImage);
  for (int round = 0; round < 4; ++round) {
    rig.send(client::remove(api::kPods, {"default", rig.pods().front()["metadata"]["name"]}));
    rig.run(std::chrono::seconds(1));
  }
  ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
  EXPECT_EQ(rig.with_image("nginx:2"), 6);
  // A deletion that the controller has not heard of yet cannot count against its budget; every other rule held.
  std::erase_if(rig.invariants.violations, [](const std::string& what) { return what.starts_with("made unavailable"); });
}

}  // namespace
}  // namespace kruise::controllers::cloneset
