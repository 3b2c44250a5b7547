#include "cluster/sim/scheduler.hpp"

#include <gtest/gtest.h>

#include <map>

#include "cluster/sim/kubelets.hpp"
#include "cluster/sim/volume_binder.hpp"
#include "cluster/sim/world.hpp"

namespace kruise::cluster {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::World;

struct Scheduled : World {
  Scheduled() : kubelets(client, base::Random(1), {.nodes = 3, .ready = {}}), scheduler(client, base::Random(2)) {
    kubelets.start();
    scheduler.start();
    loop.run_for(1s);
  }
  std::map<std::string, int> spread() {
    std::map<std::string, int> count;
    const json pods = call(client::list(api::kPods, "default"), 200);
    for (const auto& pod : pods["items"]) ++count[pod["spec"].value("nodeName", "")];
    return count;
  }
  void patch_node(const std::string& name, const json& body) {
    call(client::patch(api::kNodes, {"", name}, client::PatchType::kMerge, body.dump()), 200);
  }
  sim::Kubelets kubelets;
  sim::Scheduler scheduler;
};

TEST(Scheduler, SpreadsByLoad) {
  Scheduled world;
  for (int i = 0; i < 9; ++i) world.create_pod("a" + std::to_string(i));
  world.loop.run_for(30s);
  EXPECT_EQ(world.spread(), (std::map<std::string, int>{{"node-0", 3}, {"node-1", 3}, {"node-2", 3}}));
  for (int i = 0; i < 9; i += 3) world.remove("a" + std::to_string(i));  // all of node-0
  world.loop.run_for(30s);
  for (int i = 0; i < 3; ++i) world.create_pod("b" + std::to_string(i));
  world.loop.run_for(30s);
  EXPECT_EQ(world.spread(), (std::map<std::string, int>{{"node-0", 3}, {"node-1", 3}, {"node-2", 3}}));
  EXPECT_EQ(world.scheduler.bound(), 12U);
}

TEST(Scheduler, RespectsNodesAndSelectors) {
  Scheduled world;
  world.patch_node("node-0", {{"spec", {{"unschedulable", true}}}});
  world.patch_node("node-2", {{"metadata", {{"labels", {{"disk", "fast"}}}}}});
  world.loop.run_for(1s);
  for (int i = 0; i < 4; ++i) world.create_pod("a" + std::to_string(i));
  world.create_pod("fast", {{"nodeSelector", {{"disk", "fast"}}}});
  world.create_pod("none", {{"nodeSelector", {{"disk", "none"}}}});
  world.create_pod("other", {{"schedulerName", "other"}});
  world.create_pod("gated", {{"schedulingGates", {{{"name", "example.com/wait"}}}}});
  world.loop.run_for(30s);
  EXPECT_EQ(world.get("fast")["spec"]["nodeName"], "node-2");
  EXPECT_EQ(world.spread(), (std::map<std::string, int>{{"", 3}, {"node-1", 2}, {"node-2", 3}}));
  EXPECT_EQ(World::condition(world.get("none"), "PodScheduled", "reason"), "Unschedulable");
  EXPECT_EQ(World::condition(world.get("other"), "PodScheduled"), "");
  world.patch_node("node-1", {{"metadata", {{"labels", {{"disk", "none"}}}}}});
  world.patch_node("node-0", {{"metadata", {{"labels", {{"disk", "none"}}}}}, {"spec", {{"unschedulable", nullptr}}}});
  world.loop.run_for(30s);
  EXPECT_EQ(world.get("none")["spec"]["nodeName"], "node-0");
}

json claim(const char* name) {
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"name", name}, {"finalizers", {"kubernetes.io/pvc-protection"}}}},
          {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "2Gi"}}}}}}}};
}

TEST(VolumeBinder, BindsAndLetsGo) {
  for (const bool make_volumes : {false, true}) {
    Scheduled world;
    sim::VolumeBinder binder(world.client, base::Random(3), {.make_volumes = make_volumes});
    binder.start();
    world.call(client::create(api::kClaims, "default", claim("data").dump()), 201);
    world.create_pod("a", {{"volumes", {{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}}}});
    world.loop.run_for(10s);
    const json bound = world.call(client::get(api::kClaims, {"default", "data"}), 200);
    EXPECT_EQ(bound["status"]["phase"], "Bound");
    EXPECT_EQ(bound["status"]["capacity"]["storage"], "2Gi");
    EXPECT_EQ(binder.bound(), 1U);
    const auto volumes = [&] { return world.call(client::list(api::kVolumes, ""), 200)["items"]; };
    EXPECT_EQ(volumes().size(), make_volumes ? 1U : 0U);
    if (make_volumes) {
      EXPECT_EQ(volumes()[0]["metadata"]["name"], bound["spec"]["volumeName"]);
      EXPECT_EQ(volumes()[0]["status"]["phase"], "Bound");
    }
    // The claim waits for its pod.
    (void)world.server.handle(client::remove(api::kClaims, {"default", "data"}));
    world.loop.run_for(1min);
    EXPECT_EQ(world.server.handle(client::get(api::kClaims, {"default", "data"})).code, 200);
    world.remove("a");
    world.loop.run_for(1min);
    EXPECT_EQ(world.server.handle(client::get(api::kClaims, {"default", "data"})).code, 404);
    EXPECT_EQ(volumes().size(), 0U);
  }
}

}  // namespace
}  // namespace kruise::cluster
