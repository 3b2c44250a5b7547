#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/thread.hpp"
#include "client/certificates.hpp"
#include "client/raw_server.hpp"
#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"
#include "client/watch_channel.hpp"

namespace kruise::client {
namespace {

using namespace std::chrono_literals;
using test::Connection;
using test::RawServer;
using test::Recorder;

class WatchTest : public testing::Test {
 protected:
  void serve(std::function<void(Connection&)> serve, RestOptions options = {}) {
    server.emplace(std::move(serve));
    Config config;
    config.server = server->url();
    config.token_file = token_file;
    client.emplace(config, loop, std::move(options));
  }
  void open() { watch = client->watch(client::watch(api::kPods, ""), recorder); }
  /// On the executor, as a watch must be.
  void close() {
    loop.run_and_wait([this] { watch.reset(); });
  }
  void TearDown() override {
    close();
    client.reset();
  }

  std::string token_file;
  Recorder recorder;
  base::Loop loop{"test"};
  std::optional<RawServer> server;
  std::optional<RestClient> client;
  std::unique_ptr<Watch> watch;
};

TEST_F(WatchTest, GivesLinesInOrderAndAnOrderlyEnd) {
  serve([](Connection& c) {
    c.receive();
    c.begin_stream();
    c.chunk("{\"n\":1}\n{\"n\"");
    c.chunk(":2}\n");
    c.chunk("");
    c.wait_closed();
  });
  open();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.lines(), (std::vector<std::string>{"{\"n\":1}", "{\"n\":2}"}));
  EXPECT_FALSE(recorder.error().has_value());
}

/// A recorded stream of three events, cut at every byte: what was whole is given, the end is an error.
TEST_F(WatchTest, CutAtEveryByteIsAnErrorAfterTheWholeLines) {
  const std::string body = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";
  std::atomic<std::size_t> cut = 0;
  serve([&](Connection& c) {
    c.receive();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, cut));
  });
  for (cut = 0; cut <= body.size(); ++cut) {
    Recorder seen;
    std::unique_ptr<Watch> one = client->watch(client::watch(api::kPods, ""), seen);
    ASSERT_TRUE(seen.wait_end());
    EXPECT_EQ(seen.lines().size(), cut / 8) << cut;
    EXPECT_EQ(seen.error().value_or(ApiError{}).reason, cut < body.size() ? "Broken" : "") << cut;
    loop.run_and_wait([&] { one.reset(); });
  }
}

TEST_F(WatchTest, OrderlyEndInTheMiddleOfALineIsAnError) {
  serve([](Connection& c) {
    c.receive();
    c.begin_stream();
    c.chunk("{\"n\":1}\n{\"n\"");
    c.chunk("");
  });
  open();
  ASSERT_TRUE(recorder.wait_end());
  ASSERT_TRUE(recorder.error().has_value());
  EXPECT_EQ(recorder.error()->reason, "Broken");
}

TEST_F(WatchTest, ARefusalIsATypedError) {
  serve([](Connection& c) {
    c.receive();
    c.answer(410, R"({"kind":"Status","reason":"Expired","message":"too old","code":410})");
  });
  open();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_TRUE(recorder.error()->expired());
  EXPECT_TRUE(recorder.lines().empty());
}

TEST_F(WatchTest, BusyServerGivesRetryAfter) {
  serve([](Connection& c) {
    c.receive();
    c.answer(429, "{}", "Retry-After: 7\r\n");
  });
  open();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->retry_after, base::Duration(7s));
}

TEST_F(WatchTest, NoAnswerTimesOutButASilentStreamDoesNot) {
  std::atomic<bool> silent_before_header = true;
  serve(
      [&](Connection& c) {
        c.receive();
        if (!silent_before_header) {
          c.begin_stream();
          c.chunk("{}\n");
        }
        c.wait_closed();
      },
      {.timeout = 100ms});
  open();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->reason, "Timeout");
  close();
  silent_before_header = false;
  Recorder other;
  watch = client->watch(client::watch(api::kPods, ""), other);
  ASSERT_TRUE(other.wait_lines(1));
  base::Signal never;
  EXPECT_FALSE(never.wait_for(300ms));  // three times the limit of an answer
  EXPECT_FALSE(other.error().has_value());
  close();
}

/// Counts how often its thread would be woken.
struct CountingExecutor final : base::Executor {
  void post(base::Task task) override {
    ++posts;
    loop.post(std::move(task));
  }
  base::TimerId post_after(base::Duration delay, base::Task task) override { return loop.post_after(delay, std::move(task)); }
  void cancel(base::TimerId id) override { loop.cancel(id); }
  [[nodiscard]] const base::Clock& clock() const override { return loop.clock(); }

  base::VirtualLoop loop{base::Time{}};
  int posts = 0;
};

TEST(WatchChannel, WakesItsExecutorOnceAnEventAndForAPieceOfALongOne) {
  CountingExecutor executor;
  Recorder seen;
  const auto channel = std::make_shared<WatchChannel>(executor, seen, [] {});
  for (const char letter : std::string_view("{\"n\":1}")) EXPECT_TRUE(channel->append(std::string_view(&letter, 1)));
  EXPECT_EQ(executor.posts, 0);
  EXPECT_TRUE(channel->append("\n{\"n\""));
  EXPECT_EQ(executor.posts, 1);
  executor.loop.run_for(0s);
  EXPECT_EQ(seen.lines(), (std::vector<std::string>{"{\"n\":1}"}));
  // Longer than the queue: it goes on in pieces.
  const std::string piece(kWatchQueuedBytesMax / 2, ' ');
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(channel->append(piece));
    executor.loop.run_for(0s);
  }
  EXPECT_EQ(executor.posts, 5);
  EXPECT_TRUE(channel->append(":2}\n"));
  executor.loop.run_for(0s);
  EXPECT_EQ(seen.lines().back(), "{\"n\"" + piece + piece + piece + piece + ":2}");
}

/// Events that come one by one while nothing is asked.
class RestTest : public WatchTest {
 protected:
  void serve_events(base::Duration rest) {
    serve(
        [this](Connection& c) {
          if (c.receive()->path.find("watch=") == std::string::npos) {
            c.answer(200, "{}");
            return;
          }
          c.begin_stream();
          while (auto text = next.get()) c.chunk(*text);
        },
        {.http1 = true, .watch_rest = rest});
    open();
  }
  void TearDown() override {
    next.put(std::nullopt);
    WatchTest::TearDown();
    server.reset();  // its thread uses what is ours
  }
  /// Sends events, each when the one before was read, until one has to wait; how many were read. While the watch is new none
  /// waits, and what comes at once is read with the one before.
  std::size_t give_until_one_is_held() {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    for (std::size_t given = 0; std::chrono::steady_clock::now() < limit; ++given) {
      next.put("{}\n");
      if (!recorder.wait_lines(given + 1, 150ms)) return given;
    }
    ADD_FAILURE() << "none was held";
    return 0;
  }
  void ask() {
    base::Signal answered;
    client->send(client::get(api::kPods, {"ns", "web"}), [&](const Outcome&) { answered.set(); });
    EXPECT_TRUE(answered.wait_for(20s));
  }

  /// What the server says next.
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::optional<std::string>> texts;
    void put(std::optional<std::string> text) {
      const std::lock_guard lock(mutex);
      texts.push_back(std::move(text));
      changed.notify_all();
    }
    std::optional<std::string> get() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !texts.empty(); });
      auto text = std::move(texts.front());
      texts.pop_front();
      return text;
    }
  } next;
};

TEST_F(RestTest, EventsGatherUntilTheRestIsOver) {
  serve_events(300ms);
  const std::size_t given = give_until_one_is_held();
  EXPECT_TRUE(recorder.wait_lines(given + 1));
}

TEST_F(RestTest, ARequestEndsTheRest) {
  serve_events(1h);
  const std::size_t given = give_until_one_is_held();
  ask();
  EXPECT_TRUE(recorder.wait_lines(given + 1));
}

// With a rest after each of libcurl's buffers it would take minutes.
TEST_F(RestTest, AFloodIsReadToItsEnd) {
  serve_events(1s);
  const std::size_t given = give_until_one_is_held() + 1;
  std::string flood;
  constexpr std::size_t kEvents = 100'000;
  for (std::size_t i = 0; i < kEvents; ++i) flood += "{\"n\":1,\"s\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n";
  next.put(flood);
  ASSERT_TRUE(recorder.wait_lines(given + kEvents));
}

TEST_F(WatchTest, ARefusedTokenIsReadAgain) {
  test::TempDir dir;
  token_file = dir.write("token", "old");
  serve([&](Connection& c) {
    while (const auto request = c.receive()) {
      if (request->has_header("Authorization: Bearer new\r\n")) {
        c.begin_stream();
        c.chunk("{}\n");
        c.wait_closed();
      } else {
        dir.write("token", "new");
        c.answer(401, "{}");
      }
    }
  });
  open();
  ASSERT_TRUE(recorder.wait_lines(1));
  close();
}

TEST_F(WatchTest, DestroyedInsideItsHandlerIsSilentAfterwards) {
  base::Signal closed;
  serve([&](Connection& c) {
    c.receive();
    c.begin_stream();
    c.chunk("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    c.wait_closed();
    closed.set();
  });
  recorder.before_event = [this] { watch.reset(); };
  loop.run_and_wait([this] { open(); });
  ASSERT_TRUE(closed.wait_for(10s)) << "the connection was left open";
  loop.run_and_wait([] {});
  EXPECT_EQ(recorder.lines().size(), 1U);
}

TEST_F(WatchTest, AHandlerThatIsBehindHoldsTheServerBack) {
  // Far more than the queue and both sockets take.
  const std::string line = "{\"x\":\"" + std::string(100'000, 'x') + "\"}\n";
  constexpr std::size_t kLines = 600;
  std::atomic<std::size_t> sent = 0;
  serve([&](Connection& c) {
    c.receive();
    c.begin_stream();
    for (; sent < kLines; ++sent) {
      if (!c.chunk(line)) return;
    }
    c.chunk("");
    c.wait_closed();
  });
  base::Signal go;
  bool first = true;
  recorder.before_event = [&] {
    if (std::exchange(first, false)) {
      EXPECT_TRUE(go.wait_for(20s));
    }
  };
  open();
  // The sender stands still well before its end: twice the same number.
  std::size_t before = 1;
  base::Signal never;
  while (before != sent || sent == 0) {
    before = sent;
    (void)never.wait_for(200ms);
  }
  EXPECT_LT(sent, kLines);
  go.set();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.lines().size(), kLines);
  EXPECT_FALSE(recorder.error().has_value());
}

TEST_F(WatchTest, AnEndlessLineIsRefused) {
  serve([](Connection& c) {
    c.receive();
    c.begin_stream();
    const std::string piece(1U << 20U, 'x');
    while (c.chunk(piece)) {
    }
  });
  open();
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->reason, "TooLarge");
  close();
}

TEST_F(WatchTest, HaveConnectionsOfTheirOwn) {
  serve([](Connection& c) {
    while (const auto request = c.receive()) {
      if (request->path.find("watch=1") == std::string::npos) {
        c.answer(200, "{}");
        continue;
      }
      c.begin_stream();
      c.chunk("{}\n");
      c.wait_closed();
    }
  });
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 50; ++i) {
    recorders.push_back(std::make_unique<Recorder>());
    watches.push_back(client->watch(client::watch(api::kPods, ""), *recorders.back()));
  }
  for (auto& one : recorders) EXPECT_TRUE(one->wait_lines(1));
  EXPECT_EQ(server->connections(), 50);
  loop.run_and_wait([&] { watches.clear(); });
}

}  // namespace
}  // namespace kruise::client
