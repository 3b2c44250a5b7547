// What the controller asks of the server in the usual course of things, pinned to the least (docs/pod-writes.md): requests, not
// what came of them, so that a refused or an empty one counts. And how often it looks at a set at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "api/names.hpp"
#include "controllers/cloneset_builders.hpp"
#include "controllers/rig.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::IsEmpty;

/// "POST pods", "PATCH pods/status", ...: how often.
using Requests = std::map<std::string, int>;

std::string named(const client::Request& request) {
  std::string resource;
  for (const char* plural : {"persistentvolumeclaims", "controllerrevisions", "clonesets", "events", "pods"}) {
    const auto at = request.path.find(std::string("/") + plural);
    if (at == std::string::npos) continue;
    resource = plural;
    if (request.path.find("/status", at) != std::string::npos) resource += "/status";
    break;
  }
  return request.method + " " + resource;
}

class RequestsTest : public ::testing::Test {
 protected:
  RequestsTest() {
    rig.run(std::chrono::seconds(1));  // the first lists
    rig.inject([this](const client::Request& request) -> cluster::Fault {
      if (const std::string name = named(request); !name.ends_with(" events")) ++requests_[name];
      return {};
    });
  }
  void TearDown() override { EXPECT_THAT(rig.invariants.violations, IsEmpty()); }
  /// Those since the last call, of the set's status apart: they depend on how many changes one look sees.
  Requests sent() {
    Requests taken = std::exchange(requests_, {});
    status_writes_ = taken["PATCH clonesets/status"];
    taken.erase("PATCH clonesets/status");
    return taken;
  }
  void settle() {
    ASSERT_TRUE(rig.wait([&] { return rig.rolled_out(); })) << rig.set().dump(1);
    rig.run(std::chrono::minutes(1));
  }

  Rig rig;
  int status_writes_ = 0;

 private:
  Requests requests_;
};

TEST_F(RequestsTest, OfPodsWithClaimsFromCreationToDeletion) {
  rig.create(clone_set().replicas(10).in_place().max_unavailable(10).claim_template("data"));
  settle();
  EXPECT_EQ(
      sent(),
      (Requests{
          {"POST controllerrevisions", 1}, {"POST persistentvolumeclaims", 10}, {"POST pods", 10}, {"PATCH pods/status", 10}}));
  rig.patch(R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}}})");
  settle();
  EXPECT_EQ(sent(), (Requests{{"POST controllerrevisions", 1}, {"PATCH pods", 10}, {"PATCH pods/status", 20}}));
  rig.patch(R"({"spec":{"replicas":0}})");
  ASSERT_TRUE(rig.wait([&] { return rig.list(api::kPods).empty() && rig.list(api::kClaims).empty(); }));
  rig.run(std::chrono::minutes(1));
  EXPECT_EQ(sent(), (Requests{{"DELETE pods", 10}, {"DELETE persistentvolumeclaims", 10}}));
}

TEST_F(RequestsTest, OfAnUpdateByReplacing) {
  rig.create(clone_set().replicas(4).max_unavailable(4));
  settle();
  sent();
  rig.patch(R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}}})");
  settle();
  // Each old pod is named, then deleted; each new one costs what a new one costs.
  EXPECT_EQ(
      sent(),
      (Requests{
          {"POST controllerrevisions", 1}, {"PATCH pods", 4}, {"DELETE pods", 4}, {"POST pods", 4}, {"PATCH pods/status", 4}}));
}

TEST_F(RequestsTest, OfAnUpdateWithAGracePeriodOneMoreAPod) {
  rig.create(clone_set().replicas(2).in_place().max_unavailable(2).grace(30));
  settle();
  sent();
  rig.patch(
      R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}},"updateStrategy":{"inPlaceUpdateStrategy":{"gracePeriodSeconds":30}}}})");
  settle();
  EXPECT_EQ(sent(), (Requests{{"POST controllerrevisions", 1}, {"PATCH pods", 4}, {"PATCH pods/status", 4}}));
}

TEST_F(RequestsTest, ChangesOfManyPodsAreFewWritesOfTheStatus) {
  constexpr int kPods = 200;
  rig.create(clone_set().replicas(kPods).in_place().max_unavailable(kPods));
  settle();
  sent();
  // Each pod is created, bound, started and made ready, spread over seconds: hundreds of changes of the status's figures.
  EXPECT_LE(status_writes_, 15);
  rig.patch(R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}}})");
  settle();
  sent();
  EXPECT_LE(status_writes_, 15);
}

TEST_F(RequestsTest, ReportsThatChangeNothingAreNoCauseToLook) {
  rig.create(clone_set().replicas(5).in_place());
  settle();
  sent();
  const auto looks = rig.looks();
  const auto pods = rig.pods();
  for (int i = 0; i < 100; ++i) {
    const std::string name = pods[static_cast<std::size_t>(i) % pods.size()]["metadata"]["name"];
    rig.send(client::patch(api::kPods, {"default", name}, client::PatchType::kStrategic,
                           R"({"status":{"conditions":[{"type":"ContainersReady","lastProbeTime":"2021-03-01T08:)" +
                               std::string(i % 60 < 10 ? "0" : "") + std::to_string(i % 60) + R"(:00Z"}]}})",
                           {.subresource = "status"}));
    rig.patch_pod(name, R"({"metadata":{"annotations":{"example.com/seen":")" + std::to_string(i) + R"("}}})");
    rig.run(std::chrono::seconds(1));
  }
  EXPECT_EQ(rig.looks(), looks);
  EXPECT_EQ(sent(), Requests{});
  EXPECT_EQ(status_writes_, 0);
  // And this is one.
  rig.patch_pod(pods[0]["metadata"]["name"], R"({"metadata":{"labels":{"tier":"gold"}}})");
  rig.run(std::chrono::seconds(1));
  EXPECT_EQ(rig.looks(), looks + 1);
  EXPECT_EQ(sent(), Requests{});
}

}  // namespace
}  // namespace kruise::controllers::cloneset
