#include "cache/reflector.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/log.hpp"
#include "cache/model_server.hpp"

namespace kruise::cache {
namespace {

using namespace std::chrono_literals;
using State = ReflectorStats::State;

const api::Resource kThings{"test.kruise.io", "v1", "Thing", "things", api::Scope::kNamespaced};

/// A reflector of things on a model server, with everything that subscribers heard.
class ReflectorTest : public testing::Test {
 protected:
  ReflectorTest() {
    store.subscribe([this](const Change<Thing>& change) {
      const Thing& thing = change.after ? *change.after : *change.before;
      heard.push_back((change.before ? change.after ? "~" : "-" : "+") + thing.meta.name);
    });
    store.on_progress([this] { ++progress; });
  }
  Reflector& make(ReflectorOptions options = {}) {
    options.facts = facts;
    reflector = std::make_unique<Reflector>(server, kThings, feed, base::Random(7), options);
    reflector->start();
    return *reflector;
  }
  /// Runs until the cache holds what the server holds, in the same versions.
  bool settle(base::Duration limit = 5min) {
    return loop.run_until([&] { return reflector->stats().state == State::kWatching && equal(); }, limit);
  }
  bool equal() const {
    if (!store.synced() || store.size() != server.objects().size()) return false;
    for (const auto& [key, stored] : server.objects()) {
      const std::size_t slash = key.find('/');
      const auto thing = store.get({key.substr(0, slash), key.substr(slash + 1)});
      if (!thing || thing->meta.resource_version != std::to_string(stored.version)) return false;
    }
    return true;
  }
  std::string take_heard() {
    std::string text;
    for (const auto& word : std::exchange(heard, {})) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  base::log::Capture quiet{[this](base::log::Level level, std::string_view, const std::string& line) {
    if (level == base::log::Level::kWarning) warnings.push_back(line);
    EXPECT_NE(level, base::log::Level::kError) << line;
  }};
  std::vector<std::string> warnings;
  base::VirtualLoop loop{base::Time{}};
  ModelServer server{loop, 1};
  std::unique_ptr<Decoder<Thing>> decoder = decoder_from<Thing>(decode_thing);
  Store<Thing> store;
  std::vector<Malformed> malformed;
  StoreFeed<Thing> feed{*decoder, store, [this](const Malformed& m) { malformed.push_back(m); }};
  std::shared_ptr<ServerFacts> facts = std::make_shared<ServerFacts>();
  std::vector<std::string> heard;
  int progress = 0;
  std::unique_ptr<Reflector> reflector;
};

TEST_F(ReflectorTest, ListsInPagesThenWatches) {
  facts->streams_lists = false;
  for (int i = 0; i < 7; ++i) server.put("ns", "t" + std::to_string(i), i);
  make({.page_objects_max = 3});
  ASSERT_TRUE(settle());
  EXPECT_EQ(server.pages, 3);
  EXPECT_EQ(store.version(), server.version());
  EXPECT_EQ(take_heard(), "+t0 +t1 +t2 +t3 +t4 +t5 +t6");
  server.put("ns", "t3", 33);
  server.remove("ns", "t4");
  server.put("ns", "new", 1);
  ASSERT_TRUE(settle());
  EXPECT_EQ(take_heard(), "~t3 -t4 +new");
  EXPECT_EQ(server.lists, 1);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(ReflectorTest, AsksForTheNewestStateWithoutAVersion) {
  facts->streams_lists = false;
  std::vector<std::string> paths;
  server.on_request = [&](const client::Request& request) { paths.push_back(request.path); };
  make({.scope = Scope::one({"ns", "a"})});
  ASSERT_TRUE(settle());
  ASSERT_GE(paths.size(), 2U);
  EXPECT_EQ(paths[0].find("resourceVersion"), std::string::npos) << paths[0];
  for (const auto& path : paths) {
    EXPECT_NE(path.find("/namespaces/ns/things?"), std::string::npos) << path;
    EXPECT_NE(path.find("fieldSelector=metadata.name%3Da"), std::string::npos) << path;
  }
  EXPECT_NE(paths[1].find("allowWatchBookmarks=true"), std::string::npos) << paths[1];
  EXPECT_NE(paths[1].find("timeoutSeconds="), std::string::npos) << paths[1];
}

TEST_F(ReflectorTest, StreamsTheListWhereTheServerCan) {
  for (int i = 0; i < 5; ++i) server.put("ns", "t" + std::to_string(i), i);
  make();
  ASSERT_TRUE(settle());
  EXPECT_EQ(server.streamed, 1);
  EXPECT_EQ(server.lists, 0);
  server.put("ns", "t0", 9);
  ASSERT_TRUE(settle());
  EXPECT_EQ(server.watches, 1) << "the stream goes on as the watch";
}

TEST_F(ReflectorTest, RemembersThatAServerStreamsNoLists) {
  server.streams_lists = false;
  server.put("ns", "a", 1);
  make();
  ASSERT_TRUE(settle());
  EXPECT_FALSE(facts->streams_lists);
  EXPECT_EQ(server.lists, 1);
  EXPECT_TRUE(warnings.empty()) << warnings[0];
}

TEST_F(ReflectorTest, TakesARefusedParameterAsNotSupported) {
  server.refuse_stream_with_422 = true;
  make();
  ASSERT_TRUE(settle());
  EXPECT_FALSE(facts->streams_lists);
}

TEST_F(ReflectorTest, ResumesABrokenStreamWithoutAListAndWithoutDoubles) {
  make();
  ASSERT_TRUE(settle());
  for (int round = 0; round < 3; ++round) {
    server.drop_watches(round == 1);
    server.put("ns", "t" + std::to_string(round), round);
    ASSERT_TRUE(settle());
  }
  EXPECT_EQ(take_heard(), "+t0 +t1 +t2");
  EXPECT_EQ(server.streamed, 1);
  EXPECT_EQ(server.lists, 0);
}

TEST_F(ReflectorTest, RelistsWhenExpiredAndReportsOnlyDifferences) {
  for (const char* name : {"kept", "changed", "deleted", "reborn"}) server.put("ns", name, 1);
  make();
  ASSERT_TRUE(settle());
  take_heard();
  const auto kept = store.get({"ns", "kept"});
  server.go_silent();
  server.put("ns", "changed", 2);
  server.remove("ns", "deleted");
  server.remove("ns", "reborn");
  server.put("ns", "reborn", 1);
  server.put("ns", "added", 1);
  server.compact();
  server.drop_watches(false);
  ASSERT_TRUE(settle());
  EXPECT_EQ(take_heard(), "-deleted ~changed ~reborn +added");
  EXPECT_EQ(store.get({"ns", "kept"}), kept) << "what did not change is the same object";
  EXPECT_GE(reflector->stats().expired, 1U);
}

TEST_F(ReflectorTest, FollowsARestoredServerWhoseVersionsGoBack) {
  server.put("ns", "a", 1);
  for (int i = 0; i < 50; ++i) server.tick();
  server.put("ns", "b", 1);
  make();
  ASSERT_TRUE(settle());
  server.restore(20);
  server.put("ns", "a", 7);
  ASSERT_TRUE(settle());
  EXPECT_EQ(store.version(), server.version());
  EXPECT_EQ(store.get({"ns", "a"})->number, 7);
}

TEST_F(ReflectorTest, RenewsASilentConnectionAfterTwoMissedBookmarks) {
  make();
  ASSERT_TRUE(settle());
  server.tick();
  server.bookmark();
  loop.run_for(1s);
  EXPECT_EQ(store.version(), server.version());
  server.go_silent();
  server.put("ns", "a", 1);
  EXPECT_FALSE(settle(140s));
  ASSERT_TRUE(settle(20s));
  EXPECT_EQ(reflector->stats().renewals, 1U);
  EXPECT_EQ(reflector->stats().lists, 1U) << "no list for that";
}

TEST_F(ReflectorTest, WithoutBookmarksTheTimeoutIsTheHeartbeat) {
  make();
  ASSERT_TRUE(settle());
  server.go_silent();
  server.put("ns", "a", 1);
  EXPECT_FALSE(settle(9min));
  ASSERT_TRUE(settle(3min));
}

TEST_F(ReflectorTest, ProgressCountsBookmarks) {
  make();
  ASSERT_TRUE(settle());
  const int before = progress;
  server.tick();
  server.bookmark();
  loop.run_for(1s);
  EXPECT_EQ(progress, before + 1);
}

TEST_F(ReflectorTest, AMalformedObjectDoesNotHoldTheOthers) {
  server.put("ns", "good", 1);
  server.put("ns", "bad", -1);
  server.put("ns", "turns", 1);
  make();
  ASSERT_TRUE(loop.run_until([&] { return store.synced(); }, 1min));
  ASSERT_EQ(malformed.size(), 1U);
  EXPECT_EQ(malformed[0].key.name, "bad");
  EXPECT_EQ(malformed[0].error.path, "number");
  server.put("ns", "turns", -1);
  server.put("ns", "good", 2);
  ASSERT_TRUE(loop.run_until([&] { return store.version() == server.version(); }, 1min));
  EXPECT_EQ(store.get({"ns", "good"})->number, 2);
  EXPECT_EQ(store.get({"ns", "turns"})->number, 1) << "stays as last understood";
  server.remove("ns", "turns");
  server.put("ns", "bad", 5);
  ASSERT_TRUE(settle());
  EXPECT_EQ(reflector->stats().foreign, 0U);
}

TEST_F(ReflectorTest, ForeignBytesMeanARelist) {
  server.put("ns", "a", 1);
  make();
  ASSERT_TRUE(settle());
  server.faults.foreign_line = 1;
  server.put("ns", "b", 1);
  loop.run_for(100ms);
  EXPECT_EQ(reflector->stats().foreign, 1U);
  EXPECT_EQ(reflector->stats().state, State::kWaiting);
  server.faults = {};
  ASSERT_TRUE(settle());
  EXPECT_EQ(reflector->stats().lists, 2U);
}

TEST_F(ReflectorTest, BacksOffAndComesBackAfterAnOutage) {
  facts->streams_lists = false;
  server.faults.refuse_list = 1;
  int requests = 0;
  server.on_request = [&](const client::Request&) { ++requests; };
  make();
  loop.run_for(10min);
  EXPECT_LT(requests, 100);
  EXPECT_GT(requests, 30);
  EXPECT_FALSE(reflector->stats().last_error.empty());
  server.faults = {};
  EXPECT_TRUE(settle(20s));
}

TEST_F(ReflectorTest, StopsAndStartsAtRunTimeWithoutAListBetween) {
  server.put("ns", "a", 1);
  make();
  ASSERT_TRUE(settle());
  reflector->stop();
  loop.run_for(1s);
  EXPECT_EQ(server.open_watches(), 0U);
  server.put("ns", "b", 1);
  loop.run_for(1min);
  EXPECT_EQ(store.size(), 1U);
  reflector->start();
  ASSERT_TRUE(settle());
  EXPECT_EQ(reflector->stats().lists, 1U);
}

TEST_F(ReflectorTest, MayBeStoppedFromASubscriberAndDestroyedAtAnyTime) {
  server.put("ns", "a", 1);
  store.subscribe([this](const Change<Thing>&) { reflector->stop(); });
  make();
  loop.run_for(1min);
  EXPECT_EQ(reflector->stats().state, State::kStopped);
  reflector->start();
  reflector.reset();
  loop.run_for(1min);
  EXPECT_EQ(server.open_watches(), 0U);
}

TEST_F(ReflectorTest, AnExpiredPageStartsTheListAnew) {
  facts->streams_lists = false;
  for (int i = 0; i < 9; ++i) server.put("ns", "t" + std::to_string(i), i);
  int left = 5;
  server.on_request = [&](const client::Request& request) {
    if (request.path.find("continue=") == std::string::npos || left-- <= 0) return;
    server.tick();
    server.compact();
  };
  make({.page_objects_max = 4});
  ASSERT_TRUE(settle());
  EXPECT_EQ(store.size(), 9U);
  EXPECT_EQ(reflector->stats().expired, 3U) << "then everything is asked for at once";
}

}  // namespace
}  // namespace kruise::cache
