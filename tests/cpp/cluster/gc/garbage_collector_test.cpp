#include "cluster/gc/garbage_collector.hpp"

#include <gtest/gtest.h>

#include "cluster/sim/world.hpp"

namespace kruise::cluster {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::World;

struct Collected : World {
  Collected() : collector(client) {
    collector.start();
    loop.run_for(1s);
  }
  /// A config map, owned by those given as [name, uid, blocks].
  std::string config(const std::string& name, const json& owners = json::array(), const std::string& ns = "default") {
    json body = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}};
    for (const auto& owner : owners) {
      body["metadata"]["ownerReferences"].push_back({{"apiVersion", owner.size() > 3 ? owner[3] : json("v1")},
                                                     {"kind", "ConfigMap"},
                                                     {"name", owner[0]},
                                                     {"uid", owner[1]},
                                                     {"blockOwnerDeletion", owner[2]}});
    }
    return call(client::create(api::kConfigMaps, ns, body.dump()), 201)["metadata"]["uid"];
  }
  bool there(const std::string& name, const std::string& ns = "default") {
    return server.handle(client::get(api::kConfigMaps, {ns, name})).code == 200;
  }
  json meta(const std::string& name) { return call(client::get(api::kConfigMaps, {"default", name}), 200)["metadata"]; }
  void drop(const std::string& name, const char* policy) {
    (void)server.handle(client::remove(api::kConfigMaps, {"default", name},
                                       {.uid = {}, .resource_version = {}, .grace_period_s = {}, .propagation = policy}));
  }
  void set_finalizers(const std::string& name, const json& finalizers) {
    const json body = {{"metadata", {{"finalizers", finalizers}}}};
    call(client::patch(api::kConfigMaps, {"default", name}, client::PatchType::kMerge, body.dump()), 200);
  }
  gc::GarbageCollector collector;
};

TEST(GarbageCollector, DeletesInTheBackground) {
  Collected world;
  const auto a = world.config("a");
  const auto b = world.config("b", {{"a", a, false}});
  world.config("c", {{"b", b, false}});
  world.config("d");
  world.loop.run_for(1min);
  EXPECT_TRUE(world.there("a") && world.there("b") && world.there("c"));
  world.drop("a", "Background");
  EXPECT_TRUE(world.there("b"));
  world.loop.run_for(1s);
  EXPECT_FALSE(world.there("b"));
  EXPECT_FALSE(world.there("c"));
  EXPECT_TRUE(world.there("d"));
}

TEST(GarbageCollector, DeletesInTheForeground) {
  Collected world;
  const auto a = world.config("a");
  world.config("blocking", {{"a", a, true}});
  world.set_finalizers("blocking", {"example.com/hold"});
  world.config("other", {{"a", a, false}});
  world.loop.run_for(1s);
  world.drop("a", "Foreground");
  world.loop.run_for(1min);
  EXPECT_TRUE(world.there("a"));
  EXPECT_TRUE(world.meta("blocking").contains("deletionTimestamp"));
  EXPECT_FALSE(world.there("other"));
  world.set_finalizers("blocking", nullptr);
  world.loop.run_for(1s);
  EXPECT_FALSE(world.there("blocking"));
  EXPECT_FALSE(world.there("a"));
}

TEST(GarbageCollector, Orphans) {
  Collected world;
  const auto a = world.config("a");
  const auto keeper = world.config("keeper");
  world.config("b", {{"a", a, true}});
  world.config("c", {{"a", a, false}, {"keeper", keeper, false}});
  world.loop.run_for(1s);
  world.drop("a", "Orphan");
  world.loop.run_for(1s);
  EXPECT_FALSE(world.there("a"));
  EXPECT_FALSE(world.meta("b").contains("ownerReferences"));
  EXPECT_EQ(world.meta("c")["ownerReferences"].size(), 1U);
}

TEST(GarbageCollector, KeepsWhatStillHasAnOwner) {
  Collected world;
  const auto a = world.config("a");
  const auto b = world.config("b");
  world.config("c", {{"a", a, false}, {"b", b, false}});
  world.loop.run_for(1s);
  world.drop("a", "Background");
  world.loop.run_for(1s);
  ASSERT_TRUE(world.there("c"));
  ASSERT_EQ(world.meta("c")["ownerReferences"].size(), 1U);
  EXPECT_EQ(world.meta("c")["ownerReferences"][0]["name"], "b");
  world.drop("b", "Background");
  world.loop.run_for(1s);
  EXPECT_FALSE(world.there("c"));
}

TEST(GarbageCollector, JudgesOwnersThatNeverWere) {
  Collected world;
  world.config("a", {{"none", "no-such-uid", false}});
  world.config("b", {{"other", "other-uid", false, "no.such.group/v1"}});  // nobody can tell
  const auto c = world.config("c");
  world.config("d", {{"c", "older-uid", false}});  // its name was taken by another one
  world.config("e", {{"c", c, false}});
  world.loop.run_for(1min);
  EXPECT_FALSE(world.there("a"));
  EXPECT_TRUE(world.there("b"));
  EXPECT_FALSE(world.there("d"));
  EXPECT_TRUE(world.there("e"));
}

TEST(GarbageCollector, FindsWhatWasLeftBeforeItStarted) {
  World world;
  const json body = {
      {"apiVersion", "v1"},
      {"kind", "ConfigMap"},
      {"metadata",
       {{"name", "left"}, {"ownerReferences", {{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", "p"}, {"uid", "gone"}}}}}}};
  world.call(client::create(api::kConfigMaps, "default", body.dump()), 201);
  gc::GarbageCollector collector(world.client);
  collector.start();
  world.loop.run_for(1s);
  EXPECT_EQ(world.server.handle(client::get(api::kConfigMaps, {"default", "left"})).code, 404);
}

TEST(GarbageCollector, EmptiesNamespaces) {
  Collected world;
  world.call(client::create(api::kNamespaces, "", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}})"), 201);
  world.config("a", json::array(), "team");
  world.config("b");
  world.loop.run_for(1s);
  (void)world.server.handle(client::remove(api::kNamespaces, {"", "team"}));
  world.loop.run_for(1s);
  EXPECT_FALSE(world.there("a", "team"));
  EXPECT_TRUE(world.there("b"));
  EXPECT_EQ(world.server.handle(client::get(api::kNamespaces, {"", "team"})).code, 404);
}

TEST(GarbageCollector, GoesOnWhenTheServerFails) {
  Collected world;
  int calls = 0;
  world.client.inject([&](const client::Request&) {
    return Fault{.kind = ++calls % 3 != 0 ? Fault::Kind::kAnswer : Fault::Kind::kNone, .code = 500, .delay = base::Duration(0)};
  });
  const auto a = world.config("a");
  for (int i = 0; i < 5; ++i) world.config("b" + std::to_string(i), {{"a", a, false}});
  world.loop.run_for(1s);
  world.drop("a", "Background");
  world.loop.run_for(1min);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(world.there("b" + std::to_string(i)));
  EXPECT_GT(world.collector.stats().failures, 0U);
}

}  // namespace
}  // namespace kruise::cluster
