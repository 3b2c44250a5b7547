#include "client/proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <map>

#include "client/raw_server.hpp"
#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"
#include "client/sync_client.hpp"

namespace kruise::client {
namespace {

using test::Connection;
using test::RawServer;
using test::Received;
using test::Recorder;
using testing::HasSubstr;
using testing::Not;

base::Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

std::string proxy_of(const std::string& server, std::map<std::string, std::string> values) {
  const auto proxy = proxy_of_environment(server, variables(std::move(values)));
  return proxy ? *proxy : proxy.error().message;
}

TEST(Proxy, OfEachSchemeComesFromItsVariable) {
  const std::map<std::string, std::string> both{{"HTTPS_PROXY", "http://s:1"}, {"HTTP_PROXY", "http://p:2"}};
  EXPECT_EQ(proxy_of("https://h", both), "http://s:1");
  EXPECT_EQ(proxy_of("http://h", both), "http://p:2");
  EXPECT_EQ(proxy_of("https://h", {{"https_proxy", "socks5://small:1"}}), "socks5://small:1");
  EXPECT_EQ(proxy_of("http://h", {{"http_proxy", "small:1"}}), "http://small:1") << "http is the default";
  EXPECT_EQ(proxy_of("https://h", {{"HTTPS_PROXY", "http://large:1"}, {"https_proxy", "http://small:1"}}), "http://large:1");
  EXPECT_EQ(proxy_of("https://h", {{"HTTPS_PROXY", ""}, {"https_proxy", "http://small:1"}}), "http://small:1");
  EXPECT_EQ(proxy_of("https://h", {{"HTTP_PROXY", "http://p:2"}, {"ALL_PROXY", "http://a:3"}}), "");
  EXPECT_EQ(proxy_of("https://h", {}), "");
}

TEST(Proxy, ABadOneIsNamedByItsVariable) {
  EXPECT_EQ(proxy_of("https://h", {{"HTTPS_PROXY", "gopher://u:secret@x"}}),
            "the variable HTTPS_PROXY is no http, https or socks5 URL");
  EXPECT_EQ(proxy_of("http://h", {{"http_proxy", "http://u:secret@"}}), "the variable http_proxy has no host");
}

struct NoProxy {
  const char* list;
  const char* server;
  bool direct;
};

class NoProxyTable : public testing::TestWithParam<NoProxy> {};

TEST_P(NoProxyTable, DecidesAsInGo) {
  const auto& [list, server, direct] = GetParam();
  EXPECT_EQ(proxy_of(server, {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", list}}), direct ? "" : "http://p:1")
      << list << " " << server;
  EXPECT_EQ(proxy_of(server, {{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", list}}), direct ? "" : "http://p:1");
}

INSTANTIATE_TEST_SUITE_P(
    All, NoProxyTable,
    testing::Values(
        // What loops back has none, whatever the list.
        NoProxy{"", "https://localhost:6443", true}, NoProxy{"", "https://127.0.0.1:6443", true},
        NoProxy{"", "https://127.8.9.1", true}, NoProxy{"", "https://[::1]:6443", true}, NoProxy{"", "https://10.0.0.1", false},
        NoProxy{"", "https://localhost.example", false}, NoProxy{"*", "https://anything:1", true},
        // A host, and all below it.
        NoProxy{"example.com", "https://example.com", true}, NoProxy{"example.com", "https://api.example.com:6443", true},
        NoProxy{"example.com", "https://notexample.com", false}, NoProxy{"EXAMPLE.com", "https://Example.COM", true},
        NoProxy{" a.com , example.com ", "https://example.com", true}, NoProxy{",,", "https://example.com", false},
        // Only what is below.
        NoProxy{".example.com", "https://api.example.com", true}, NoProxy{".example.com", "https://example.com", false},
        NoProxy{"*.example.com", "https://api.example.com", true}, NoProxy{"*.example.com", "https://example.com", false},
        // Ports.
        NoProxy{"example.com:6443", "https://example.com:6443", true}, NoProxy{"example.com:6443", "https://example.com", false},
        NoProxy{"example.com:443", "https://example.com", true}, NoProxy{"10.0.0.1:6443", "https://10.0.0.1:6443", true},
        NoProxy{"10.0.0.1:6443", "https://10.0.0.1", false}, NoProxy{":6443", "https://example.com:6443", false},
        // Addresses and networks.
        NoProxy{"10.0.0.1", "https://10.0.0.1:6443", true}, NoProxy{"10.0.0.1", "https://10.0.0.11", false},
        NoProxy{"10.0.0.0/8", "https://10.200.3.4", true}, NoProxy{"10.0.0.0/8", "https://11.0.0.1", false},
        NoProxy{"10.1.2.128/25", "https://10.1.2.200", true}, NoProxy{"10.1.2.128/25", "https://10.1.2.100", false},
        NoProxy{"0.0.0.0/0", "https://8.8.8.8", true}, NoProxy{"0.0.0.0/0", "https://example.com", false},
        NoProxy{"10.0.0.0/33", "https://10.0.0.1", false}, NoProxy{"fd00::/8", "https://[fd12::1]:6443", true},
        NoProxy{"fd00::/8", "https://[fe80::1]", false}, NoProxy{"::/0", "https://10.0.0.1", false},
        NoProxy{"fd00::1", "https://[fd00::1]:6443", true}, NoProxy{"[fd00::1]:6443", "https://[fd00::1]:6443", true},
        NoProxy{"[fd00::1]:1", "https://[fd00::1]:6443", false}));

// --- on the way ---------------------------------------------------------------------------------------------------------

const api::Key kPod{"default", "web-1"};

Outcome call(const Config& config, const Request& request) {
  base::Loop loop("test");
  RestClient client(config, loop, {.timeout = std::chrono::seconds(20)});
  return Sync(client).try_call(request);
}

/// The server's name is one that nobody could look up: only the proxy knows it.
TEST(Proxy, OfPlainHttpIsAskedForTheWholeUrl) {
  Received seen;
  RawServer proxy([&](Connection& c) {
    seen = *c.receive();
    c.answer(200, "{}");
  });
  Config config;
  config.server = "http://api.invalid:8080";
  config.proxy_url = proxy.url();
  config.proxy_url.insert(7, "me:pw@");
  const Outcome outcome = call(config, get(api::kPods, kPod));
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_EQ(seen.path, "http://api.invalid:8080/api/v1/namespaces/default/pods/web-1");
  EXPECT_TRUE(seen.has_header("Proxy-Authorization: Basic bWU6cHc=\r\n"));
}

/// Requests and watches go through a tunnel, and the certificate that counts is the server's.
TEST(Proxy, OfHttpsIsATunnel) {
  const test::KeyPair identity = test::make_key_pair("api.invalid");
  RawServer server(
      [](Connection& c) {
        while (const auto request = c.receive()) {
          if (request->path.find("watch=") == std::string::npos) {
            c.answer(200, "{}");
          } else {
            c.begin_stream();
            c.chunk("{\"n\":1}\n");
          }
        }
      },
      identity);
  std::mutex mutex;
  std::vector<std::string> tunnels;
  RawServer proxy([&](Connection& c) {
    const auto asked = c.receive();
    if (!asked) return;
    {
      const std::lock_guard lock(mutex);
      tunnels.push_back(asked->method + " " + asked->path + (asked->has_header("Authorization: Bearer") ? " token" : ""));
    }
    c.send("HTTP/1.1 200 OK\r\n\r\n");
    c.tunnel_to(server.port());
  });
  Config config;
  config.server = "https://api.invalid:6443";
  config.ca = identity.certificate;
  config.token = "secret";
  config.proxy_url = proxy.url();
  base::Loop loop("test");
  RestClient client(config, loop, {.timeout = std::chrono::seconds(20)});
  const Outcome outcome = Sync(client).try_call(patch(api::kPods, kPod, PatchType::kMerge, "{}"));
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  Recorder recorder;
  auto watch = client.watch(client::watch(api::kPods, ""), recorder);
  ASSERT_TRUE(recorder.wait_lines(1));
  loop.run_and_wait([&] { watch.reset(); });
  const std::lock_guard lock(mutex);
  EXPECT_THAT(tunnels, testing::ElementsAre("CONNECT api.invalid:6443", "CONNECT api.invalid:6443"));
}

TEST(Proxy, ThatRefusesLeavesTheServerUnreachableAndNothingUnknown) {
  for (const Request& request :
       {get(api::kPods, kPod), patch(api::kPods, kPod, PatchType::kMerge, "{}"), remove(api::kPods, kPod)}) {
    RawServer proxy([](Connection& c) {
      while (c.receive()) c.answer(407, "who are you");
    });
    Config config;
    config.server = "https://api.invalid:6443";
    config.proxy_url = proxy.url();
    config.proxy_url.insert(7, "me:secret@");
    const Outcome outcome = call(config, request);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().reason, "Unreachable") << outcome.error().text();
    EXPECT_FALSE(outcome.error().outcome_unknown) << request.method;
    EXPECT_THAT(outcome.error().message, HasSubstr("API server api.invalid:6443 through proxy 127.0.0.1:"));
    EXPECT_THAT(outcome.error().message, HasSubstr("407"));
    EXPECT_THAT(outcome.error().message, Not(HasSubstr("secret")));
  }
}

/// libcurl reads more variables than Go does, and in its own way.
TEST(Proxy, LibcurlDoesNotReadTheEnvironmentByItself) {
  RawServer server([](Connection& c) {
    while (c.receive()) c.answer(200, "{}");
  });
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) ::setenv(name, "http://127.0.0.1:1", 1);
  Config config;
  config.server = server.url();
  const Outcome outcome = call(config, get(api::kPods, kPod));
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) ::unsetenv(name);
  EXPECT_TRUE(outcome.ok()) << outcome.error().text();
}

}  // namespace
}  // namespace kruise::client
