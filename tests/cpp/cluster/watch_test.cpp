#include <gmock/gmock.h>

#include "api.hpp"
#include "cluster/local_client.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Watch, FollowsFromAVersion) {
  Api api;
  const auto made = api.post(kPods, pod("a"));
  const auto stream = api.watch(kPods + "?watch=1&resourceVersion=" + made.version());
  EXPECT_THAT(drain(*stream), IsEmpty());
  api.merge(kPods + "/a", {{"metadata", {{"labels", {{"x", "y"}}}}}});
  api.post(kPods, pod("b"));
  api.remove(kPods + "/a");
  EXPECT_THAT(drain(*stream), ElementsAre("MODIFIED a", "ADDED b", "MODIFIED a", "DELETED a"))
      << "a pod's deletion is marked before it is carried out";
}

TEST(Watch, WithoutAVersionBeginsWithWhatIsThere) {
  Api api;
  api.post(kPods, pod("a"));
  api.merge(kPods + "/a", {{"metadata", {{"labels", {{"x", "y"}}}}}});
  EXPECT_THAT(drain(*api.watch(kPods + "?watch=1")), ElementsAre("ADDED a"));
  EXPECT_THAT(
      drain(*api.watch(kPods + "?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")),
      ElementsAre("ADDED a", "BOOKMARK"));
}

TEST(Watch, TheEndOfTheStateIsToldToWhoAsksForBookmarks) {
  Api api;
  api.post(kPods, pod("a"));
  for (const std::string from : {"", "&resourceVersion=0"}) {
    EXPECT_THAT(drain(*api.watch(kPods + "?watch=1&allowWatchBookmarks=true" + from)), ElementsAre("ADDED a", "BOOKMARK"));
    EXPECT_THAT(drain(*api.watch(kPods + "?watch=1" + from)), ElementsAre("ADDED a"));
  }
  EXPECT_THAT(drain(*api.watch(kPods + "?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan")), IsEmpty());
}

TEST(Watch, SelectorsTurnChangesIntoComingAndGoing) {
  Api api;
  api.post(kPods, pod("a", "nginx:1", {{"x", "no"}}));
  const auto stream = api.watch(kPods + "?watch=1&labelSelector=x%3Dyes");
  EXPECT_THAT(drain(*stream), IsEmpty());
  api.merge(kPods + "/a", {{"metadata", {{"labels", {{"x", "yes"}}}}}});
  api.merge(kPods + "/a", {{"metadata", {{"labels", {{"z", "z"}}}}}});
  api.merge(kPods + "/a", {{"metadata", {{"labels", {{"x", "no"}}}}}});
  api.remove(kPods + "/a");
  EXPECT_THAT(drain(*stream), ElementsAre("ADDED a", "MODIFIED a", "DELETED a"));
}

TEST(Watch, AVersionThatLeftTheLogIsGone) {
  Api api(3);
  const auto made = api.post(kConfigMaps, configmap("c", {{"k", "0"}}));
  const auto slow = api.watch(kConfigMaps + "?watch=1&resourceVersion=" + made.version());
  for (const char* value : {"1", "2", "3", "4"}) api.merge(kConfigMaps + "/c", {{"data", {{"k", value}}}});
  EXPECT_THAT(drain(*slow), ElementsAre("ERROR 410"));
  EXPECT_TRUE(slow->ended());
  const auto late = api.watch(kConfigMaps + "?watch=1&resourceVersion=" + made.version());
  EXPECT_THAT(drain(*late), ElementsAre("ERROR 410")) << "an event, no answer, as of a real server";
  EXPECT_TRUE(late->ended());
}

TEST(Watch, FromAVersionYetToComeBeginsBehindIt) {
  Api api;
  const auto made = api.post(kPods, pod("a"));
  const auto stream = api.watch(kPods + "?watch=1&resourceVersion=" + std::to_string(std::stoul(made.version()) + 1));
  api.post(kPods, pod("b"));
  api.post(kPods, pod("c"));
  EXPECT_THAT(drain(*stream), ElementsAre("ADDED c"));
}

TEST(Watch, TooShortForABookmarkGetsNone) {
  Api api;
  const auto from = api.post(kPods, pod("a")).version();
  const auto stream = api.watch(kPods + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=" + from);
  api.loop.run_for(std::chrono::seconds(2));
  EXPECT_THAT(drain(*stream), IsEmpty());
  EXPECT_TRUE(stream->ended());
}

TEST(Watch, BookmarksAndTheEndComeByTime) {
  Api api;
  const auto from = api.post(kPods, pod("a")).version();
  const auto stream = api.watch(kPods + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=" + from);
  EXPECT_THAT(drain(*stream), IsEmpty());
  api.loop.run_for(std::chrono::seconds(60));
  EXPECT_THAT(drain(*stream), ElementsAre("BOOKMARK"));
  api.loop.run_for(std::chrono::seconds(40));
  EXPECT_THAT(drain(*stream), ElementsAre("BOOKMARK"));
  EXPECT_TRUE(stream->ended());
}

class Recorder final : public client::WatchHandler {
 public:
  void on_event(std::string_view line) override { types.push_back(Json::parse(line)["type"]); }
  void on_end(std::optional<client::ApiError> error) override { ended = error ? error->code : 200; }
  std::vector<std::string> types;
  std::optional<int> ended;
};

TEST(LocalClient, CarriesRequestsAndWatchesAsTasks) {
  Api api;
  LocalClient client(api.server, api.loop);
  Recorder recorder;
  const auto watch = client.watch(
      {.path = kPods + "?watch=1&timeoutSeconds=100", .content_type = {}, .body = {}, .user_agent = {}, .timeout = {}}, recorder);
  std::optional<int> code;
  client.send({.method = "POST",
               .path = kPods,
               .content_type = "application/json",
               .body = pod("a").dump(),
               .user_agent = {},
               .timeout = {}},
              [&](client::Outcome outcome) { code = outcome.ok() ? outcome->code : outcome.error().code; });
  EXPECT_FALSE(code);
  api.loop.run_for(std::chrono::seconds(1));
  EXPECT_EQ(code, 201);
  EXPECT_THAT(recorder.types, ElementsAre("ADDED"));
  api.loop.run_for(std::chrono::seconds(200));
  EXPECT_EQ(recorder.ended, 200);
}

TEST(LocalClient, InjectedFaults) {
  Api api;
  LocalClient client(api.server, api.loop);
  Fault fault;
  int asked = 0;
  client.inject([&](const client::Request&) { return ++asked == 1 ? fault : Fault{}; });
  const auto create = [&](const char* name, Fault next) {
    asked = 0;
    fault = next;
    std::string said;
    client.send({.method = "POST",
                 .path = kPods,
                 .content_type = "application/json",
                 .body = pod(name).dump(),
                 .user_agent = {},
                 .timeout = {}},
                [&](client::Outcome outcome) {
                  said = outcome.ok() ? std::to_string(outcome->code)
                                      : outcome.error().reason + (outcome.error().outcome_unknown ? "?" : "");
                });
    api.loop.run_for(std::chrono::seconds(10));
    return said + (api.get(kPods + "/" + name).code == 200 ? " done" : " not done");
  };
  EXPECT_EQ(create("a", {.kind = Fault::Kind::kRefuse}), "Unreachable not done");
  EXPECT_EQ(create("b", {.kind = Fault::Kind::kBreakAfterWrite}), "Unreachable? done");
  EXPECT_EQ(create("c", {.kind = Fault::Kind::kAnswer, .code = 500}), "InternalError not done");
  EXPECT_EQ(create("d", {.kind = Fault::Kind::kAnswer, .code = 429}), "201 done") << "a 429 with Retry-After is tried again";
}

TEST(Storage, TellsObserversEveryWriteInOrder) {
  Api api;
  std::vector<std::string> seen;
  std::uint64_t last = 0;
  api.server.observe_writes([&](const StorageEvent& event) {
    EXPECT_GT(event.resource_version, last);
    last = event.resource_version;
    seen.push_back(std::string(event.type) + " " + std::string(event.plural) + "/" + std::string(event.name) + " by " +
                   std::string(event.user_agent));
  });
  api.post(kConfigMaps, configmap("c"));
  api.merge(kConfigMaps + "/c", {{"data", {{"k", "v"}}}});
  api.remove(kConfigMaps + "/c");
  EXPECT_THAT(seen, ElementsAre("ADDED configmaps/c by test", "MODIFIED configmaps/c by test", "DELETED configmaps/c by test"));
}

}  // namespace
}  // namespace kruise::cluster::testing
