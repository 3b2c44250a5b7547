// Each rule of the rollout's judge is broken once and must be noticed; the same writes within the limits must not be.
#include "rollout_judge.hpp"

#include <gtest/gtest.h>

#include "client/client.hpp"

namespace kruise::bench {
namespace {

class RolloutJudgeTest : public ::testing::Test {
 protected:
  RolloutJudgeTest() {
    write("user", "clonesets", "web",
          R"({"metadata":{"uid":"u"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},
              "updateStrategy":{"maxUnavailable":1,"partition":1}}})");
    revision("old", 1);
    for (const char* name : {"a", "b", "c"}) pod(name, "old", true);
    revision("new", 2);
  }

  void write(std::string_view agent, std::string_view plural, std::string_view name, std::string text,
             std::string_view type = "MODIFIED") {
    text.reserve(text.size() + client::Client::kPadding);
    judge.on_write({.type = type,
                    .group = "",
                    .plural = plural,
                    .ns = "default",
                    .name = name,
                    .resource_version = ++version,
                    .user_agent = agent,
                    .before = {},
                    .after = text});
  }
  void revision(const std::string& name, int number) {
    write(kManager, "controllerrevisions", name,
          R"({"metadata":{"ownerReferences":[{"uid":"u","controller":true}]},"revision":)" + std::to_string(number) + "}");
  }
  void pod(const std::string& name, const std::string& revision, bool ready, const std::string& owner = "u",
           std::string_view agent = kManager) {
    write(agent, "pods", name,
          R"({"metadata":{"labels":{"app":"web","controller-revision-hash":")" + revision + R"("},"ownerReferences":[{"uid":")" +
              owner + R"(","controller":true}]},
              "status":{"phase":"Running","conditions":[{"type":"Ready","status":")" +
              (ready ? "True" : "False") + R"("}]}})");
  }

  static constexpr std::string_view kManager = "kruise-manager/cloneset-controller";
  RolloutJudge judge;
  std::uint64_t version = 1;
};

TEST_F(RolloutJudgeTest, AllowsWhatIsWithinTheLimits) {
  pod("a", "new", false);
  pod("a", "new", true, "u", "kubelet");
  pod("b", "new", false);
  EXPECT_TRUE(judge.violations().empty()) << judge.violations().front();
  EXPECT_EQ(judge.judged(), 5U);
}

TEST_F(RolloutJudgeTest, NoticesAPodMadeUnavailableBeyondTheBudget) {
  pod("a", "old", false);
  pod("b", "old", false);
  ASSERT_EQ(judge.violations().size(), 1U);
  EXPECT_NE(judge.violations()[0].find("beyond the budget of 1"), std::string::npos);
}

TEST_F(RolloutJudgeTest, NoticesADeletionBeyondTheBudget) {
  pod("a", "old", false, "u", "kubelet");
  write(kManager, "pods", "b", "{}", "DELETED");
  EXPECT_EQ(judge.violations().size(), 1U);
}

TEST_F(RolloutJudgeTest, NoticesAPodTooMany) {
  pod("d", "new", false);
  ASSERT_EQ(judge.violations().size(), 1U);
  EXPECT_NE(judge.violations()[0].find("created beyond"), std::string::npos);
}

TEST_F(RolloutJudgeTest, NoticesAMoveBeyondThePartition) {
  for (const char* name : {"a", "b", "c"}) pod(name, "new", true);
  ASSERT_EQ(judge.violations().size(), 1U);
  EXPECT_NE(judge.violations()[0].find("pod c moved beyond the partition"), std::string::npos);
}

TEST_F(RolloutJudgeTest, NoticesALostOwner) {
  pod("a", "old", true, "somebody");
  ASSERT_EQ(judge.violations().size(), 1U);
  EXPECT_NE(judge.violations()[0].find("lost its owner"), std::string::npos);
}

}  // namespace
}  // namespace kruise::bench
