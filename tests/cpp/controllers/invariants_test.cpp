// Each invariant catches a planted bug, and lets the same write pass where it is allowed.
#include "controllers/invariants.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::string_view kManager = "kruise-manager/cloneset-controller";

json pod(const std::string& revision, bool ready) {
  return {{"metadata",
           {{"labels", {{"app", "web"}, {"controller-revision-hash", revision}, {"lifecycle.apps.kruise.io/state", "Normal"}}},
            {"ownerReferences", {{{"kind", "CloneSet"}, {"uid", "u"}, {"controller", true}}}}}},
          {"status", {{"phase", "Running"}, {"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
}

/// Three ready pods at the older of two revisions; one may be unavailable.
class InvariantsTest : public ::testing::Test {
 protected:
  InvariantsTest() {
    edit({{"maxUnavailable", 1}});
    for (const char* name : {"a", "b", "c"}) put(name, pod("web-1", true), "kubelet");
  }
  void edit(const json& strategy, int replicas = 3) {
    const json set{
        {"spec", {{"replicas", replicas}, {"selector", {{"matchLabels", {{"app", "web"}}}}}, {"updateStrategy", strategy}}},
        {"status", {{"updateRevision", "web-2"}}}};
    see("clonesets", "web", "MODIFIED", "", set.dump(), "kubectl");
  }
  void put(const std::string& name, const json& after, std::string_view agent = kManager) {
    const bool fresh = !stored_.contains(name);
    const std::string before = fresh ? std::string() : stored_[name].dump();
    stored_[name] = after;
    see("pods", name, fresh ? "ADDED" : "MODIFIED", before, after.dump(), agent);
  }
  void remove(const std::string& name, std::string_view agent = kManager) {
    const std::string before = stored_[name].dump();
    stored_.erase(name);
    see("pods", name, "DELETED", before, before, agent);
  }
  const std::vector<std::string>& found() { return invariants_.violations; }

 private:
  void see(std::string_view plural, std::string_view name, std::string_view type, std::string_view before, std::string_view after,
           std::string_view agent) {
    invariants_.see({.type = type,
                     .group = "",
                     .plural = plural,
                     .ns = "default",
                     .name = name,
                     .resource_version = ++version_,
                     .user_agent = agent,
                     .before = before,
                     .after = after});
  }
  Invariants invariants_;
  std::map<std::string, json> stored_;
  std::uint64_t version_ = 0;
};

TEST_F(InvariantsTest, OnePodMoreMadeUnavailable) {
  put("a", pod("web-2", false));
  EXPECT_THAT(found(), IsEmpty());
  put("b", pod("web-2", false));
  EXPECT_THAT(found(), ElementsAre(StartsWith("made unavailable beyond the budget: b")));
}

TEST_F(InvariantsTest, WhatIsUnavailableForAnyCauseUsesTheBudget) {
  put("a", pod("web-1", false), "kubelet");
  remove("b");
  EXPECT_THAT(found(), ElementsAre(StartsWith("made unavailable beyond the budget: b")));
}

TEST_F(InvariantsTest, AStateOfTheLifecycleMakesUnavailableToo) {
  put("a", pod("web-1", false), "kubelet");
  json waiting = pod("web-1", true);
  waiting["metadata"]["labels"]["lifecycle.apps.kruise.io/state"] = "PreparingUpdate";
  put("b", waiting);
  EXPECT_THAT(found(), ElementsAre(StartsWith("made unavailable beyond the budget: b")));
}

TEST_F(InvariantsTest, PodsAboveReplicasAddToTheBudgetAndMissingOnesUseIt) {
  edit({{"maxUnavailable", 0}}, 2);
  remove("a");
  EXPECT_THAT(found(), IsEmpty());
  edit({{"maxUnavailable", 1}});
  put("b", pod("web-2", false));
  EXPECT_THAT(found(), ElementsAre(StartsWith("made unavailable beyond the budget: b")));
}

TEST_F(InvariantsTest, APodThatIsUnavailableAlreadyCostsNothing) {
  put("a", pod("web-1", false), "kubelet");
  put("b", pod("web-1", false), "kubelet");
  remove("a");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(InvariantsTest, OnePodMoreCreated) {
  edit({{"maxSurge", 1}});
  put("d", pod("web-2", false));
  EXPECT_THAT(found(), IsEmpty());
  put("e", pod("web-2", false));
  EXPECT_THAT(found(), ElementsAre(StartsWith("created beyond replicas and surge: e")));
}

TEST_F(InvariantsTest, OnePodMoreMoved) {
  edit({{"maxUnavailable", 3}, {"partition", 2}});
  put("a", pod("web-2", true));
  EXPECT_THAT(found(), IsEmpty());
  put("b", pod("web-2", true));
  EXPECT_THAT(found(), ElementsAre(StartsWith("updated beyond the partition: b")));
}

TEST_F(InvariantsTest, APercentageBelowHundredLetsOnePodMove) {
  edit({{"maxUnavailable", 3}, {"partition", "99%"}});
  put("a", pod("web-2", true));
  EXPECT_THAT(found(), IsEmpty());
  put("b", pod("web-2", true));
  EXPECT_THAT(found(), ElementsAre(StartsWith("updated beyond the partition: b")));
}

TEST_F(InvariantsTest, AnOwnerTakenAway) {
  json released = pod("web-1", true);
  released["metadata"].erase("ownerReferences");
  released["metadata"]["labels"]["app"] = "stray";
  edit({{"maxUnavailable", 3}});
  put("a", released);
  EXPECT_THAT(found(), IsEmpty()) << "it no longer matches the selector";
  released["metadata"]["labels"]["app"] = "web";
  put("b", released);
  EXPECT_THAT(found(), ElementsAre(StartsWith("lost its owner: b")));
}

TEST_F(InvariantsTest, OthersAreNotJudged) {
  for (const char* name : {"a", "b", "c"}) remove(name, "kubelet");
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace kruise::testing
