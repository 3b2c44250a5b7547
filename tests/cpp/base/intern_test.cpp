#include "base/intern.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>

#include "base/hash.hpp"
#include "base/random.hpp"

namespace kruise::base {
namespace {

Interned<std::string> intern(InternTable<std::string>& table, const std::string& text) {
  return table.intern(table_hash(text), [&](const std::string& known) { return known == text; }, [&] { return text; });
}

TEST(InternTable, HoldsEqualValuesOnce) {
  InternTable<std::string> table;
  const auto a = intern(table, "node-1"), b = intern(table, "node-1"), c = intern(table, "node-2");
  EXPECT_EQ(a, b);
  EXPECT_FALSE(a == c);
  EXPECT_EQ(*a, "node-1");
  EXPECT_EQ(table.size(), 2U);
}

TEST(InternTable, LetsGoOfWhatNobodyHolds) {
  InternTable<std::string> table;
  const auto kept = intern(table, "kept");
  for (int i = 0; i < 10'000; ++i) (void)intern(table, "passing " + std::to_string(i));
  EXPECT_LT(table.size(), 100U) << "by itself, while it grows";
  table.sweep();
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(intern(table, "kept"), kept);
}

TEST(InternTable, EqualsAMapOnRandomUse) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    InternTable<std::string> table;
    std::map<std::string, Interned<std::string>> held;
    for (int step = 0; step < 2000; ++step) {
      const std::string text = std::to_string(random.below(200));
      if (random.below(2) == 0) {
        held.erase(text);
      } else {
        const auto handle = intern(table, text);
        ASSERT_EQ(*handle, text);
        const auto known = held.find(text);
        if (known != held.end()) {
          ASSERT_EQ(known->second, handle);
        }
        held.insert_or_assign(text, handle);
      }
      if (random.below(100) == 0) {
        table.sweep();
        ASSERT_EQ(table.size(), held.size());
      }
    }
  }
}

TEST(Interned, OutlivesItsTableAndMayBeDroppedElsewhere) {
  Interned<std::string> survivor;
  {
    InternTable<std::string> table;
    survivor = intern(table, "a text that does not fit into a small string");
    std::jthread dropper(
        [handle = intern(table, "dropped by another thread, after the table let go of it")]() mutable { handle = {}; });
    for (int i = 0; i < 100; ++i) table.sweep();
  }
  EXPECT_EQ(*survivor, "a text that does not fit into a small string");
  EXPECT_TRUE(survivor.unique());
}

}  // namespace
}  // namespace kruise::base
