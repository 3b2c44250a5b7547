#include "runtime/event_recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <simdjson.h>

#include "held_client.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

struct EventRecorderTest : testing::Test {
  base::VirtualLoop loop{*base::parse_time("2021-03-01T08:00:00Z")};
  HeldClient client{loop};
  EventRecorder recorder{client, "kruise-manager"};
  const ObjectReference web{&api::kCloneSets, {"ns", "web"}, "u-1", "5"};
  const EventSource source{"cloneset-controller"};

  void record(std::string message, std::string reason = "SuccessfulCreate") {
    recorder.record(web, source, {Event::Type::kNormal, std::move(reason), std::move(message)});
  }
  void answer_all() {
    while (client.in_flight() > 0) client.succeed();
  }
};

TEST_F(EventRecorderTest, WritesACoreEvent) {
  record("succeed to create pod web-1");
  ASSERT_EQ(client.in_flight(), 1U);
  const auto& request = client.front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/api/v1/namespaces/ns/events");
  EXPECT_EQ(request.user_agent, "kruise-manager");
  EXPECT_THAT(
      request.body,
      HasSubstr(
          R"("involvedObject":{"kind":"CloneSet","apiVersion":"apps.kruise.io/v1alpha1","namespace":"ns","name":"web","uid":"u-1","resourceVersion":"5"})"));
  EXPECT_THAT(
      request.body,
      HasSubstr(
          R"("reason":"SuccessfulCreate","message":"succeed to create pod web-1","type":"Normal","source":{"component":"cloneset-controller"},"firstTimestamp":"2021-03-01T08:00:00Z","lastTimestamp":"2021-03-01T08:00:00Z","count":1)"));
}

TEST_F(EventRecorderTest, EventsOfClusterObjectsLiveInDefault) {
  recorder.record({&api::kNodes, {"", "n1"}, "", ""}, source, {Event::Type::kWarning, "R", "m"});
  EXPECT_EQ(client.front().path, "/api/v1/namespaces/default/events");
}

TEST_F(EventRecorderTest, TheSameAgainIsAPatchOfItsCount) {
  record("m");
  answer_all();
  loop.run_for(1min);
  record("m");
  ASSERT_EQ(client.in_flight(), 1U);
  EXPECT_EQ(client.front().method, "PATCH");
  EXPECT_THAT(client.front().path, StartsWith("/api/v1/namespaces/ns/events/web."));
  EXPECT_EQ(client.front().body, R"({"count":2,"lastTimestamp":"2021-03-01T08:01:00Z","message":"m"})");
  client.refuse(404, "NotFound");  // expired: created anew, with its count
  EXPECT_EQ(client.front().method, "POST");
  EXPECT_THAT(client.front().body, HasSubstr(R"("count":2)"));
}

TEST_F(EventRecorderTest, FromTheTenthMessageOnTheyAreCombined) {
  for (int i = 1; i <= 12; ++i) record("pod " + std::to_string(i));
  answer_all();
  ASSERT_THAT(client.sent, SizeIs(12));
  EXPECT_THAT(client.sent[8].body, HasSubstr(R"("message":"pod 9")"));
  EXPECT_THAT(client.sent[9].body, HasSubstr(R"("message":"(combined from similar events): pod 10")"));
  EXPECT_EQ(client.sent[10].method, "PATCH");
  EXPECT_THAT(client.sent[11].body, HasSubstr(R"("count":3)"));
  loop.run_for(11min);
  record("pod 13");
  EXPECT_EQ(client.front().method, "POST");
  EXPECT_THAT(client.front().body, HasSubstr(R"("message":"pod 13")"));
}

TEST_F(EventRecorderTest, OneSourceMaySend25AtOnceThenOneInFiveMinutes) {
  for (int i = 0; i < 40; ++i) record("m", "R" + std::to_string(i));
  answer_all();
  EXPECT_THAT(client.sent, SizeIs(25));
  recorder.record(web, {"other-controller"}, {Event::Type::kNormal, "R", "m"});
  answer_all();
  EXPECT_THAT(client.sent, SizeIs(26));
  loop.run_for(5min);
  record("m", "later");
  record("m", "latest");
  answer_all();
  EXPECT_THAT(client.sent, SizeIs(27));
}

TEST_F(EventRecorderTest, GivesUpAfterTwelveTries) {
  record("m");
  for (int i = 1; i <= 12; ++i) {
    ASSERT_EQ(client.in_flight(), 1U) << i;
    client.refuse(i % 2 == 0 ? 503 : 0, "Unreachable");
    if (i < 12) loop.run_for(10s);
  }
  EXPECT_EQ(client.in_flight(), 0U);
  EXPECT_EQ(recorder.dropped(), 1U);
  record("m");  // the server never had it: created, not patched
  EXPECT_EQ(client.front().method, "POST");
}

TEST_F(EventRecorderTest, ARefusedEventIsNotTriedAgain) {
  record("m");
  client.refuse(403, "Forbidden");
  EXPECT_EQ(client.in_flight(), 0U);
}

TEST_F(EventRecorderTest, TheQueueIsBounded) {
  for (std::size_t i = 0; i < EventRecorder::kQueueMax + 50; ++i) {
    recorder.record({&api::kCloneSets, {"ns", "web-" + std::to_string(i)}, "u", "5"}, source, {Event::Type::kNormal, "R", "m"});
  }
  EXPECT_EQ(recorder.dropped(), 50U);
  EXPECT_EQ(client.in_flight(), 1U);
}

TEST_F(EventRecorderTest, MessagesAreCutBetweenCharacters) {
  record(std::string(1023, 'x') + "\xc3\xa4");
  EXPECT_THAT(client.front().body, HasSubstr("\"message\":\"" + std::string(1023, 'x') + "\""));
}

TEST_F(EventRecorderTest, FlushWaitsForTheLast) {
  bool flushed = false;
  record("m");
  record("n");
  recorder.flush([&] { flushed = true; });
  client.succeed();
  EXPECT_FALSE(flushed);
  client.succeed();
  EXPECT_TRUE(flushed);
}

}  // namespace
}  // namespace kruise::runtime
