#include "cluster/sim/kubelets.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

#include "base/printed_hash.hpp"
#include "cluster/sim/scheduler.hpp"
#include "cluster/sim/world.hpp"
#include "patch/revision.hpp"

namespace kruise::cluster {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using sim::KubeletOptions;
using test::World;

struct Nodes : World {
  explicit Nodes(KubeletOptions options = {})
      : kubelets(client, base::Random(1), std::move(options)), scheduler(client, base::Random(2)) {
    kubelets.start();
    scheduler.start();
  }
  sim::Kubelets kubelets;
  sim::Scheduler scheduler;
};

const json kGate = {{"readinessGates", {{{"conditionType", "InPlaceUpdateReady"}}}}};
json gate(const char* status) { return {{"status", {{"conditions", {{{"type", "InPlaceUpdateReady"}, {"status", status}}}}}}}; }
json image(const char* name) { return {{"spec", {{"containers", {{{"name", "main"}, {"image", name}}}}}}}; }

TEST(Kubelets, RunAPodToReady) {
  Nodes world;
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  const json pod = world.get("a");
  EXPECT_EQ(pod["status"]["phase"], "Running");
  EXPECT_FALSE(pod["status"]["podIP"].get<std::string>().empty());
  EXPECT_EQ(pod["status"]["hostIP"], "10.0.0.1");
  EXPECT_EQ(World::condition(pod, "ContainersReady"), "True");
  EXPECT_EQ(World::condition(pod, "Initialized"), "True");
  EXPECT_EQ(World::condition(pod, "PodScheduled"), "True");
  const json& container = pod["status"]["containerStatuses"][0];
  EXPECT_EQ(container["restartCount"], 0);
  EXPECT_TRUE(container["ready"].get<bool>());
  EXPECT_EQ(container["image"], "example.com/web:1");
  EXPECT_TRUE(container["imageID"].get<std::string>().starts_with("example.com/web@sha256:"));
  EXPECT_EQ(world.kubelets.stats().reports, 2U);  // running, ready
  EXPECT_EQ(world.kubelets.stats().ready, 1U);
}

TEST(Kubelets, RestartInPlaceWhenTheImageChanges) {
  Nodes world;
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  const json before = world.get("a");
  world.patch("a", image("example.com/web:2"));
  ASSERT_TRUE(world.loop.run_until([&] { return world.ready("a") == "False"; }, 1min));
  ASSERT_TRUE(world.wait_ready("a"));
  const json after = world.get("a");
  const json& was = before["status"]["containerStatuses"][0];
  const json& is = after["status"]["containerStatuses"][0];
  EXPECT_EQ(after["metadata"]["uid"], before["metadata"]["uid"]);
  EXPECT_EQ(after["status"]["podIP"], before["status"]["podIP"]);
  EXPECT_EQ(is["restartCount"], 1);
  EXPECT_EQ(is["image"], "example.com/web:2");
  EXPECT_NE(is["imageID"], was["imageID"]);
  EXPECT_NE(is["containerID"], was["containerID"]);
  EXPECT_EQ(is["lastState"]["terminated"]["containerID"], was["containerID"]);
  EXPECT_EQ(world.kubelets.stats().restarts, 1U);
}

/// A pod with a variable that is taken from its label k.
json with_variable() {
  json spec = kGate;
  spec["containers"] = {{{"name", "main"},
                         {"image", "example.com/web:1"},
                         {"env", {{{"name", "K"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.labels['k']"}}}}}}}}},
                        {{"name", "side"}, {"image", "example.com/side:1"}}};
  return spec;
}
json label(const char* value) { return {{"metadata", {{"labels", {{"k", value}}}}}}; }
json told(const json& pod) {
  return json::parse(pod["metadata"]["annotations"]["apps.kruise.io/runtime-containers-meta"].get<std::string>())["containers"];
}

TEST(Kubelets, PlayTheNodeAgentForVariablesTakenFromMetadata) {
  Nodes world;
  world.create_pod("a", with_variable());
  world.patch("a", gate("True"), "status");
  ASSERT_TRUE(world.wait_ready("a"));
  const json before = told(world.get("a"));
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0]["containerID"], world.get("a")["status"]["containerStatuses"][0]["containerID"]);
  EXPECT_EQ(before[0]["hashes"]["extractedEnvFromMetadataHash"], base::printed_bytes_hash(R"([{"name":"K"}])"));
  EXPECT_EQ(before[1]["hashes"]["extractedEnvFromMetadataHash"], base::printed_bytes_hash("null"));
  EXPECT_EQ(before[1]["hashes"]["plainHash"], patch::container_hash("side", "example.com/side:1"));

  // By hand, in service: nothing restarts.
  world.patch("a", label("2"));
  world.loop.run_for(1min);
  EXPECT_EQ(told(world.get("a")), before);
  // Kept from service: it does, once, and only what reads it.
  world.patch("a", gate("False"), "status");
  world.loop.run_for(1min);
  const json after = told(world.get("a"));
  EXPECT_EQ(after[0]["hashes"]["extractedEnvFromMetadataHash"], base::printed_bytes_hash(R"([{"name":"K","value":"2"}])"));
  EXPECT_EQ(after[0]["restartCount"], 1);
  EXPECT_NE(after[0]["containerID"], before[0]["containerID"]);
  EXPECT_EQ(after[1], before[1]);
  EXPECT_EQ(world.kubelets.stats().restarts, 1U);
}

TEST(Kubelets, TellNothingOfVariablesWhereThereIsNoAgent) {
  Nodes world({.node_agent = false});
  world.create_pod("a", with_variable());
  world.patch("a", gate("False"), "status");
  world.patch("a", label("2"));
  world.loop.run_for(1min);
  EXPECT_FALSE(world.get("a")["metadata"].contains("annotations"));
  EXPECT_EQ(world.kubelets.stats().restarts, 0U);
}

TEST(Kubelets, TwoTagsMayBeOneImage) {
  Nodes world;
  world.kubelets.set_image_id("example.com/web:2", "example.com/web@sha256:same");
  world.kubelets.set_image_id("example.com/web:1", "example.com/web@sha256:same");
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  world.patch("a", image("example.com/web:2"));
  world.loop.run_for(1min);
  const json status = world.get("a")["status"]["containerStatuses"][0];
  EXPECT_EQ(status["restartCount"], 1);
  EXPECT_EQ(status["imageID"], "example.com/web@sha256:same");
}

TEST(Kubelets, ReadyFollowsTheGates) {
  Nodes world;
  world.create_pod("a", kGate);
  world.loop.run_for(1min);
  EXPECT_EQ(world.ready("a"), "False");
  EXPECT_EQ(World::condition(world.get("a"), "ContainersReady"), "True");
  EXPECT_EQ(World::condition(world.get("a"), "Ready", "reason"), "ReadinessGatesNotReady");
  world.patch("a", gate("True"), "status");
  ASSERT_TRUE(world.wait_ready("a"));
  EXPECT_EQ(World::condition(world.get("a"), "Ready", "reason"), "");

  // A controller takes the gate back and computes Ready itself: the kubelet has nothing to add.
  json both = gate("False");
  both["status"]["conditions"].push_back({{"type", "Ready"}, {"status", "False"}, {"reason", "ReadinessGatesNotReady"}});
  world.patch("a", both, "status");
  const auto reports = world.kubelets.stats().reports;
  world.loop.run_for(1min);
  EXPECT_EQ(world.kubelets.stats().reports, reports);
  world.patch("a", gate("True"), "status");
  EXPECT_TRUE(world.wait_ready("a"));
  EXPECT_EQ(world.kubelets.stats().reports, reports + 1);
}

TEST(Kubelets, AnswersGatesTakenBackByOthers) {
  Nodes world;
  world.create_pod("a", kGate);
  world.patch("a", gate("True"), "status");
  ASSERT_TRUE(world.wait_ready("a"));
  world.patch("a", gate("False"), "status");
  world.loop.run_for(1s);
  EXPECT_EQ(world.ready("a"), "False");
}

TEST(Kubelets, FinishDeletionsWithinTheGracePeriod) {
  Nodes world;
  world.create_pod("a");
  world.create_pod("b", {{"terminationGracePeriodSeconds", 0}});
  ASSERT_TRUE(world.wait_ready("a"));
  world.remove("a");
  EXPECT_TRUE(world.exists("a"));
  ASSERT_TRUE(world.loop.run_until([&] { return !world.exists("a"); }, 2s));
  world.remove("b");
  EXPECT_TRUE(world.loop.run_until([&] { return !world.exists("b"); }, 10ms));
}

TEST(Kubelets, WaitForFinalizers) {
  Nodes world;
  world.create_pod("a");
  world.patch("a", {{"metadata", {{"finalizers", {"example.com/hold"}}}}});
  ASSERT_TRUE(world.wait_ready("a"));
  world.remove("a");
  world.loop.run_for(1min);
  ASSERT_TRUE(world.exists("a"));
  world.patch("a", {{"metadata", {{"finalizers", nullptr}}}});
  world.loop.run_for(1min);
  EXPECT_FALSE(world.exists("a"));
}

TEST(Kubelets, FailImages) {
  Nodes world;
  world.kubelets.fail_image("example.com/web:2");
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  world.patch("a", image("example.com/web:2"));
  world.loop.run_for(5s);
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ErrImagePull");
  EXPECT_EQ(world.ready("a"), "False");
  world.loop.run_for(1min);
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ImagePullBackOff");
  // A rollback needs no patience.
  world.patch("a", image("example.com/web:1"));
  ASSERT_TRUE(world.loop.run_until([&] { return world.ready("a") == "True"; }, 10s));
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["restartCount"], 1);
  // Nor does an image that can be pulled after all.
  world.patch("a", image("example.com/web:2"));
  world.loop.run_for(5min);
  world.kubelets.fail_image("example.com/web:2", false);
  EXPECT_TRUE(world.loop.run_until([&] { return world.ready("a") == "True"; }, 10s));
}

TEST(Kubelets, NeverMakeReady) {
  Nodes world;
  world.kubelets.never_ready("example.com/web:1");
  world.create_pod("a");
  world.loop.run_for(10min);
  EXPECT_EQ(world.ready("a"), "False");
  EXPECT_EQ(World::condition(world.get("a"), "Ready", "reason"), "ContainersNotReady");
  EXPECT_EQ(world.get("a")["status"]["phase"], "Running");
  world.kubelets.never_ready("example.com/web:1", false);
  ASSERT_TRUE(world.wait_ready("a"));
  world.kubelets.never_ready_pod("default/a");
  world.loop.run_for(1s);
  EXPECT_EQ(world.ready("a"), "False");
  world.kubelets.never_ready_pod("default/a", false);
  EXPECT_TRUE(world.wait_ready("a"));
}

TEST(Kubelets, CrashAndFail) {
  Nodes world;
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  EXPECT_FALSE(world.kubelets.crash_container("default/a", "other"));
  EXPECT_TRUE(world.kubelets.crash_container("default/a", "main"));
  ASSERT_TRUE(world.loop.run_until([&] { return world.ready("a") == "False"; }, 1s));
  ASSERT_TRUE(world.wait_ready("a"));
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["restartCount"], 1);
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
  EXPECT_TRUE(world.kubelets.fail_pod("default/a"));
  world.loop.run_for(1min);
  EXPECT_EQ(world.get("a")["status"]["phase"], "Failed");
  EXPECT_EQ(world.get("a")["status"]["reason"], "Evicted");
  EXPECT_EQ(world.ready("a"), "False");
  EXPECT_FALSE(world.kubelets.fail_pod("default/none"));
}

TEST(Kubelets, LoseANodeAndFindItAgain) {
  Nodes world({.nodes = 1});
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  world.create_pod("b");
  world.loop.run_for(100ms);  // bound, not yet running
  EXPECT_TRUE(world.kubelets.lose_node("node-0"));
  EXPECT_FALSE(world.kubelets.lose_node("node-0"));
  world.loop.run_for(30s);
  EXPECT_EQ(world.ready("a"), "True");
  world.loop.run_for(30s);
  EXPECT_EQ(world.ready("a"), "False");
  EXPECT_EQ(world.ready("b"), "");
  EXPECT_EQ(World::condition(world.call(client::get(api::kNodes, {"", "node-0"}), 200), "Ready"), "Unknown");
  world.create_pod("c");
  world.remove("a");
  world.loop.run_for(10min);
  EXPECT_TRUE(world.exists("a"));
  EXPECT_EQ(World::condition(world.get("c"), "PodScheduled", "reason"), "Unschedulable");
  EXPECT_TRUE(world.kubelets.recover_node("node-0"));
  EXPECT_TRUE(world.wait_ready("b"));
  EXPECT_TRUE(world.wait_ready("c"));
  EXPECT_FALSE(world.exists("a"));
}

TEST(Kubelets, KeepALeaseForEachNode) {
  Nodes world({.nodes = 2, .heartbeat = 5min});
  world.loop.run_for(1s);
  const auto lease = [&] { return world.call(client::get(api::kLeases, {"kube-node-lease", "node-1"}), 200); };
  const json first = lease();
  const json node = world.call(client::get(api::kNodes, {"", "node-1"}), 200);
  EXPECT_EQ(first["spec"]["holderIdentity"], "node-1");
  EXPECT_EQ(first["spec"]["leaseDurationSeconds"], 4 * 5 * 60);
  EXPECT_EQ(first["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"]);
  world.loop.run_for(5min);
  EXPECT_GT(lease()["spec"]["renewTime"], first["spec"]["renewTime"]);
  world.kubelets.lose_node("node-1");
  const json last = lease();
  world.loop.run_for(1h);
  EXPECT_EQ(lease(), last) << "a lost node renews nothing";
  world.kubelets.recover_node("node-1");
  world.loop.run_for(5min);
  EXPECT_GT(lease()["spec"]["renewTime"], last["spec"]["renewTime"]);
}

TEST(Kubelets, TakeOverTheLeaseOfAnEarlierProcess) {
  World world;
  auto first = std::make_unique<sim::Kubelets>(world.client, base::Random(1), KubeletOptions{.nodes = 1});
  first->start();
  world.loop.run_for(1s);
  const auto lease = [&] { return world.call(client::get(api::kLeases, {"kube-node-lease", "node-0"}), 200); };
  const json before = lease();
  first.reset();
  sim::Kubelets second(world.client, base::Random(3), KubeletOptions{.nodes = 1});
  second.start();
  world.loop.run_for(1s);
  EXPECT_EQ(lease()["metadata"]["uid"], before["metadata"]["uid"]);
  EXPECT_GT(lease()["spec"]["renewTime"], before["spec"]["renewTime"]);
}

TEST(Kubelets, SlowDown) {
  Nodes world({.nodes = 1});
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  world.kubelets.slow_down(100, "node-0");
  world.create_pod("b");
  world.loop.run_for(1min);
  EXPECT_NE(world.ready("b"), "True");
  EXPECT_TRUE(world.loop.run_until([&] { return world.ready("b") == "True"; }, 10min));
}

TEST(Kubelets, GoOnWhereAnotherProcessStopped) {
  World world;
  auto first = std::make_unique<sim::Kubelets>(world.client, base::Random(1));
  sim::Scheduler scheduler(world.client, base::Random(2));
  first->start();
  scheduler.start();
  world.create_pod("a");
  ASSERT_TRUE(world.wait_ready("a"));
  const json before = world.get("a");
  first.reset();
  sim::Kubelets second(world.client, base::Random(3));
  second.start();
  world.loop.run_for(1min);
  EXPECT_EQ(world.get("a"), before);
  world.patch("a", image("example.com/web:2"));
  world.loop.run_for(1min);
  EXPECT_EQ(world.get("a")["status"]["containerStatuses"][0]["restartCount"], 1);
}

TEST(Kubelets, TryAgainWhenTheServerFails) {
  Nodes world;
  int calls = 0;
  world.client.inject([&](const client::Request& request) {
    Fault fault;
    const bool of_pods = request.path.find("/pods") != std::string::npos;
    if (request.method != "GET" && of_pods && ++calls % 3 != 0)
      fault = {.kind = Fault::Kind::kAnswer, .code = 500, .delay = base::Duration(0)};
    return fault;
  });
  world.create_pod("a");
  EXPECT_TRUE(world.wait_ready("a"));
  EXPECT_GT(world.kubelets.stats().failures, 0U);
  world.remove("a");
  EXPECT_TRUE(world.loop.run_until([&] { return !world.exists("a"); }, 1min));
}

TEST(Kubelets, TakeManyPodsThroughInSeconds) {
  constexpr std::uint64_t kPods = 500;
  Nodes world({.nodes = 20});
  for (std::uint64_t i = 0; i < kPods; ++i) world.create_pod("pod-" + std::to_string(i), kGate);
  const std::clock_t begin = std::clock();
  world.loop.run_for(5min);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  RecordProperty("cpu_seconds", std::to_string(seconds));
  EXPECT_EQ(world.kubelets.stats().ready, kPods);
  EXPECT_EQ(world.scheduler.bound(), kPods);
  EXPECT_EQ(world.kubelets.stats().reports, 2U * kPods);
}

}  // namespace
}  // namespace kruise::cluster
