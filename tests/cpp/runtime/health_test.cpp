#include "runtime/health.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace kruise::runtime {
namespace {

struct Case {
  const char* path;
  std::multimap<std::string, std::string> parameters;
  int code;
  const char* body;
};

TEST(Probes, AnswerAsKubernetesComponentsDo) {
  HealthChecks checks;
  checks.pass("a");
  checks.fail("b", "waiting for pods");
  for (const Case& c : {
           Case{"/healthz", {}, 200, "ok"},
           Case{"/readyz", {}, 500, "[+]a ok\n[-]b failed: reason withheld\nhealthz check failed\n"},
           Case{"/readyz/", {}, 500, "[+]a ok\n[-]b failed: reason withheld\nhealthz check failed\n"},
           Case{"/readyz", {{"exclude", "b"}}, 200, "ok"},
           Case{"/readyz", {{"exclude", "b"}, {"verbose", ""}}, 200, "[+]a ok\n[+]b excluded: ok\nhealthz check passed\n"},
           Case{"/readyz",
                {{"exclude", "b"}, {"exclude", "x"}, {"verbose", ""}},
                200,
                "[+]a ok\n[+]b excluded: ok\nwarn: some health checks cannot be excluded: no matches for \"x\"\nhealthz check "
                "passed\n"},
           Case{"/readyz/a", {}, 200, "ok"},
           Case{"/readyz/b", {}, 500, "internal server error: waiting for pods\n"},
           Case{"/readyz/x", {}, 404, "404 page not found\n"},
           Case{"/", {}, 404, "404 page not found\n"},
       }) {
    const HttpReply reply = answer_probe(checks, {c.path, c.parameters});
    EXPECT_EQ(reply.code, c.code) << c.path;
    EXPECT_EQ(reply.body, c.body) << c.path;
  }
  checks.pass("b");
  EXPECT_EQ(answer_probe(checks, {"/readyz", {}}).code, 200);
  EXPECT_EQ(answer_probe(checks, {"/readyz", {{"verbose", "true"}}}).body, "[+]a ok\n[+]b ok\nhealthz check passed\n");
}

TEST(ListenAddress, ReadsWhatFlagsSay) {
  EXPECT_EQ(parse_listen_address(":8080"), (ListenAddress{"", 8080}));
  EXPECT_EQ(parse_listen_address("127.0.0.1:0"), (ListenAddress{"127.0.0.1", 0}));
  EXPECT_EQ(parse_listen_address("[::1]:9"), (ListenAddress{"::1", 9}));
  for (const char* text : {"", "8080", ":x", ":", ":70000", "::1:9", ":-1"}) EXPECT_FALSE(parse_listen_address(text)) << text;
}

TEST(HttpListener, AnswersAndRefusesATakenPort) {
  auto first = HttpListener::listen({"127.0.0.1", 0}, [](const HttpQuery& query) -> HttpReply {
    return {query.parameters.contains("verbose") ? 200 : 500, query.path};
  });
  ASSERT_TRUE(first) << first.error();
  httplib::Client client("127.0.0.1", (*first)->port());
  const auto reply = client.Get("/readyz?verbose");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "/readyz");
  EXPECT_EQ(client.Get("/x")->status, 500);
  const auto second = HttpListener::listen({"127.0.0.1", (*first)->port()}, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("127.0.0.1:" + std::to_string((*first)->port())), std::string::npos);
}

TEST(HttpListener, StopsRightAfterItsStart) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(HttpListener::listen({"", 0}, [](const HttpQuery&) { return HttpReply{}; }));
}

TEST(HttpListener, TellsOfItsDeathButNotOfItsEnd) {
  base::Signal died;
  const auto handler = [](const HttpQuery&) { return HttpReply{}; };
  {
    const auto ended = HttpListener::listen({"127.0.0.1", 0}, handler, [&] { died.set(); });
    ASSERT_TRUE(ended) << ended.error();
  }
  EXPECT_FALSE(died.wait_for(base::Duration{0}));
  const base::log::Capture quiet([](auto, auto, const auto&) {});
  const auto listener = HttpListener::listen({"127.0.0.1", 0}, handler, [&] { died.set(); });
  ASSERT_TRUE(listener) << listener.error();
  httplib::Client client("127.0.0.1", (*listener)->port());
  ASSERT_TRUE(client.Get("/"));  // it listens
  // Its socket breaks.
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    int listens = 0;
    socklen_t int_size = sizeof(listens);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && ntohs(address.sin_port) == (*listener)->port() &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0 && listens != 0) {
      shutdown(fd, SHUT_RDWR);
    }
  }
  EXPECT_TRUE(died.wait_for(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace kruise::runtime
