#include "runtime/own_writes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "held_client.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Expect = OwnWrite::Expect;

/// Caches as the test sets them.
struct SetVersions final : Versions {
  std::optional<std::uint64_t> pods = 10;
  std::map<api::Key, Seen> objects;
  std::uint64_t listed = 1;
  int refreshed = 0;

  std::optional<std::uint64_t> reached(const api::Resource& resource) const override {
    return resource == api::kPods ? pods : std::nullopt;
  }
  std::optional<Seen> object(const api::Resource&, const api::Key& key) const override {
    const auto found = objects.find(key);
    return found == objects.end() ? std::nullopt : std::optional(found->second);
  }
  std::uint64_t lists(const api::Resource&) const override { return listed; }
  void refresh(const api::Resource&) override { ++refreshed; }
};

struct OwnWritesTest : testing::Test {
  base::VirtualLoop loop{base::Time{}};
  HeldClient client{loop};
  SetVersions versions;
  base::Metrics metrics;
  OwnWrites own{{}, client, versions, metrics};
  const Owner owner{"cloneset-controller", {"ns", "web"}};
  const api::Key pod{"ns", "web-1"};
  int woken = 0;

  void write(Expect expect, std::uint64_t version = 0) { own.record(owner, {api::kPods, pod, expect, version, "u"}); }
  bool met() {
    return own.met(owner, [this] { ++woken; });
  }
  void progress() {
    own.progress();
    loop.run_for(0s);
  }
};

TEST_F(OwnWritesTest, AVersionIsMetWhenTheWatchHasReachedIt) {
  EXPECT_TRUE(met());
  write(Expect::kVersion, 12);
  write(Expect::kVersion, 11);
  EXPECT_FALSE(met());
  versions.pods = 11;
  progress();
  EXPECT_EQ(woken, 0);
  versions.pods = 13;
  progress();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(met());
  EXPECT_TRUE(own.met({"other", owner.key}, {}));
}

TEST_F(OwnWritesTest, ADeletionIsMetByTerminatingGoneOrReplaced) {
  for (const auto& after : {std::optional<Seen>{}, std::optional<Seen>{{"u", true}}, std::optional<Seen>{{"v", false}}}) {
    versions.objects[pod] = {"u", false};
    write(Expect::kAbsence);
    EXPECT_FALSE(met());
    versions.objects.erase(pod);
    if (after) versions.objects[pod] = *after;
    EXPECT_TRUE(met());
  }
}

TEST_F(OwnWritesTest, WhatIsNotCachedIsNotWaitedFor) {
  versions.pods.reset();
  write(Expect::kVersion, 12);
  write(Expect::kUnknown);
  EXPECT_TRUE(met());
}

TEST_F(OwnWritesTest, ALostAnswerIsAskedAfter) {
  write(Expect::kUnknown);
  EXPECT_FALSE(met());
  EXPECT_EQ(client.in_flight(), 0U);
  loop.run_for(2s);
  ASSERT_EQ(client.in_flight(), 1U);
  EXPECT_EQ(client.front().path, "/api/v1/namespaces/ns/pods/web-1");
  client.succeed("12");
  EXPECT_EQ(woken, 0);  // the server has it in a version that the cache has not reached
  versions.pods = 12;
  versions.objects[pod] = {"u", false, 12};
  progress();
  EXPECT_EQ(woken, 1);
}

TEST_F(OwnWritesTest, ALostCreationThatNeverHappenedIsForgotten) {
  write(Expect::kUnknown);
  EXPECT_FALSE(met());
  loop.run_for(2s);
  client.refuse(404, "NotFound");
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(met());
}

TEST_F(OwnWritesTest, AnUnreachableServerIsAskedAgain) {
  write(Expect::kUnknown);
  EXPECT_FALSE(met());
  loop.run_for(2s);
  client.refuse(0, "Unreachable");
  EXPECT_FALSE(met());
  loop.run_for(15s);
  ASSERT_EQ(client.in_flight(), 1U);
  versions.objects[pod] = {"u", false, 9};
  client.succeed("9");
  EXPECT_EQ(woken, 1);
}

/// Writes whose version the watch has reached while the cache does not show them.
struct MissedTest : OwnWritesTest {
  void write_missed(const std::string& name, bool created) {
    own.record(owner, {api::kPods, {"ns", name}, Expect::kVersion, 12, "u", created});
    versions.pods = 11;
  }
  /// The watch passes them while somebody waits.
  void pass() {
    EXPECT_FALSE(met());
    versions.pods = 13;
    progress();
    EXPECT_EQ(client.in_flight(), 0U);
    loop.run_for(2s);
  }
  void list() {
    ++versions.listed;
    progress();
  }
};

TEST_F(MissedTest, ACreationWhoseEventNeverComesIsListed) {
  write_missed("web-1", true);
  pass();
  ASSERT_EQ(client.in_flight(), 1U);
  client.succeed("12");
  EXPECT_EQ(versions.refreshed, 1);
  EXPECT_EQ(woken, 0);
  list();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(met());
}

TEST_F(MissedTest, ACreationThatIsGoneAgainIsMet) {
  write_missed("web-1", true);
  pass();
  ASSERT_EQ(client.in_flight(), 1U);
  client.refuse(404, "NotFound");
  EXPECT_EQ(versions.refreshed, 0);
  EXPECT_EQ(woken, 1);
}

TEST_F(MissedTest, AnUpdateThatTheCacheDoesNotShowIsListed) {
  versions.objects[pod] = {"u", false, 9};
  write_missed(pod.name, false);
  pass();
  ASSERT_EQ(client.in_flight(), 1U);
  client.succeed("12");
  EXPECT_EQ(versions.refreshed, 1);
  list();
  EXPECT_EQ(woken, 1);
}

TEST_F(MissedTest, AnUpdatedObjectThatIsGoneIsMetUnread) {
  write_missed(pod.name, false);
  pass();
  EXPECT_EQ(client.in_flight(), 0U);
  EXPECT_EQ(woken, 1);
}

TEST_F(MissedTest, OneListIsForAllOfAKind) {
  for (const char* name : {"web-1", "web-2", "web-3"}) write_missed(name, true);
  versions.objects[{"ns", "web-2"}] = {"u", false, 12};
  pass();
  ASSERT_EQ(client.in_flight(), 2U);
  client.succeed("12");
  client.succeed("12");
  EXPECT_EQ(versions.refreshed, 1);
  list();
  EXPECT_EQ(woken, 1);
}

TEST_F(MissedTest, AfterALostAnswerACreationHasToBeShownToo) {
  write(Expect::kUnknown);
  EXPECT_FALSE(met());
  loop.run_for(2s);
  client.succeed("9");  // reached, and not shown
  EXPECT_EQ(woken, 0);
  loop.run_for(2s);
  ASSERT_EQ(client.in_flight(), 1U);
  client.succeed("9");
  EXPECT_EQ(versions.refreshed, 1);
  list();
  EXPECT_EQ(woken, 1);
}

struct OverdueTest : OwnWritesTest {
  std::vector<std::string> lines;
  base::log::Capture capture{[this](auto, std::string_view, const std::string& line) { lines.push_back(line); }};

  void wait_till_overdue() {
    EXPECT_FALSE(met());
    loop.run_for(5min - 1s);
    EXPECT_EQ(client.in_flight(), 0U);
    loop.run_for(2s);
    ASSERT_EQ(client.in_flight(), 1U);
    EXPECT_EQ(lines.size(), 1U);
    EXPECT_THAT(metrics.text(), HasSubstr(R"(cloneset_scale_expectation_leakage{namespace="ns",name="web"} 1)"));
  }
};

// CloneSet §20, §26, 1.8; users #1765, #1829: an expectation never met blocked a set for days.
TEST_F(OverdueTest, ALaggingCacheIsListedAnew) {
  write(Expect::kVersion, 12);
  wait_till_overdue();
  client.succeed("12");
  EXPECT_EQ(versions.refreshed, 1);
  EXPECT_EQ(woken, 0);
  versions.pods = 12;
  progress();
  EXPECT_EQ(woken, 1);
}

TEST_F(OverdueTest, ARestoredServerBlocksNothing) {
  write(Expect::kVersion, 5000);
  wait_till_overdue();
  client.succeed("11");
  EXPECT_EQ(woken, 1);
}

TEST_F(OverdueTest, AnObjectGoneSinceBlocksNothing) {
  write(Expect::kVersion, 12);
  wait_till_overdue();
  client.refuse(404, "NotFound");
  EXPECT_EQ(woken, 1);
}

TEST_F(OverdueTest, ADeletionThatDidNotHappenBlocksNothing) {
  versions.objects[pod] = {"u", false};
  write(Expect::kAbsence);
  wait_till_overdue();
  client.succeed("9", "u");
  EXPECT_EQ(woken, 1);
}

TEST_F(OverdueTest, TheGateDropsUnread) {
  OwnWrites dropping{{.drop_at_timeout = true}, client, versions, metrics};
  dropping.record(owner, {api::kPods, pod, Expect::kVersion, 12});
  EXPECT_FALSE(dropping.met(owner, [this] { ++woken; }));
  loop.run_for(5min);
  EXPECT_EQ(client.in_flight(), 0U);
  EXPECT_EQ(woken, 1);
}

TEST_F(OwnWritesTest, TheOwnerGoneNobodyIsWoken) {
  write(Expect::kVersion, 12);
  EXPECT_FALSE(met());
  own.forget(owner);
  versions.pods = 12;
  progress();
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(own.waiting(), 0U);
}

}  // namespace
}  // namespace kruise::runtime
