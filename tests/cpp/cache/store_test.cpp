#include "cache/store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.hpp"
#include "cache/model_server.hpp"

namespace kruise::cache {
namespace {

std::shared_ptr<const Thing> thing(const std::string& ns, const std::string& name, std::uint64_t version,
                                   std::vector<std::string> owners = {}, std::int64_t number = 0) {
  auto made = std::make_shared<Thing>();
  made->meta.ns = ns;
  made->meta.name = name;
  made->meta.uid = ns + name;
  made->meta.resource_version = std::to_string(version);
  for (const auto& owner : owners) made->meta.owners.push_back({"", "", "", owner});
  made->number = number;
  return made;
}

/// "ns/name@version ..." of what a read returned, in its order.
std::string text(const std::vector<std::shared_ptr<const Thing>>& things) {
  std::string text;
  for (const auto& t : things) text += (text.empty() ? "" : " ") + t->meta.key().text() + "@" + t->meta.resource_version;
  return text;
}

TEST(Store, ShowsAListOnlyAtItsEnd) {
  Store<Thing> store;
  store.list_item(thing("ns", "a", 3), 10);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_FALSE(store.synced());
  store.end_list(7);
  EXPECT_EQ(text(store.all()), "ns/a@3");
  EXPECT_EQ(store.version(), 7U);
  EXPECT_EQ(store.object_bytes(), 10U);
}

TEST(Store, APutThatIsNoNewsIsPassedOver) {
  Store<Thing> store;
  store.list_item(thing("ns", "a", 3), 10);
  store.end_list(7);
  int changes = 0;
  store.subscribe([&](const Change<Thing>&) { ++changes; });
  store.put(thing("ns", "a", 5), 10);
  store.erase({"ns", "a"}, 7);
  EXPECT_EQ(changes, 0);
  EXPECT_EQ(text(store.all()), "ns/a@3");
  store.put(thing("ns", "a", 8), 12);
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(store.version(), 8U);
  EXPECT_EQ(store.object_bytes(), 12U);
}

TEST(Store, ADeletionOfTheUnknownIsSilentButCounts) {
  Store<Thing> store;
  store.end_list(1);
  store.subscribe([&](const Change<Thing>&) { FAIL(); });
  store.erase({"ns", "never seen"}, 9);
  EXPECT_EQ(store.version(), 9U);
}

TEST(Store, AnAbortedListLeavesEverything) {
  Store<Thing> store;
  store.list_item(thing("ns", "a", 1), 1);
  store.end_list(2);
  store.list_item(thing("ns", "b", 3), 1);
  store.abort_list();
  store.list_item(thing("ns", "c", 4), 1);
  store.end_list(5);
  EXPECT_EQ(text(store.all()), "ns/c@4");
}

TEST(Store, AnObjectOfTwoOwnersIsFoundByEach) {
  Store<Thing> store;
  store.end_list(1);
  store.put(thing("ns", "b", 2, {"x", "y", "x"}), 1);
  store.put(thing("ns", "a", 3, {"y"}), 1);
  EXPECT_EQ(text(store.owned_by("x")), "ns/b@2");
  EXPECT_EQ(text(store.owned_by("y")), "ns/a@3 ns/b@2");
  store.put(thing("ns", "b", 4, {"z"}), 1);
  EXPECT_EQ(text(store.owned_by("x")), "");
  EXPECT_EQ(text(store.owned_by("y")), "ns/a@3");
  EXPECT_EQ(text(store.owned_by("z")), "ns/b@4");
}

TEST(Store, EqualsAMapWithEveryIndexOnRandomOperations) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    base::Random random(seed);
    Store<Thing> store;
    store.add_index("parity", [](const Thing& t, IndexKeys& keys) { keys.emplace_back(t.number % 2 == 0 ? "even" : "odd"); });
    std::map<api::Key, std::shared_ptr<const Thing>> model;
    std::size_t bytes = 0;
    std::uint64_t version = 1;
    store.end_list(version);
    const std::uint64_t names = 1 + random.below(300);
    for (int step = 0; step < 600; ++step) {
      const api::Key key{"n" + std::to_string(random.below(3)), "t" + std::to_string(random.below(names))};
      if (random.below(3) == 0) {
        store.erase(view(key), ++version);
        model.erase(key);
      } else if (random.below(200) == 0) {  // a list that lost some
        ++version;
        for (auto it = model.begin(); it != model.end();) it = random.below(4) == 0 ? model.erase(it) : std::next(it);
        for (const auto& [k, t] : model) store.list_item(std::make_shared<const Thing>(*t), 5);
        store.end_list(version);
      } else {
        std::vector<std::string> owners;
        for (std::uint64_t n = random.below(3); n > 0; --n) owners.push_back("o" + std::to_string(random.below(4)));
        const auto made = thing(key.ns, key.name, ++version, owners, static_cast<std::int64_t>(random.below(10)));
        store.put(made, 5);
        model[key] = made;
      }
      if (random.below(20) != 0) continue;
      bytes = model.size() * 5;
      ASSERT_EQ(store.size(), model.size());
      ASSERT_EQ(store.object_bytes(), bytes);
      std::map<std::string, std::vector<std::shared_ptr<const Thing>>> owned, spaces, parity;
      for (const auto& [k, t] : model) {
        ASSERT_EQ(*store.get(k), *t);
        spaces[k.ns].push_back(t);
        parity[t->number % 2 == 0 ? "even" : "odd"].push_back(t);
        std::set<std::string> uids;
        for (const auto& owner : t->meta.owners) uids.insert(owner.uid);
        for (const auto& uid : uids) owned[uid].push_back(t);
      }
      for (const char* uid : {"o0", "o1", "o2", "o3"}) ASSERT_EQ(text(store.owned_by(uid)), text(owned[uid])) << "seed " << seed;
      for (const char* ns : {"n0", "n1", "n2"}) ASSERT_EQ(text(store.in_namespace(ns)), text(spaces[ns])) << "seed " << seed;
      for (const char* key_text : {"even", "odd"})
        ASSERT_EQ(text(store.indexed("parity", key_text)), text(parity[key_text])) << "seed " << seed;
      ASSERT_EQ(store.get({"n0", "none"}), nullptr);
    }
  }
}

}  // namespace
}  // namespace kruise::cache
