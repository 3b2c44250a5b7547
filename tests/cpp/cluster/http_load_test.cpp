// The embedded API server under many connections at once: 200 watches, each a connection of its own, beside 50 busy clients.
#include <gmock/gmock.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"
#include "cluster/served.hpp"

namespace kruise::cluster::testing {
namespace {

using client::test::Recorder;
using namespace std::chrono_literals;

constexpr std::size_t kWatches = 200;
constexpr int kClients = 50;
constexpr int kUpdates = 8;

client::Config config_of(const std::string& url) {
  client::Config config;
  config.server = url;
  return config;
}

/// 200 watches of one client.
class Watchers {
 public:
  explicit Watchers(const Served& served) : client_(config_of(served.http->url()), loop_), recorders_(kWatches) {
    for (Recorder& recorder : recorders_) {
      watches_.push_back(client_.watch(client::watch(api::kConfigMaps, "default", {.resource_version = "1"}), recorder));
    }
  }
  ~Watchers() { leave(kWatches); }

  /// The first `count` that are still there close their connections.
  void leave(std::size_t count) {
    loop_.run_and_wait([&] {
      for (auto& watch : watches_) {
        if (watch && count > 0) --count, watch.reset();
      }
    });
  }
  [[nodiscard]] std::deque<Recorder>& recorders() { return recorders_; }

 private:
  base::Loop loop_{"watchers"};
  client::RestClient client_;
  std::deque<Recorder> recorders_;
  std::vector<std::unique_ptr<client::Watch>> watches_;
};

/// Creates an object, then writes it, reads it back and lists in turn. Returns what went wrong, or nothing.
std::string write_and_read(int port, int number) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(20);
  client.set_keep_alive(true);
  const std::string name = "c" + std::to_string(number);
  const std::string path = kConfigMaps + "/" + name;
  const auto fails = [](const httplib::Result& got, int wanted) {
    return !got || got->status != wanted ? got ? got->body : httplib::to_string(got.error()) : std::string();
  };
  auto last = client.Post(kConfigMaps, configmap(name, {{"n", "0"}}).dump(), "application/json");
  if (std::string problem = fails(last, 201); !problem.empty()) return "create: " + problem;
  for (int n = 1; n <= kUpdates; ++n) {
    Json wanted = Json::parse(last->body);
    wanted["data"]["n"] = std::to_string(n);
    last = client.Put(path, wanted.dump(), "application/json");
    if (std::string problem = fails(last, 200); !problem.empty()) return "update: " + problem;
    const auto read = client.Get(path);
    if (std::string problem = fails(read, 200); !problem.empty()) return "get: " + problem;
    if (read->body != last->body) return "read " + read->body + " after writing " + last->body;
    if (std::string problem = fails(client.Get(kConfigMaps + "?limit=5"), 200); !problem.empty()) return "list: " + problem;
  }
  return "";
}

/// What a watch in process says, which has no connection that could lose anything.
std::vector<std::string> events_in_process(Api& api) {
  const auto stream = api.watch(kConfigMaps + "?watch=1&resourceVersion=1");
  std::vector<std::string> lines;
  while (const auto line = stream->next()) lines.push_back(**line);
  return lines;
}

TEST(HttpServerLoad, EachOf200WatchesSeesEachEventOnceAndInOrderBeside50Clients) {
  Served served;
  Watchers watchers(served);
  ASSERT_TRUE(comes_true([&] { return served.http->open_watches() == kWatches; })) << served.http->open_watches();

  std::vector<std::string> problems(kClients);
  {
    std::vector<base::Thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back("client", [&, i](const std::stop_token&) {
        problems[static_cast<std::size_t>(i)] = write_and_read(served.http->port(), i);
      });
    }
  }
  EXPECT_THAT(problems, ::testing::Each(""));

  const std::vector<std::string> expected = events_in_process(served);
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kClients * (1 + kUpdates)));
  for (Recorder& recorder : watchers.recorders()) {
    ASSERT_TRUE(recorder.wait_lines(expected.size())) << recorder.lines().size() << " of " << expected.size();
    ASSERT_TRUE(recorder.lines() == expected) << "events are missing, doubled or in another order";
  }
}

/// No event comes that would show the server that a client is gone: it must look by itself.
TEST(HttpServerLoad, AWatchWhoseClientLeftIsFreedWithin5Seconds) {
  Served served;
  Watchers watchers(served);
  ASSERT_TRUE(comes_true([&] { return served.http->open_watches() == kWatches; })) << served.http->open_watches();
  watchers.leave(kWatches / 2);
  EXPECT_TRUE(comes_true([&] { return served.http->open_watches() == kWatches / 2; }, 5s)) << served.http->open_watches();

  EXPECT_EQ(served.post(kConfigMaps, configmap("a")).code, 201);
  EXPECT_TRUE(watchers.recorders().back().wait_lines(1));
  EXPECT_THAT(watchers.recorders().front().lines(), ::testing::IsEmpty());
}

/// Clients that hold a connection and say nothing, a whole request's header included, keep nobody waiting.
TEST(HttpServerLoad, SilentConnectionsKeepNobodyWaiting) {
  Served served;
  std::atomic<bool> leave = false;
  std::vector<base::Thread> silent;
  std::atomic<int> connected = 0;
  for (int i = 0; i < kClients; ++i) {
    silent.emplace_back("silent", [&](const std::stop_token&) {
      httplib::Client client("127.0.0.1", served.http->port());
      client.set_keep_alive(true);
      if (client.Get("/readyz")) ++connected;
      static_cast<void>(comes_true([&] { return leave.load(); }, 60s));
    });
  }
  ASSERT_TRUE(comes_true([&] { return connected == kClients; }));
  EXPECT_EQ(write_and_read(served.http->port(), 1), "");
  leave = true;
}

}  // namespace
}  // namespace kruise::cluster::testing
