// Injected faults as the client of real API servers sees them.
#include <gmock/gmock.h>

#include <deque>

#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"
#include "client/sync_client.hpp"
#include "cluster/served.hpp"

namespace kruise::cluster::testing {
namespace {

using client::Outcome;
using client::test::Recorder;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const api::Key kA{"default", "a"};
/// Beyond the end of any test.
constexpr base::Duration kVeryLate = std::chrono::hours(1);

/// Faults in the order of requests and of events; none when they are used up. Set before the client starts.
struct Script final : FaultPlan {
  std::deque<Fault> requests;
  std::deque<WatchFault> events;
  std::string watch_of;  // the events of watches whose path holds this

  Fault on_request(const client::Request&) override { return take(requests); }
  WatchFault on_event(const client::Request& watch) override {
    return watch.path.find(watch_of) == std::string::npos ? WatchFault{} : take(events);
  }

 private:
  template <class Kind>
  Kind take(std::deque<Kind>& from) {
    const std::lock_guard lock(mutex_);
    if (from.empty()) return {};
    const Kind fault = from.front();
    from.pop_front();
    return fault;
  }
  std::mutex mutex_;  // guards the lists from then on
};

class HttpFaults : public ::testing::Test {
 protected:
  HttpFaults() {
    client::Config config;
    config.server = served.http->url();
    client.emplace(config, loop,
                   client::RestOptions{.on_call = [this](const client::CallInfo& call) { codes.push_back(call.code); }});
  }
  void TearDown() override {
    loop.run_and_wait([this] { watch.reset(), other.reset(); });
    client.reset();
  }

  Outcome call(client::Request request, std::optional<base::Duration> timeout = {}) {
    request.timeout = timeout;
    return client::Sync(*client).try_call(std::move(request));
  }
  Outcome create(const std::string& name = "a", std::optional<base::Duration> timeout = {}) {
    return call(client::create(api::kConfigMaps, "default", configmap(name).dump()), timeout);
  }
  Outcome read() { return call(client::get(api::kConfigMaps, kA)); }
  [[nodiscard]] bool stored(const std::string& name = "a") { return served.get(kConfigMaps + "/" + name).code == 200; }
  /// The codes of all exchanges so far; 0 where no answer came.
  std::vector<int> exchanges() {
    std::vector<int> seen;
    loop.run_and_wait([&] { seen = codes; });
    return seen;
  }
  std::unique_ptr<client::Watch> follow(Recorder& recorder, std::string version = "1") {
    return client->watch(client::watch(api::kConfigMaps, "default", {.resource_version = std::move(version)}), recorder);
  }
  /// "ADDED a", or "ERROR 410".
  static std::vector<std::string> told(Recorder& recorder) {
    std::vector<std::string> texts;
    for (const auto& line : recorder.lines()) {
      const Json event = Json::parse(line);
      const std::string type = event.at("type");
      texts.push_back(type + " " +
                      (type == "ERROR" ? event.at("object").at("code").dump()
                                       : event.at("object").at("metadata").at("name").get<std::string>()));
    }
    return texts;
  }

  std::shared_ptr<Script> script = std::make_shared<Script>();
  Served served{script};
  base::Loop loop{"test"};
  std::vector<int> codes;  // on the loop
  std::optional<client::RestClient> client;
  Recorder recorder;
  Recorder other_recorder;
  std::unique_ptr<client::Watch> watch;
  std::unique_ptr<client::Watch> other;
};

// --- requests ---------------------------------------------------------------------------------------------------------

TEST_F(HttpFaults, ARefusedConnectionIsUnreachableAndNothingIsDone) {
  const int port = served.http->port();
  served.stop();
  const Outcome refused = create("a", 2s);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "Unreachable") << refused.error().text();
  EXPECT_FALSE(refused.error().outcome_unknown);
  watch = follow(recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_EQ(recorder.error()->reason, "Unreachable");
  served.serve_at(port);
  EXPECT_TRUE(create().ok());
}

TEST_F(HttpFaults, AWriteWhoseConnectionBreaksIsUnknownAndNotRepeated) {
  script->requests = {{.kind = Fault::Kind::kRefuse}};
  const Outcome broken = create();
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().reason, "Broken") << broken.error().text();
  EXPECT_TRUE(broken.error().outcome_unknown);
  EXPECT_FALSE(stored());
  EXPECT_THAT(exchanges(), ElementsAre(0));
}

TEST_F(HttpFaults, AReadWhoseConnectionBreaksIsRepeated) {
  ASSERT_TRUE(create().ok());
  script->requests = {{.kind = Fault::Kind::kRefuse}, {.kind = Fault::Kind::kBreakAfterWrite}};
  EXPECT_TRUE(read().ok());
  EXPECT_THAT(exchanges(), ElementsAre(201, 0, 0, 200));
}

TEST_F(HttpFaults, AWriteWhoseAnswerIsLostWasDoneOnce) {
  script->requests = {{.kind = Fault::Kind::kBreakAfterWrite}, {.kind = Fault::Kind::kBreakAfterWrite}};
  const Outcome lost = create();
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().reason, "Broken") << lost.error().text();
  EXPECT_TRUE(lost.error().outcome_unknown);
  EXPECT_TRUE(stored());
  const Outcome deleted = call(client::remove(api::kConfigMaps, kA));
  ASSERT_FALSE(deleted.ok());
  EXPECT_TRUE(deleted.error().outcome_unknown);
  EXPECT_FALSE(stored());
  EXPECT_TRUE(call(client::remove(api::kConfigMaps, kA)).error().not_found());
  EXPECT_THAT(exchanges(), ElementsAre(0, 0, 404));
}

TEST_F(HttpFaults, AConflictIsTypedAndNotRepeated) {
  script->requests = {{.kind = Fault::Kind::kAnswer, .code = 409}};
  const Outcome stale = create();
  ASSERT_FALSE(stale.ok());
  EXPECT_TRUE(stale.error().conflict()) << stale.error().text();
  EXPECT_FALSE(stale.error().outcome_unknown);
  EXPECT_FALSE(stored());
  EXPECT_THAT(exchanges(), ElementsAre(409));
}

TEST_F(HttpFaults, TooManyRequestsAreRepeatedWhenTheServerSays) {
  script->requests = {{.kind = Fault::Kind::kAnswer, .code = 429}};
  const base::SystemClock clock;
  const auto began = clock.mono();
  EXPECT_TRUE(create().ok());
  EXPECT_GE(clock.mono() - began, 1s);
  EXPECT_THAT(exchanges(), ElementsAre(429, 201));
}

TEST_F(HttpFaults, TooManyRequestsTellWhenThereIsNoTimeLeft) {
  script->requests = {{.kind = Fault::Kind::kAnswer, .code = 429}};
  const Outcome busy = create("a", 900ms);
  ASSERT_FALSE(busy.ok());
  EXPECT_TRUE(busy.error().too_many_requests()) << busy.error().text();
  EXPECT_EQ(busy.error().retry_after, base::Duration(1s));
  EXPECT_FALSE(stored());
}

TEST_F(HttpFaults, AnInternalErrorIsTypedAndNotRepeated) {
  script->requests = {{.kind = Fault::Kind::kAnswer, .code = 500}};
  const Outcome failed = create();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().text(), "injected fault (500 InternalError)");
  EXPECT_FALSE(failed.error().outcome_unknown);
  EXPECT_FALSE(stored());
  EXPECT_THAT(exchanges(), ElementsAre(500));
}

TEST_F(HttpFaults, ALateAnswerTimesOutAndTheServerStopsWithoutWaitingForIt) {
  script->requests = {{.kind = Fault::Kind::kDelay, .delay = kVeryLate}};
  const Outcome late = create("a", 100ms);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason, "Timeout") << late.error().text();
  EXPECT_TRUE(late.error().outcome_unknown);
  EXPECT_TRUE(create("b").ok()) << "others are answered meanwhile";
  client.reset();  // an idle connection would be waited for
  served.stop();
}

// --- watches ----------------------------------------------------------------------------------------------------------

TEST_F(HttpFaults, AWatchThatIsRefusedSaysWhy) {
  script->requests = {
      {.kind = Fault::Kind::kAnswer, .code = 410}, {.kind = Fault::Kind::kAnswer, .code = 429}, {.kind = Fault::Kind::kRefuse}};
  struct Refusal {
    int code;
    const char* reason;
    std::optional<base::Duration> retry_after;
  };
  for (const Refusal& wanted : {Refusal{410, "Expired", {}}, Refusal{429, "TooManyRequests", 1s}, Refusal{0, "Broken", {}}}) {
    Recorder refused;
    const auto attempt = follow(refused);
    ASSERT_TRUE(refused.wait_end());
    EXPECT_EQ(refused.error()->code, wanted.code) << refused.error()->text();
    EXPECT_EQ(refused.error()->reason, wanted.reason);
    EXPECT_EQ(refused.error()->retry_after, wanted.retry_after);
    EXPECT_THAT(refused.lines(), IsEmpty());
  }
}

struct Ending {
  WatchFault::Kind kind;
  const char* error;
};
class HttpFaultsEnding : public HttpFaults, public ::testing::WithParamInterface<Ending> {};

/// The ERROR event is the last one, the end behind it an orderly one; what came before it came whole.
TEST_P(HttpFaultsEnding, AWatchEndsWithItsErrorEventAndGoesOnFromItsLastVersion) {
  script->events = {{}, {.kind = GetParam().kind}};
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(served.post(kConfigMaps, configmap(name)).code, 201);
  watch = follow(recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a", GetParam().error));
  EXPECT_FALSE(recorder.error().has_value()) << recorder.error()->text();
  other = follow(other_recorder, Json::parse(recorder.lines().front()).at("object").at("metadata").at("resourceVersion"));
  ASSERT_TRUE(other_recorder.wait_lines(2));
  EXPECT_THAT(told(other_recorder), ElementsAre("ADDED b", "ADDED c"));
}

INSTANTIATE_TEST_SUITE_P(All, HttpFaultsEnding,
                         ::testing::Values(Ending{WatchFault::Kind::kExpire, "ERROR 410"},
                                           Ending{WatchFault::Kind::kError, "ERROR 500"}));

TEST_F(HttpFaults, ABrokenWatchGivesWhatCameBefore) {
  script->events = {{}, {.kind = WatchFault::Kind::kBreak}};
  watch = follow(recorder);
  for (const char* name : {"a", "b"}) ASSERT_EQ(served.post(kConfigMaps, configmap(name)).code, 201);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a"));
  ASSERT_TRUE(recorder.error().has_value());
  EXPECT_EQ(recorder.error()->reason, "Broken") << recorder.error()->text();
}

TEST_F(HttpFaults, ALateEventHoldsBackWhatFollowsItAndNothingElse) {
  script->events = {{}, {.kind = WatchFault::Kind::kDelay, .delay = kVeryLate}};
  script->watch_of = "resourceVersion=1&";  // the first watch alone
  watch = follow(recorder);
  ASSERT_TRUE(comes_true([&] { return served.http->open_watches() == 1; }));
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(served.post(kConfigMaps, configmap(name)).code, 201);
  ASSERT_TRUE(recorder.wait_lines(1));
  other = follow(other_recorder, "2");
  ASSERT_TRUE(other_recorder.wait_lines(3));
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a"));
  served.stop();  // does not wait for the event either
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a"));
}

TEST_F(HttpFaults, LateEventsComeInOrder) {
  script->events = {{.kind = WatchFault::Kind::kDelay, .delay = 50ms}, {}, {.kind = WatchFault::Kind::kMerge, .delay = 50ms}};
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(served.post(kConfigMaps, configmap(name)).code, 201);
  watch = follow(recorder);
  ASSERT_TRUE(recorder.wait_lines(3));
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a", "ADDED b", "ADDED c"));
}

TEST_F(HttpFaults, ALostEventNeverComesAndTheWatchExpires) {
  script->events = {{}, {.kind = WatchFault::Kind::kLose, .delay = 50ms}};
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(served.post(kConfigMaps, configmap(name)).code, 201);
  watch = follow(recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_THAT(told(recorder), ElementsAre("ADDED a", "ADDED c", "ERROR 410"));
}

}  // namespace
}  // namespace kruise::cluster::testing
