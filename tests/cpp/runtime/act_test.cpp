#include "runtime/act.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/request.hpp"
#include "held_client.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Write patch(std::string name, std::string body = R"({"metadata":{"labels":{"a":"b"}}})") {
  Write write;
  write.verb = Write::Verb::kPatch;
  write.resource = &api::kPods;
  write.key = {"ns", std::move(name)};
  write.body = std::move(body);
  return write;
}

struct ActTest : testing::Test {
  base::VirtualLoop loop{base::Time{}};
  HeldClient client{loop};
  std::optional<ActResult> result;
  std::vector<std::string> events;
  std::unique_ptr<Acting> acting;
  bool leader = true;

  void act(Plan plan) {
    ActOptions options;
    options.client = &client;
    options.emit = [this](const Event& event) { events.push_back(event.reason + ": " + event.message); };
    options.may_write = [this] { return leader; };
    acting = runtime::act(std::move(plan), std::move(options), [this](ActResult r) { result = std::move(r); });
    loop.run_for(0s);
  }
  static Plan independent(int count) {
    Plan plan;
    plan.steps.emplace_back();
    for (int i = 0; i < count; ++i) plan.steps[0].chains.push_back({patch("p" + std::to_string(i))});
    return plan;
  }
};

// CloneSet §13.3.
TEST_F(ActTest, TheWindowDoublesWithEachRoundTrip) {
  act(independent(20));
  std::vector<std::size_t> windows;
  while (client.in_flight() > 0) {
    const std::size_t round = client.in_flight();
    windows.push_back(round);
    for (std::size_t i = 0; i < round; ++i) client.succeed();
  }
  EXPECT_THAT(windows, ElementsAre(1, 2, 4, 8, 5));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->writes, 20U);
  EXPECT_FALSE(result->error);
}

TEST_F(ActTest, ThereIsNoBarrier) {
  act(independent(20));
  client.succeed();
  client.succeed();  // one of two: two more start beside the one that hangs
  EXPECT_EQ(client.in_flight(), 3U);
}

TEST_F(ActTest, AfterAnErrorNothingStartsAndTheRestIsAccountedFor) {
  Plan plan = independent(20);
  plan.steps.push_back({{{patch("later")}}});
  act(std::move(plan));
  client.succeed();
  client.succeed();
  ASSERT_EQ(client.in_flight(), 3U);
  client.refuse(500, "InternalError");
  EXPECT_EQ(client.in_flight(), 2U);
  EXPECT_FALSE(result);
  client.succeed();
  client.refuse(403, "Forbidden");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error->reason, "InternalError");
  EXPECT_FALSE(result->stale);
  EXPECT_EQ(result->writes, 5U);
  EXPECT_EQ(result->succeeded, 3U);
}

// A pod that others have changed or deleted holds back nothing but itself, and what builds on the whole step.
TEST_F(ActTest, AStaleObjectEndsItsOwnChainAndNoLaterStepStarts) {
  struct Case {
    int code;
    const char* reason;
  };
  for (const Case& c : {Case{409, "Conflict"}, Case{404, "NotFound"}}) {
    client.sent.clear();
    events.clear();
    Plan plan = independent(6);
    plan.steps[0].chains[1].push_back(patch("p1-second"));
    plan.steps[0].chains[1][0].on_failure = Event{Event::Type::kWarning, "Failed", "p1"};
    plan.steps.push_back({{{patch("later")}}});
    plan.status = patch("status");
    plan.status_after_error = [](const client::ApiError&) { return patch("failed"); };
    act(std::move(plan));
    client.succeed();
    client.refuse(c.code, c.reason);
    EXPECT_EQ(client.in_flight(), 2U) << "the window is as wide as it was";
    for (int i = 0; i < 4; ++i) client.succeed();
    EXPECT_TRUE(client.front().path.ends_with("/status")) << client.front().path;
    client.succeed();
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->stale);
    EXPECT_EQ(result->error->code, c.code);
    EXPECT_EQ(result->succeeded, 5U);
    EXPECT_THAT(events, testing::IsEmpty());
    for (const auto& request : client.sent) EXPECT_FALSE(request.path.ends_with("second") || request.path.ends_with("later"));
  }
}

TEST_F(ActTest, AStaleObjectDoesNotHideAFailure) {
  Plan plan = independent(6);
  plan.status_after_error = [](const client::ApiError& error) { return patch("failed-" + error.reason); };
  act(std::move(plan));
  client.succeed();
  client.refuse(409, "Conflict");
  client.refuse(403, "Forbidden");
  client.succeed();
  EXPECT_TRUE(client.front().path.ends_with("failed-Forbidden"));
  client.succeed();
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->stale);
  EXPECT_EQ(client.sent.size(), 5U);
}

TEST_F(ActTest, WhatExistsAlreadyOrIsInvalidIsNoStaleObject) {
  for (const char* reason : {"AlreadyExists", "Invalid"}) {
    Plan plan = independent(3);
    plan.steps[0].chains[0][0].verb = Write::Verb::kCreate;
    act(std::move(plan));
    client.refuse(reason == std::string("Invalid") ? 422 : 409, reason);
    ASSERT_TRUE(result);
    EXPECT_FALSE(result->stale) << reason;
    EXPECT_EQ(result->writes, 1U);
    result.reset();
  }
}

TEST_F(ActTest, AFailedTestOfAJsonPatchIsStale) {
  Plan plan = independent(2);
  plan.steps[0].chains[0][0].patch_type = client::PatchType::kJson;
  plan.steps[0].chains[0][0].body = "[]";
  act(std::move(plan));
  client.refuse(422, "Invalid");
  client.succeed();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->stale);
}

TEST_F(ActTest, AChainRunsInOrderAndTakesVersions) {
  Plan plan;
  Write second = patch("p0");
  second.version_of_previous = true;
  Write third = patch("p0", R"([{"op":"add","path":"/x","value":1}])");
  third.patch_type = client::PatchType::kJson;
  third.version_of_previous = true;
  plan.steps.push_back({{{patch("p0"), second, third}}});
  act(std::move(plan));
  client.succeed("41");
  EXPECT_EQ(client.front().body, R"({"metadata":{"resourceVersion":"41","labels":{"a":"b"}}})");
  client.succeed("42");
  EXPECT_EQ(client.front().body,
            R"([{"op":"test","path":"/metadata/resourceVersion","value":"42"},{"op":"add","path":"/x","value":1}])");
  client.succeed("43");
  EXPECT_TRUE(result);
}

TEST_F(ActTest, StepsAreOrdered) {
  Plan plan = independent(2);
  plan.steps.emplace_back();
  plan.steps.push_back({{{patch("last")}}});
  act(std::move(plan));
  client.succeed();
  EXPECT_EQ(client.front().path, "/api/v1/namespaces/ns/pods/p1");
  client.succeed();
  EXPECT_EQ(client.front().path, "/api/v1/namespaces/ns/pods/last");
  client.succeed();
  EXPECT_TRUE(result);
}

TEST_F(ActTest, TheStatusFollowsAlsoAFailureAndThenTheCleanup) {
  Plan plan = independent(1);
  plan.status = patch("status");
  plan.status_after_error = [](const client::ApiError& error) { return patch("failed-" + error.reason); };
  plan.cleanup = {patch("old-1"), patch("old-2")};
  act(std::move(plan));
  client.refuse(403, "Forbidden");
  EXPECT_EQ(client.front().path, "/api/v1/namespaces/ns/pods/failed-Forbidden");
  client.succeed();
  client.refuse(404, "NotFound");
  client.succeed();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error->reason, "Forbidden");
  EXPECT_EQ(client.sent.size(), 4U);
}

TEST_F(ActTest, EventsTellSuccessAndFailure) {
  Plan plan = independent(2);
  plan.events = {{Event::Type::kNormal, "Started", "now"}};
  plan.steps[0].chains[0][0].on_success = Event{Event::Type::kNormal, "Done", "p0"};
  plan.steps[0].chains[1][0].on_failure = Event{Event::Type::kWarning, "Failed", "p1"};
  act(std::move(plan));
  client.succeed();
  client.refuse(403, "Forbidden");
  EXPECT_THAT(events, ElementsAre("Started: now", "Done: p0", "Failed: p1: refused (403 Forbidden)"));
}

TEST_F(ActTest, GoneIsFineWhereThePlanSaysSo) {
  Plan plan = independent(2);
  for (auto& chain : plan.steps[0].chains) chain[0].not_found_is_success = true;
  act(std::move(plan));
  client.refuse(404, "NotFound");
  client.succeed();
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->error);
}

TEST_F(ActTest, WhoMayNotWriteWritesNothing) {
  Plan plan = independent(4);
  plan.status = patch("status");
  act(std::move(plan));
  leader = false;
  client.succeed();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->refused);
  EXPECT_EQ(client.sent.size(), 1U);
}

TEST_F(ActTest, AnEmptyPlanIsDoneLater) {
  acting = runtime::act({}, {.client = &client}, [this](ActResult r) { result = std::move(r); });
  EXPECT_FALSE(result);
  loop.run_for(0s);
  EXPECT_TRUE(result);
}

TEST_F(ActTest, DestroyedItHearsNoMore) {
  act(independent(4));
  client.succeed();
  acting.reset();
  client.succeed();
  client.succeed();
  EXPECT_EQ(client.in_flight(), 0U);
  EXPECT_FALSE(result);
}

TEST(RequestOf, PutsPreconditionsIn) {
  Write write = patch("p", "{\"metadata\":{}}");
  write.uid = "u-1";
  EXPECT_EQ(request_of(write, "", "agent").body, R"({"metadata":{"uid":"u-1"}})");
  write.body = R"({"status":{"a":1}})";
  write.resource_version = "5";
  EXPECT_EQ(request_of(write, "", "agent").body, R"({"metadata":{"uid":"u-1","resourceVersion":"5"},"status":{"a":1}})");
  write.body = "[]";
  write.patch_type = client::PatchType::kJson;
  write.uid.clear();
  EXPECT_EQ(request_of(write, "", "agent").body, R"([{"op":"test","path":"/metadata/resourceVersion","value":"5"}])");
  EXPECT_EQ(request_of(write, "", "agent").user_agent, "agent");

  write.verb = Write::Verb::kDelete;
  write.uid = "u-1";
  const auto request = request_of(write, "", "agent");
  EXPECT_EQ(request.method, "DELETE");
  EXPECT_THAT(request.body, testing::HasSubstr(R"("uid":"u-1")"));
}

}  // namespace
}  // namespace kruise::runtime
