#include "cluster/http_server.hpp"

#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>

#include "api.hpp"
#include "base/thread.hpp"

namespace kruise::cluster::testing {
namespace {

/// Waits in small steps, long enough for a slow machine, for what must come true.
bool comes_true(const std::function<bool()>& condition, base::Duration limit = std::chrono::seconds(20)) {
  base::Signal never;
  const base::SystemClock clock;
  for (const auto end = clock.mono() + limit; clock.mono() < end;) {
    if (condition()) return true;
    static_cast<void>(never.wait_for(std::chrono::milliseconds(5)));
  }
  return condition();
}

struct Served : Api {
  Served() : Api(), http(std::make_unique<HttpServer>(server, HttpServer::Options{})) {}
  [[nodiscard]] httplib::Client client() const { return httplib::Client("127.0.0.1", http->port()); }
  std::unique_ptr<HttpServer> http;
};

TEST(HttpServer, AnswersWithStatusTypeAndWarnings) {
  Served served;
  auto client = served.client();
  Json wanted = pod("a");
  wanted["spec"]["foo"] = 1;
  const auto made = client.Post(kPods, wanted.dump(), "application/json");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(made->get_header_value("Warning"), "299 - \"unknown field \\\"spec.foo\\\"\"");
  EXPECT_EQ(client.Get("/readyz")->body, "ok");
  EXPECT_EQ(client.Delete(kPods + "/a")->status, 200);
  EXPECT_EQ(client.Get(kPods + "/a")->status, 404);
}

/// Go's client cannot close a compressed answer that has not begun, so `kubectl wait` would hang.
TEST(HttpServer, CompressesNothing) {
  Served served;
  auto client = served.client();
  client.set_decompress(false);
  const httplib::Headers accepting = {{"Accept-Encoding", "gzip, br, deflate"}};
  for (const auto& path : {kPods, kConfigMaps + "?watch=1", std::string("/apis")}) {
    bool answered = false;
    static_cast<void>(client.Get(
        path, accepting,
        [&](const httplib::Response& got) {
          answered = true;
          EXPECT_EQ(got.status, 200) << path;
          EXPECT_FALSE(got.has_header("Content-Encoding")) << path;
          return false;  // a watch does not end by itself
        },
        [](const char*, std::size_t) { return true; }));
    EXPECT_TRUE(answered) << path;
  }
}

TEST(HttpServer, ManyWatchesBesideManyClientsAndTheVanishedAreFreed) {
  constexpr std::size_t kWatches = 200;
  constexpr int kClients = 50;
  Served served;
  std::atomic<std::size_t> seen = 0;
  std::atomic<bool> leave = false;
  std::vector<base::Thread> threads;
  for (std::size_t i = 0; i < kWatches; ++i) {
    threads.emplace_back("watch", [&](const std::stop_token&) {
      auto client = served.client();
      client.set_read_timeout(60);
      bool counted = false;
      static_cast<void>(client.Get(kConfigMaps + "?watch=1", [&](const char* data, std::size_t size) {
        if (!counted && std::string_view(data, size).find("\"last\"") != std::string_view::npos) {
          counted = true;
          ++seen;
        }
        return !leave;
      }));
    });
  }
  ASSERT_TRUE(comes_true([&] { return served.http->open_watches() == kWatches; })) << served.http->open_watches();
  std::atomic<int> done = 0;
  std::vector<base::Thread> writers;
  for (int i = 0; i < kClients; ++i) {
    writers.emplace_back("client", [&, i](const std::stop_token&) {
      auto client = served.client();
      const auto made = client.Post(kConfigMaps, configmap("c" + std::to_string(i)).dump(), "application/json");
      if (made && made->status == 201) ++done;
    });
  }
  writers.clear();
  EXPECT_EQ(done, kClients);
  auto client = served.client();
  ASSERT_EQ(client.Post(kConfigMaps, configmap("last").dump(), "application/json")->status, 201);
  EXPECT_TRUE(comes_true([&] { return seen == kWatches; })) << seen;
  leave = true;
  ASSERT_EQ(client.Post(kConfigMaps, configmap("bye").dump(), "application/json")->status, 201);
  EXPECT_TRUE(comes_true([&] { return served.http->open_watches() == 0; }, std::chrono::seconds(5)))
      << served.http->open_watches();
  threads.clear();
}

TEST(HttpServer, EndsOpenWatchesWhenItStops) {
  Served served;
  std::atomic<bool> ended = false;
  const base::Thread watch("watch", [&](const std::stop_token&) {
    auto client = served.client();
    static_cast<void>(client.Get(kPods + "?watch=1", [](const char*, std::size_t) { return true; }));
    ended = true;
  });
  ASSERT_TRUE(comes_true([&] { return served.http->open_watches() == 1; }));
  served.http.reset();
  EXPECT_TRUE(comes_true([&] { return ended.load(); }));
}

TEST(HttpServer, KeepsItsPortAndNamesOneInUse) {
  Served served;
  const int port = served.http->port();
  try {
    const HttpServer second(served.server, {.port = port});
    FAIL() << "two servers share port " << port;
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  }
}

TEST(HttpServer, APortIsFreeAgainAtOnce) {
  auto served = std::make_unique<Served>();
  const int port = served->http->port();
  ASSERT_TRUE(served->client().Get("/readyz"));
  served.reset();
  Api again;
  const HttpServer second(again.server, {.port = port});
  EXPECT_EQ(second.port(), port);
}

}  // namespace
}  // namespace kruise::cluster::testing
