#include "cache/selector_index.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/random.hpp"

namespace kruise::cache {
namespace {

api::Selector::Lookup lookup(const api::StringMap& labels) {
  return [&labels](std::string_view key) -> std::optional<std::string_view> {
    const auto found = labels.find(key);
    if (found == labels.end()) return std::nullopt;
    return found->second;
  };
}

TEST(SelectorIndex, FindsWhatTryingEachFinds) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    base::Random random(seed);
    const auto key = [&] { return "k" + std::to_string(random.below(4)); };
    const auto value = [&] { return "v" + std::to_string(random.below(3)); };
    SelectorIndex index;
    std::map<api::Key, api::Selector> model;
    for (int step = 0; step < 200; ++step) {
      const api::Key owner{random.below(4) == 0 ? "" : "n" + std::to_string(random.below(2)),
                           "o" + std::to_string(random.below(12))};
      if (random.below(4) == 0) {
        index.remove(owner);
        model.erase(owner);
      } else {
        std::string text;
        for (std::uint64_t n = random.below(3); n > 0; --n) {
          const std::string forms[]{key() + "=" + value(), key() + " in (" + value() + "," + value() + ")", key(), "!" + key(),
                                    key() + "!=" + value()};
          text += (text.empty() ? "" : ",") + forms[random.below(5)];
        }
        const auto selector = api::Selector::parse(text);
        ASSERT_TRUE(selector) << text;
        index.put(owner, *selector);
        model.insert_or_assign(owner, *selector);
      }
      ASSERT_EQ(index.size(), model.size());
      api::StringMap labels;
      for (std::uint64_t n = random.below(4); n > 0; --n) labels[key()] = value();
      const std::string ns = "n" + std::to_string(random.below(3));
      std::vector<api::Key> wanted;
      for (const auto& [o, selector] : model) {
        if ((o.ns == ns || o.ns.empty()) && selector.matches(labels)) wanted.push_back(o);
      }
      ASSERT_EQ(index.matching(ns, lookup(labels)), wanted) << "seed " << seed << " step " << step;
    }
  }
}

TEST(SelectorIndex, AsksOnlyForLabelsThatSelectorsName) {
  SelectorIndex index;
  for (int i = 0; i < 100; ++i)
    index.put({"ns", "o" + std::to_string(i)}, *api::Selector::parse("app=a" + std::to_string(i) + ",tier in (x,y)"));
  int asked = 0;
  const auto found = index.matching("ns", [&](std::string_view key) -> std::optional<std::string_view> {
    ++asked;
    return key == "app" ? "a7" : "x";
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "o7");
  EXPECT_LE(asked, 3) << "one for the bucket, two to try its selector";
}

}  // namespace
}  // namespace kruise::cache
