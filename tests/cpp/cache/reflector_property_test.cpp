// Whatever happens to lists and watches, the cache equals a fresh list afterwards, and what its subscribers heard is a history
// that could have happened: no addition of what is there, no change of what is not, no version twice.
#include <gtest/gtest.h>

#include <map>

#include "base/log.hpp"
#include "cache/model_server.hpp"
#include "cache/reflector.hpp"

namespace kruise::cache {
namespace {

using namespace std::chrono_literals;

const api::Resource kThings{"test.kruise.io", "v1", "Thing", "things", api::Scope::kNamespaced};

/// A reflector on a model server, and a judge of what it tells.
class World {
 public:
  explicit World(std::uint64_t seed, int page_objects_max = 3) : random(seed), server(loop, seed) {
    store.subscribe([this](const Change<Thing>& change) { judge(change); });
    ReflectorOptions options;
    options.page_objects_max = page_objects_max;
    reflector = std::make_unique<Reflector>(server, kThings, feed, base::Random(seed).stream("reflector"), options);
  }
  bool settle() {
    return loop.run_until([&] { return store.size() == server.objects().size() && store.synced() && difference().empty(); },
                          10min);
  }
  /// What tells the cache from a fresh list; empty when nothing does.
  std::string difference() const {
    if (!store.synced()) return "not synced";
    if (store.size() != server.objects().size()) return "sizes differ";
    if (heard.size() != server.objects().size()) return "subscribers know of others";
    std::map<std::string, std::vector<std::string>> by_owner;
    for (const auto& [key, stored] : server.objects()) {
      const std::size_t slash = key.find('/');
      const auto thing = store.get({key.substr(0, slash), key.substr(slash + 1)});
      if (!thing) return key + " is missing";
      if (thing->meta.resource_version != std::to_string(stored.version)) return key + " is in another version";
      for (const auto& owner : thing->meta.owners) by_owner[owner.uid].push_back(key);
    }
    for (const auto& [owner, keys] : by_owner) {
      std::vector<std::string> found;
      for (const auto& thing : store.owned_by(owner)) found.push_back(thing->meta.key().text());
      if (found != keys) return "the index of owner " + owner + " is wrong";
    }
    return "";
  }
  /// One random write, or two at once.
  void write() {
    const std::string ns = random.below(2) == 0 ? "a" : "b", name = "t" + std::to_string(random.below(12));
    const bool exists = server.objects().contains(ns + "/" + name);
    if (exists && random.below(3) == 0) {
      server.remove(ns, name);
    } else {
      server.put(ns, name, static_cast<std::int64_t>(random.below(1000)), "owner-" + std::to_string(random.below(3)));
    }
    if (random.below(4) == 0) server.tick();
    if (random.below(10) == 0) server.bookmark();
  }

  base::log::Capture quiet{[](base::log::Level level, std::string_view, const std::string& line) {
    EXPECT_NE(level, base::log::Level::kError) << line;
  }};
  base::Random random;
  base::VirtualLoop loop{base::Time{}};
  ModelServer server;
  std::unique_ptr<Decoder<Thing>> decoder = decoder_from<Thing>(decode_thing);
  Store<Thing> store;
  StoreFeed<Thing> feed{*decoder, store};
  std::map<std::string, std::shared_ptr<const Thing>> heard;  // as subscribers believe
  std::vector<std::string> impossible;
  std::unique_ptr<Reflector> reflector;

 private:
  void judge(const Change<Thing>& change) {
    const Thing& thing = change.after ? *change.after : *change.before;
    const std::string key = thing.meta.key().text();
    const auto known = heard.find(key);
    const auto believed = known == heard.end() ? nullptr : known->second;
    if (change.before != believed) impossible.push_back(key + ": not what was there before");
    if (change.before && change.after && change.before->meta.resource_version == change.after->meta.resource_version) {
      impossible.push_back(key + ": the same version twice");
    }
    if (store.get(thing.meta.key()) != change.after) impossible.push_back(key + ": told before it is so");
    if (change.after) {
      heard[key] = change.after;
    } else {
      heard.erase(key);
    }
  }
};

class UnderFaults : public testing::TestWithParam<std::uint64_t> {};

TEST_P(UnderFaults, TheCacheEqualsAFreshListAfterwards) {
  const std::uint64_t seed = GetParam();
  World world(seed);
  base::Random& random = world.random;
  world.server.streams_lists = random.below(2) == 0;
  for (std::uint64_t n = random.below(10); n > 0; --n) world.write();
  world.reflector->start();
  for (int phase = 0; phase < 6; ++phase) {
    // Few faults, and those strong.
    ModelServer::Faults& faults = world.server.faults;
    for (double* fault : {&faults.refuse_list, &faults.refuse_watch, &faults.break_stream, &faults.error_event,
                          &faults.foreign_line, &faults.compact, &faults.end_stream, &faults.cut_page}) {
      *fault = random.below(3) == 0 ? random.unit() * 0.6 : 0;
    }
    faults.partial_line = random.unit();
    for (int i = 0; i < 60; ++i) {
      world.write();
      if (random.below(20) == 0) world.server.drop_watches(random.below(2) == 0);
      if (random.below(40) == 0) world.server.go_silent();
      if (random.below(60) == 0) world.reflector->stop(), world.loop.run_for(1s), world.reflector->start();
      if (random.below(3) == 0) world.loop.run_for(std::chrono::milliseconds(random.below(2000)));
    }
    faults = {};
    // A silent connection needs a sign that it is one.
    ASSERT_TRUE(world.settle() || (world.server.drop_watches(false), world.settle()))
        << "seed " << seed << " phase " << phase << ": " << world.difference();
    ASSERT_TRUE(world.impossible.empty()) << "seed " << seed << ": " << world.impossible[0];
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, UnderFaults, testing::Range<std::uint64_t>(0, 25));

/// The same session each time: a list, then additions, changes, deletions and a bookmark.
void play(World& world) {
  for (int i = 0; i < 3; ++i) world.server.put("ns", "t" + std::to_string(i), i, "owner");
  world.reflector->start();
  world.loop.run_for(1s);
  world.server.put("ns", "t1", 11, "other");
  world.server.remove("ns", "t0");
  world.server.put("ns", "new", 1);
  world.loop.run_for(1s);
  world.server.tick();
  world.server.bookmark();
  world.server.put("ns", "t0", 100);
  world.server.remove("ns", "new");
  world.server.put("ns", "t2", 22);
  world.loop.run_for(1s);
}

struct Ground {
  bool streamed;
  bool deliver_cut_line;
};
class CutStream : public testing::TestWithParam<Ground> {};

// Manager §12.8.
TEST_P(CutStream, AtEveryByteTheCacheEqualsAFreshListAfterwards) {
  std::size_t bytes = 0;
  {
    World whole(1);
    whole.server.streams_lists = GetParam().streamed;
    play(whole);
    bytes = whole.server.bytes_sent;
  }
  ASSERT_GT(bytes, 1000U);
  for (std::size_t at = 0; at < bytes; ++at) {
    World world(1);
    world.server.streams_lists = GetParam().streamed;
    world.server.deliver_cut_line = GetParam().deliver_cut_line;
    world.server.cut_at_byte = at;
    play(world);
    ASSERT_TRUE(world.settle()) << "cut at byte " << at << ": " << world.difference();
    ASSERT_TRUE(world.impossible.empty()) << "cut at byte " << at << ": " << world.impossible[0];
    ASSERT_FALSE(world.server.cut_at_byte) << "never reached byte " << at;
  }
}
INSTANTIATE_TEST_SUITE_P(Grounds, CutStream,
                         testing::Values(Ground{true, true}, Ground{true, false}, Ground{false, true}, Ground{false, false}));

TEST(CutPage, AtEveryByteIsForeignAndListedAnew) {
  std::size_t bytes = 0;
  for (std::size_t at = 0; at == 0 || at < bytes; ++at) {
    World world(1, 10);
    world.server.streams_lists = false;
    for (int i = 0; i < 4; ++i) world.server.put("ns", "t" + std::to_string(i), i);
    world.server.on_page = [&, at](std::string& body) {
      bytes = body.size();
      body.resize(at);
    };
    world.reflector->start();
    ASSERT_TRUE(world.settle()) << "cut at byte " << at << ": " << world.difference();
    // The newline at the end may be missing.
    if (at + 1 < bytes) {
      ASSERT_EQ(world.reflector->stats().foreign, 1U) << "cut at byte " << at;
    }
  }
}

}  // namespace
}  // namespace kruise::cache
