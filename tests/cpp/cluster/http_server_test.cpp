#include "cluster/http_server.hpp"

#include <gmock/gmock.h>
#include <httplib.h>

#include <atomic>

#include "cluster/served.hpp"

namespace kruise::cluster::testing {
namespace {

httplib::Client client_of(const Served& served) { return httplib::Client("127.0.0.1", served.http->port()); }

TEST(HttpServer, AnswersWithStatusTypeAndWarnings) {
  Served served;
  auto client = client_of(served);
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
  auto client = client_of(served);
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

TEST(HttpServer, EndsOpenWatchesWhenItStops) {
  Served served;
  std::atomic<bool> ended = false;
  const base::Thread watch("watch", [&](const std::stop_token&) {
    auto client = client_of(served);
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
  ASSERT_TRUE(client_of(*served).Get("/readyz"));
  served.reset();
  Api again;
  const HttpServer second(again.server, {.port = port});
  EXPECT_EQ(second.port(), port);
}

}  // namespace
}  // namespace kruise::cluster::testing
