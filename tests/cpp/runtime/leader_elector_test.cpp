#include "runtime/leader_elector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using Mode = LeaderElector::Mode;
using testing::ElementsAre;
using testing::HasSubstr;

/// Objects by path with optimistic concurrency: what an election needs of an API server.
struct LockServer {
  std::map<std::string, Json> objects;
  std::uint64_t version = 0;
  bool has_leases = true;

  client::Outcome handle(const client::Request& r) {
    const auto error = [](int code, std::string reason) -> client::Outcome {
      return client::ApiError{.code = code, .reason = std::move(reason), .message = "refused"};
    };
    if (r.path == "/apis/coordination.k8s.io/v1")
      return has_leases ? client::Outcome(client::Response{}) : error(404, "NotFound");
    if (!has_leases && r.path.find("coordination") != std::string::npos) return error(404, "NotFound");
    std::string path = r.path;
    Json body = Json::parse(r.body, nullptr, false);
    if (r.method == "POST") path += "/" + body["metadata"]["name"].get<std::string>();
    const auto found = objects.find(path);
    if (r.method == "POST" && found != objects.end()) return error(409, "AlreadyExists");
    if (r.method != "POST" && found == objects.end()) return error(404, "NotFound");
    if (r.method == "GET") return client::Response{200, found->second.dump(), "application/json"};
    if (r.method == "PUT" && body["metadata"]["resourceVersion"] != found->second["metadata"]["resourceVersion"])
      return error(409, "Conflict");
    body["metadata"]["resourceVersion"] = std::to_string(++version);
    objects[path] = body;
    return client::Response{200, body.dump(), "application/json"};
  }
};

/// One replica's way to the server; cut off, its requests stay unanswered until their time-out.
class LockClient final : public client::Client {
 public:
  LockClient(LockServer& server, base::VirtualLoop& loop) : server_(server), loop_(loop) {}
  void send(client::Request request, client::Done done) override {
    if (cut) {
      loop_.post_after(request.timeout.value_or(30s), [done] {
        done(client::ApiError{.code = 0, .reason = "Timeout", .message = "no answer", .outcome_unknown = true});
      });
      return;
    }
    // What is on its way arrives although the client is gone.
    loop_.post_after(delay / 2,
                     [&server = server_, &loop = loop_, way = delay / 2, request = std::move(request), done = std::move(done)] {
                       loop.post_after(way, [done, outcome = server.handle(request)] { done(outcome); });
                     });
  }
  std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler&) override { return nullptr; }
  base::Executor& executor() override { return loop_; }
  bool cut = false;
  base::Duration delay = 10ms;

 private:
  LockServer& server_;
  base::VirtualLoop& loop_;
};

struct Replica {
  Replica(std::string id, LockServer& server, base::VirtualLoop& loop, Mode mode = Mode::kLeases)
      : client(server, loop),
        events(client),
        elector({.identity = id, .mode = mode}, client, events, metrics, base::Random(1).stream(id),
                {[this] { led = true; }, [this](const std::string& why) { lost = why; }}) {}
  LockClient client;
  EventRecorder events;
  base::Metrics metrics;
  bool led = false;
  std::optional<std::string> lost;
  LeaderElector elector;
};

constexpr const char* kLease = "/apis/coordination.k8s.io/v1/namespaces/kruise-system/leases/kruise-manager";
constexpr const char* kConfigMap = "/api/v1/namespaces/kruise-system/configmaps/kruise-manager";
constexpr const char* kAnnotation = "control-plane.alpha.kubernetes.io/leader";

struct ElectionTest : testing::Test {
  base::VirtualLoop loop{*base::parse_time("2021-03-01T08:00:00Z")};
  LockServer server;
  std::unique_ptr<Replica> a, b;
  base::log::Capture quiet{[](auto, auto, auto&) {}};

  void start_two(Mode mode = Mode::kLeases) {
    a = std::make_unique<Replica>("a", server, loop, mode);
    b = std::make_unique<Replica>("b", server, loop, mode);
    a->elector.start();
    loop.run_for(1s);
    b->elector.start();
    loop.run_for(1s);
  }
  /// Seconds until b leads, at most a minute; at no instant may both write.
  double takeover_s() {
    const auto from = loop.mono();
    EXPECT_TRUE(loop.run_until(
        [&] {
          EXPECT_FALSE(a && a->elector.may_write() && b->elector.may_write());
          return b->led;
        },
        1min));
    return std::chrono::duration<double>(loop.mono() - from).count();
  }
  Json lease() { return server.objects.at(kLease)["spec"]; }
  /// A v0.8.0 manager renews its ConfigMap.
  void old_manager_renews(const std::string& holder = "old") {
    auto& map = server.objects[kConfigMap];
    map["metadata"]["name"] = "kruise-manager";
    map["metadata"]["resourceVersion"] = std::to_string(++server.version);
    map["metadata"]["annotations"][kAnnotation] = Json{{"holderIdentity", holder},
                                                       {"leaseDurationSeconds", 15},
                                                       {"renewTime", base::format_time(loop.now())},
                                                       {"leaderTransitions", 3}}
                                                      .dump();
    map["data"]["kept"] = "yes";
  }
};

TEST_F(ElectionTest, TheFirstLeadsAtOnceAndTheSecondWaits) {
  start_two();
  EXPECT_TRUE(a->elector.may_write());
  EXPECT_FALSE(b->led);
  EXPECT_EQ(b->elector.holder(), "a");
  EXPECT_EQ(lease()["holderIdentity"], "a");
  EXPECT_EQ(lease()["leaseDurationSeconds"], 15);
  const std::string renewed = lease()["renewTime"];
  loop.run_for(10min);
  EXPECT_TRUE(a->elector.may_write());
  EXPECT_FALSE(b->led);
  EXPECT_GT(lease()["renewTime"].get<std::string>(), renewed);
  EXPECT_EQ(lease()["leaseTransitions"], 0);
  EXPECT_THAT(a->metrics.text(), HasSubstr("kruise_manager_is_leader 1\n"));
  EXPECT_THAT(b->metrics.text(), HasSubstr("leader_election_master_status{name=\"kruise-manager\"} 0\n"));
}

TEST_F(ElectionTest, AKilledLeaderIsFollowedAfterItsLease) {
  start_two();
  a.reset();
  const double seconds = takeover_s();
  EXPECT_GE(seconds, 13);
  EXPECT_LE(seconds, 20);
  EXPECT_EQ(lease()["leaseTransitions"], 1);
}

TEST_F(ElectionTest, AReleasedLockIsTakenWithinThreeSeconds) {
  start_two();
  for (int i = 0; i < 7; ++i) {  // at whatever point of the retry period, a renewal under way or not
    loop.run_for(313ms);
    bool released = false;
    a->elector.release([&] { released = true; });
    EXPECT_LE(takeover_s(), 3.0);
    EXPECT_TRUE(released);
    a = std::move(b);
    b = std::make_unique<Replica>("c" + std::to_string(i), server, loop);
    b->elector.start();
    loop.run_for(1s);
  }
}

TEST_F(ElectionTest, ALeaderCutOffStopsBeforeAnotherStarts) {
  start_two();
  a->client.cut = true;
  takeover_s();
  EXPECT_EQ(a->lost, "the renew deadline passed");
  EXPECT_FALSE(a->elector.leading());
}

TEST_F(ElectionTest, ALateRenewalDoesNotBringLeadershipBack) {
  start_two();
  b.reset();
  a->client.delay = 30s;
  loop.run_for(1min);
  EXPECT_TRUE(a->lost);
  EXPECT_FALSE(a->elector.may_write());
}

TEST_F(ElectionTest, WhoSeesItsLockTakenIsLost) {
  start_two();
  server.objects[kLease]["spec"]["holderIdentity"] = "z";
  server.objects[kLease]["metadata"]["resourceVersion"] = "999";
  loop.run_for(3s);
  EXPECT_EQ(a->lost, "the Lease is held by z");
}

TEST_F(ElectionTest, AForeignTouchOfTheLockIsNoLoss) {
  start_two();
  for (int i = 0; i < 50; ++i) {
    server.objects[kLease]["metadata"]["annotations"]["note"] = std::to_string(i);
    server.objects[kLease]["metadata"]["resourceVersion"] = std::to_string(++server.version);
    loop.run_for(700ms);
  }
  EXPECT_FALSE(a->lost);
  EXPECT_EQ(server.objects[kLease]["metadata"]["annotations"]["note"], "49");
}

TEST_F(ElectionTest, ALiveOldManagerKeepsUsFromLeading) {
  old_manager_renews();
  start_two();
  for (int i = 0; i < 60; ++i) {
    old_manager_renews();
    loop.run_for(2s);
  }
  EXPECT_FALSE(a->led || b->led);
  loop.run_for(20s);  // it is gone: its ConfigMap is taken beside the Lease
  EXPECT_TRUE(a->led != b->led);
  const auto record = read_lock(LockKind::kConfigMap, server.objects.at(kConfigMap).dump());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->holder, lease()["holderIdentity"].get<std::string>());
  EXPECT_EQ(record->transitions, 4);
  EXPECT_EQ(server.objects.at(kConfigMap)["data"]["kept"], "yes");
}

TEST_F(ElectionTest, AnOldManagerThatComesBackIsNotLedBeside) {
  start_two();
  old_manager_renews();
  loop.run_for(3s);
  EXPECT_TRUE(a->lost);
  EXPECT_FALSE(b->led);
}

TEST_F(ElectionTest, WithBothLocksTheFollowerStillTakesOverInTime) {
  old_manager_renews("");
  start_two();
  EXPECT_TRUE(a->led);
  loop.run_for(1min);
  a.reset();
  EXPECT_LE(takeover_s(), 20);
}

TEST_F(ElectionTest, AServerWithoutLeasesElectsByConfigMap) {
  server.has_leases = false;
  start_two();
  EXPECT_TRUE(a->elector.may_write());
  EXPECT_FALSE(b->led);
  EXPECT_FALSE(server.objects.contains(kLease));
  a.reset();
  EXPECT_LE(takeover_s(), 20);
}

TEST_F(ElectionTest, LockModes) {
  start_two(Mode::kConfigMapsLeases);
  EXPECT_TRUE(a->led);
  EXPECT_TRUE(server.objects.contains(kLease) && server.objects.contains(kConfigMap));
  server.objects.clear();
  start_two(Mode::kConfigMaps);
  EXPECT_TRUE(a->led);
  EXPECT_FALSE(server.objects.contains(kLease));
}

TEST_F(ElectionTest, NeverTwoWritersWhateverIsCutOff) {
  base::Random random(7);
  std::vector<std::unique_ptr<Replica>> replicas;
  int born = 0;
  for (int step = 0; step < 400; ++step) {
    while (replicas.size() < 3) {
      replicas.push_back(std::make_unique<Replica>("r" + std::to_string(born++), server, loop));
      replicas.back()->elector.start();
    }
    for (auto& replica : replicas) {
      replica->client.cut = random.below(4) == 0;
      replica->client.delay = std::chrono::milliseconds(random.below(3000));
    }
    if (random.below(10) == 0) replicas.erase(replicas.begin() + static_cast<std::ptrdiff_t>(random.below(3)));
    std::erase_if(replicas, [](const auto& replica) { return replica->lost.has_value(); });
    const auto until = loop.mono() + 3s;
    loop.run_until(
        [&] {
          const auto writers =
              std::count_if(replicas.begin(), replicas.end(), [](const auto& r) { return r->elector.may_write(); });
          EXPECT_LE(writers, 1);
          return loop.mono() >= until;
        },
        3s);
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
  EXPECT_GT(server.objects.at(kLease)["spec"]["leaseTransitions"].get<int>(), 10);
}

TEST_F(ElectionTest, EventsComeFromTheIdentity) {
  start_two();
  std::vector<std::string> events;
  for (const auto& [path, object] : server.objects) {
    if (path.find("/events/") != std::string::npos)
      events.push_back(object["source"]["component"].get<std::string>() + ": " + object["message"].get<std::string>());
  }
  EXPECT_THAT(events, ElementsAre("a: a became leader"));
}

}  // namespace
}  // namespace kruise::runtime
