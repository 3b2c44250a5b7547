#include "client/rest_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "base/thread.hpp"
#include "client/certificates.hpp"
#include "client/raw_server.hpp"
#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_engine.hpp"
#include "client/sync_client.hpp"

namespace kruise::client {
namespace {

using namespace std::chrono_literals;
using test::Connection;
using test::RawServer;
using test::Received;
using test::Recorder;
using testing::HasSubstr;

const api::Key kPod{"default", "web-1"};

Request read_pod() { return get(api::kPods, kPod); }
Request write_pod() { return patch(api::kPods, kPod, PatchType::kMerge, "{}"); }

Config config_of(const RawServer& server) {
  Config config;
  config.server = server.url();
  return config;
}

/// A server of one behaviour and a client of it.
struct Pair {
  explicit Pair(std::function<void(Connection&)> serve, RestOptions options = {}, const std::function<void(Config&)>& change = {})
      : server(std::move(serve)), loop("test") {
    Config config = config_of(server);
    if (change) change(config);
    client.emplace(config, loop, std::move(options));
  }
  Outcome call(Request request) { return Sync(*client).try_call(std::move(request)); }

  RawServer server;
  base::Loop loop;
  std::optional<RestClient> client;
};

void answer_all(Connection& connection) {
  while (connection.receive()) connection.answer(200, "{}");
}

TEST(RestClient, SendsHeadersAndBody) {
  Received seen;
  Pair pair(
      [&](Connection& c) {
        seen = *c.receive();
        c.answer(201, "{\"ok\":true}");
      },
      {.user_agent = "kruise-manager"},
      [](Config& config) {
        config.token = "secret";
        config.impersonate.user = "alice";
        config.impersonate.groups = {"g1", "g2"};
        config.impersonate.extra = {{"k", "v"}};
      });
  Request request = write_pod();
  request.user_agent = "kruise-manager/cloneset-controller";
  request.body = std::string(200'000, 'x');
  const Outcome outcome = pair.call(request);
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(outcome->code, 201);
  EXPECT_EQ(outcome->body, "{\"ok\":true}");
  EXPECT_EQ(outcome->content_type, "application/json");
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.path, "/api/v1/namespaces/default/pods/web-1");
  EXPECT_EQ(seen.body, request.body);
  for (const char* line :
       {"Content-Type: application/merge-patch+json", "Authorization: Bearer secret", "Accept: application/json",
        "User-Agent: kruise-manager/cloneset-controller", "Impersonate-User: alice", "Impersonate-Group: g1",
        "Impersonate-Group: g2", "Impersonate-Extra-k: v"}) {
    EXPECT_TRUE(seen.has_header(std::string(line) + "\r\n")) << line;
  }
  EXPECT_FALSE(seen.has_header("Expect:"));
}

TEST(RestClient, BasicCredentialsAndAHeaderThatCannotBreakOut) {
  Received seen;
  Pair pair(
      [&](Connection& c) {
        seen = *c.receive();
        c.answer(200, "");
      },
      {},
      [](Config& config) {
        config.username = "me";
        config.password = "pw";
      });
  Request request = read_pod();
  request.user_agent = "evil\r\nX-Injected: 1";
  ASSERT_TRUE(pair.call(request).ok());
  EXPECT_TRUE(seen.has_header("Authorization: Basic bWU6cHc=\r\n"));
  EXPECT_FALSE(seen.has_header("X-Injected"));
}

TEST(RestClient, ErrorsAreTyped) {
  Pair pair([](Connection& c) {
    while (c.receive()) c.answer(409, R"({"kind":"Status","reason":"Conflict","message":"stale","code":409})");
  });
  const Outcome outcome = pair.call(write_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_TRUE(outcome.error().conflict());
  EXPECT_FALSE(outcome.error().outcome_unknown);
  EXPECT_THROW(Sync(*pair.client).call(write_pod()), ApiException);
}

// --- what breaks ----------------------------------------------------------------------------------------------------

TEST(RestClient, ReadsAreTriedAgainWhenTheConnectionBreaks) {
  std::atomic<int> requests = 0;
  Pair pair([&](Connection& c) {
    while (c.receive()) {
      if (++requests <= 2) return;  // no answer
      c.answer(200, "{}");
    }
  });
  EXPECT_TRUE(pair.call(read_pod()).ok());
  EXPECT_EQ(requests, 3);
}

TEST(RestClient, ReadsGiveUpInTheEnd) {
  std::atomic<int> requests = 0;
  Pair pair([&](Connection& c) {
    if (c.receive()) ++requests;
  });
  const Outcome outcome = pair.call(read_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, 0);
  EXPECT_EQ(outcome.error().reason, "Broken");
  EXPECT_FALSE(outcome.error().outcome_unknown);
  EXPECT_EQ(requests, 4);
}

TEST(RestClient, AWriteThatWasSentIsNeverRepeated) {
  for (const Request& request : {write_pod(), create(api::kPods, "default", "{}"), remove(api::kPods, kPod)}) {
    std::atomic<int> requests = 0;
    Pair pair([&](Connection& c) {
      // The first one is answered so that the connection is a reused one, which libcurl would try again by itself.
      while (c.receive()) {
        if (++requests == 2) return;
        c.answer(200, "{}");
      }
    });
    ASSERT_TRUE(pair.call(request).ok());
    const Outcome outcome = pair.call(request);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().reason, "Broken") << outcome.error().text();
    EXPECT_TRUE(outcome.error().outcome_unknown);
    EXPECT_EQ(requests, 2) << request.method;
  }
}

TEST(RestClient, UnreachableIsNotUnknown) {
  int port = 0;
  {
    const RawServer gone([](Connection&) {});
    port = std::stoi(gone.url().substr(gone.url().rfind(':') + 1));
  }
  base::Loop loop("test");
  Config config;
  config.server = "http://127.0.0.1:" + std::to_string(port);
  RestClient client(config, loop);
  Request request = write_pod();
  request.timeout = 2s;
  const Outcome outcome = Sync(client).try_call(request);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Unreachable");
  EXPECT_FALSE(outcome.error().outcome_unknown);
  EXPECT_THAT(outcome.error().message, HasSubstr("127.0.0.1:" + std::to_string(port)));
}

TEST(RestClient, ACutAnswerIsBroken) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"", "HTTP/1.1 200 OK\r\nConte",
                             "\x01\x02garbage\r\n\r\n"}) {
    Pair pair([&](Connection& c) {
      if (c.receive()) c.send(answer);
    });
    const Outcome outcome = pair.call(write_pod());
    ASSERT_FALSE(outcome.ok()) << answer;
    EXPECT_EQ(outcome.error().reason, "Broken") << answer;
    EXPECT_TRUE(outcome.error().outcome_unknown);
  }
}

TEST(RestClient, TimesOut) {
  Pair pair([](Connection& c) {
    c.receive();
    c.wait_closed();
  });
  Request request = write_pod();
  request.timeout = 100ms;
  const Outcome outcome = pair.call(request);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Timeout");
  EXPECT_TRUE(outcome.error().outcome_unknown);
}

TEST(RestClient, AServerWithoutTlsIsUnreachableOverHttps) {
  Pair pair([](Connection& c) { c.answer(400, "speak HTTP"); }, {}, [](Config& config) { config.server.replace(0, 4, "https"); });
  Request request = write_pod();
  request.timeout = 20s;
  const Outcome outcome = pair.call(request);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Unreachable") << outcome.error().text();
  EXPECT_FALSE(outcome.error().outcome_unknown);
}

// --- a busy server ----------------------------------------------------------------------------------------------------

TEST(RestClient, ObeysRetryAfterWithinTheTimeout) {
  std::atomic<int> requests = 0;
  Pair pair([&](Connection& c) {
    while (c.receive()) {
      if (++requests == 1) {
        c.answer(429, "{}", "Retry-After: 1\r\n");
      } else {
        c.answer(200, "{}");
      }
    }
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(pair.call(write_pod()).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_EQ(requests, 2);
}

TEST(RestClient, TellsRetryAfterThatIsTooLongOrMissing) {
  std::atomic<int> requests = 0;
  Pair pair([&](Connection& c) {
    while (const auto request = c.receive()) {
      ++requests;
      c.answer(429, "{}", request->method == "GET" ? "Retry-After: 60\r\n" : "");
    }
  });
  const Outcome read = pair.call(read_pod());
  ASSERT_FALSE(read.ok());
  EXPECT_TRUE(read.error().too_many_requests());
  EXPECT_EQ(read.error().retry_after, base::Duration(60s));
  const Outcome write = pair.call(write_pod());
  ASSERT_FALSE(write.ok());
  EXPECT_EQ(write.error().retry_after, std::nullopt);
  EXPECT_EQ(requests, 2);
}

TEST(RestClient, LimitsTheRateButNotExemptRequests) {
  Pair pair(answer_all, {.rate = Rate{.per_second = 20, .burst = 1}});
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.call(write_pod()).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 95ms);
  const auto again = std::chrono::steady_clock::now();
  Request lease = write_pod();
  lease.exempt = true;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(pair.call(lease).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - again, 900ms) << "as limited ones they would take a second";
}

TEST(RestClient, KeepsTheNumberOfConnectionsInBounds) {
  Pair pair(answer_all);
  constexpr int kCount = 300;
  std::latch answered(kCount);
  std::atomic<int> good = 0;
  for (int i = 0; i < kCount; ++i) {
    pair.client->send(write_pod(), [&](Outcome outcome) {
      good += outcome.ok() ? 1 : 0;
      answered.count_down();
    });
  }
  answered.wait();
  EXPECT_EQ(good, kCount);
  EXPECT_LE(pair.server.connections(), static_cast<int>(kInFlightMaxHttp1));
}

TEST(RestClient, AWatchThatWasThereFirstHoldsNothingUp) {
  Pair pair([](Connection& c) {
    while (const auto request = c.receive()) {
      if (request->path.find("watch=") == std::string::npos) {
        c.answer(200, "{}");
      } else {
        c.begin_stream();
        c.chunk("{\"n\":1}\n");
      }
    }
  });
  Recorder recorder;
  auto watch = pair.client->watch(client::watch(api::kPods, ""), recorder);
  constexpr int kCount = 100;
  std::latch answered(kCount);
  std::atomic<int> good = 0;
  for (int i = 0; i < kCount; ++i) {
    Request request = write_pod();
    request.exempt = i % 2 == 0;
    pair.client->send(std::move(request), [&](Outcome outcome) {
      good += outcome.ok() ? 1 : 0;
      answered.count_down();
    });
  }
  answered.wait();
  EXPECT_EQ(good, kCount);
  EXPECT_FALSE(recorder.error().has_value());
  pair.loop.run_and_wait([&] { watch.reset(); });
}

TEST(RestClient, ExemptRequestsPassThoseThatHang) {
  std::latch all_hang(kInFlightMaxHttp1);
  Pair pair([&](Connection& c) {
    while (const auto request = c.receive()) {
      if (request->method == "GET") {
        c.answer(200, "{}");
        continue;
      }
      if (!request->has_header("User-Agent: election")) {
        all_hang.count_down();
        return c.wait_closed();
      }
      c.answer(200, "{}");
    }
  });
  ASSERT_TRUE(pair.call(read_pod()).ok());
  for (std::size_t i = 0; i < kInFlightMaxHttp1 + 10; ++i) pair.client->send(write_pod(), [](const Outcome&) {});
  all_hang.wait();
  Request lease = write_pod();
  lease.exempt = true;
  lease.user_agent = "election";
  lease.timeout = 10s;
  EXPECT_TRUE(pair.call(lease).ok());
}

// --- stopping ---------------------------------------------------------------------------------------------------------

TEST(RestClient, NoWriteBeginsAfterTheDeadline) {
  Pair pair(answer_all);
  const base::SystemClock clock;
  pair.client->set_write_deadline(clock.mono() - 1ms);
  const Outcome write = pair.call(write_pod());
  ASSERT_FALSE(write.ok());
  EXPECT_EQ(write.error().reason, "Aborted");
  EXPECT_FALSE(write.error().outcome_unknown);
  EXPECT_TRUE(pair.call(read_pod()).ok());
  Request lease = write_pod();
  lease.exempt = true;
  EXPECT_TRUE(pair.call(lease).ok());
  pair.client->set_write_deadline(clock.mono() + 10s);
  EXPECT_TRUE(pair.call(write_pod()).ok());
  pair.client->set_write_deadline(std::nullopt);
  EXPECT_TRUE(pair.call(write_pod()).ok());
}

TEST(RestClient, AWriteInFlightIsAbortedAtTheDeadline) {
  base::Signal received;
  Pair pair([&](Connection& c) {
    c.receive();
    received.set();
    c.wait_closed();  // the abort closes the connection
  });
  base::Signal answered;
  std::optional<ApiError> error;
  pair.client->send(write_pod(), [&](Outcome outcome) {
    error = outcome.error();
    answered.set();
  });
  ASSERT_TRUE(received.wait_for(10s));
  pair.client->set_write_deadline(base::SystemClock().mono() + 50ms);
  ASSERT_TRUE(answered.wait_for(10s));
  EXPECT_EQ(error->reason, "Aborted");
  EXPECT_TRUE(error->outcome_unknown);
}

TEST(RestClient, AbortAllEndsWhatIsOpenAndOnlyThat) {
  base::Signal received;
  Pair pair([&](Connection& c) {
    while (const auto request = c.receive()) {
      if (request->method == "GET") {
        received.set();
        c.wait_closed();
        return;
      }
      c.answer(200, "{}");
    }
  });
  base::Signal answered;
  std::optional<ApiError> error;
  pair.client->send(read_pod(), [&](Outcome outcome) {
    error = outcome.error();
    answered.set();
  });
  ASSERT_TRUE(received.wait_for(10s));
  pair.client->abort_all();
  ASSERT_TRUE(answered.wait_for(10s));
  EXPECT_EQ(error->reason, "Aborted");
  EXPECT_TRUE(pair.call(write_pod()).ok());
}

TEST(RestClient, DestructionAnswersWhatIsOpen) {
  Pair pair([](Connection& c) {
    c.receive();
    c.wait_closed();
  });
  Recorder recorder;
  const auto watch = pair.client->watch(client::watch(api::kPods, ""), recorder);
  std::latch answered(40);  // more than fit: some wait
  for (int i = 0; i < 40; ++i) pair.client->send(write_pod(), [&](Outcome) { answered.count_down(); });
  pair.client.reset();
  answered.wait();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->reason, "Aborted");
}

TEST(Sync, CanBeCancelled) {
  Pair pair([](Connection& c) {
    c.receive();
    c.wait_closed();
  });
  int asked = 0;
  const Outcome outcome = Sync(*pair.client, [&] { return ++asked == 2; }).try_call(write_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Aborted");
  EXPECT_TRUE(outcome.error().outcome_unknown);
  EXPECT_THROW((void)Sync(*pair.client, []() -> bool { throw std::runtime_error("interrupted"); }).try_call(read_pod()),
               std::runtime_error);
}

TEST(RestClient, TellsEachExchange) {
  std::vector<CallInfo> calls;  // on the loop
  std::atomic<int> requests = 0;
  Pair pair(
      [&](Connection& c) {
        while (c.receive()) {
          if (++requests == 1) return;
          c.answer(200, "{}");
        }
      },
      {.on_call = [&](const CallInfo& info) { calls.push_back(info); }});
  ASSERT_TRUE(pair.call(read_pod()).ok());
  std::vector<CallInfo> seen;
  pair.loop.run_and_wait([&] { seen = calls; });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].code, 0);
  EXPECT_EQ(seen[1].code, 200);
  EXPECT_EQ(seen[1].http_version, 1);
  EXPECT_EQ(seen[1].method, "GET");
  EXPECT_EQ(seen[1].verb, "get");
  EXPECT_EQ(seen[1].path, "/api/v1/namespaces/{namespace}/pods/{name}");
}

// --- credentials ------------------------------------------------------------------------------------------------------

/// Serves only who has the token that it is told.
struct Guard {
  std::atomic<int> requests = 0;
  std::mutex mutex;
  std::string token;
  void accept(const std::string& now) {
    const std::lock_guard lock(mutex);
    token = now;
  }
  void operator()(Connection& c) {
    while (const auto request = c.receive()) {
      ++requests;
      const std::lock_guard lock(mutex);
      const bool good = request->has_header("Authorization: Bearer " + token + "\r\n");
      c.answer(good ? 200 : 401,
               good ? "{}" : R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized","code":401})");
    }
  }
};

TEST(Credentials, ATokenFileIsReadAgainWhenRefused) {
  test::TempDir dir;
  Guard guard;
  guard.accept("one");
  Pair pair([&](Connection& c) { guard(c); }, {}, [&](Config& config) { config.token_file = dir.write("token", "one\n"); });
  EXPECT_TRUE(pair.call(write_pod()).ok());
  guard.accept("two");
  dir.write("token", "two\n");
  EXPECT_TRUE(pair.call(write_pod()).ok());
  EXPECT_EQ(guard.requests, 3);
  guard.accept("three");
  const Outcome outcome = pair.call(write_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().text(), "Unauthorized (401 Unauthorized)");
  EXPECT_EQ(guard.requests, 4) << "the same token is not tried twice";
}

TEST(Credentials, AProgramRunsOnceUntilRefusedOrExpired) {
  test::TempDir dir;
  dir.write("count", "");
  Guard guard;
  guard.accept("t1");
  Pair pair([&](Connection& c) { guard(c); }, {},
            [&](Config& config) {
              config.exec.emplace();
              config.exec->api_version = "client.authentication.k8s.io/v1";
              config.exec->command =
                  dir.write("helper",
                            "#!/bin/sh\necho x >> " + dir.path("count") + "\nn=$(wc -l < " + dir.path("count") +
                                ")\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
                                "\"status\":{\"token\":\"t'$n'\"}}'\n",
                            true);
            });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pair.call(write_pod()).ok());
  EXPECT_EQ(dir.read("count"), "x\n");
  guard.accept("t2");
  EXPECT_TRUE(pair.call(write_pod()).ok());
  EXPECT_EQ(dir.read("count"), "x\nx\n");
  guard.accept("t9");
  const Outcome outcome = pair.call(write_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, 401);
}

TEST(Credentials, AFailingProgramFailsRequestsAndWatches) {
  test::TempDir dir;
  Pair pair(answer_all, {}, [&](Config& config) {
    config.exec.emplace();
    config.exec->api_version = "client.authentication.k8s.io/v1";
    config.exec->command = dir.write("helper", "#!/bin/sh\necho please log in >&2; exit 1\n", true);
  });
  const Outcome outcome = pair.call(write_pod());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Credentials");
  EXPECT_THAT(outcome.error().message, HasSubstr("please log in"));
  EXPECT_FALSE(outcome.error().outcome_unknown);
  Recorder recorder;
  const auto watch = pair.client->watch(client::watch(api::kPods, ""), recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->reason, "Credentials");
}

TEST(Credentials, AHangingProgramDoesNotKeepTheClientFromEnding) {
  test::TempDir dir;
  Pair pair(answer_all, {}, [&](Config& config) {
    config.exec.emplace();
    config.exec->api_version = "client.authentication.k8s.io/v1";
    config.exec->command = dir.write("helper", "#!/bin/sh\ntouch " + dir.path("started") + "; sleep 600\n", true);
  });
  Request request = read_pod();
  request.timeout = 200ms;
  const Outcome outcome = pair.call(request);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "Timeout");
  const auto began = std::chrono::steady_clock::now();
  pair.client.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

}  // namespace
}  // namespace kruise::client
