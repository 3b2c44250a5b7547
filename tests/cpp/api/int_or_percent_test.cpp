// Percentages: N x total / 100 in this order, rounded as asked.
#include "api/int_or_percent.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace kruise::api {
namespace {

struct Case {
  IntOrString value;
  std::int64_t total;
  std::optional<std::int64_t> up, down;
};

TEST(IntOrPercent, Table) {
  const std::vector<Case> cases = {
      {5, 3, 5, 5},           {0, 10, 0, 0},         {-2, 10, -2, -2},      {"7%", 100, 7, 7},  // N / 100 x total would give 8
      {"14%", 50, 7, 7},                                                                        // so would this
      {"20%", 5, 1, 1},       {"20%", 4, 1, 0},      {"25%", 10, 3, 2},     {"12.5%", 8, 1, 1},
      {"12.5%", 10, 2, 1},    {"0.5%", 100, 1, 0},   {"99%", 5, 5, 4},      {"100%", 5, 5, 5},
      {"100.0%", 5, 5, 5},    {"120%", 5, 6, 6},     {"0%", 5, 0, 0},       {"10%", 0, 0, 0},
      {"-10%", 10, -1, -1},   {"-15%", 10, -1, -2},  {"007%", 100, 7, 7},   {"99999999999%", 1000, 2147483647, 2147483647},
      {"5", 100, {}, {}},  // no percentage without its sign
      {"", 100, {}, {}},      {"%", 100, {}, {}},    {"abc%", 100, {}, {}}, {"5%%", 100, {}, {}},
      {" 5%", 100, {}, {}},   {"5 %", 100, {}, {}},  {"+5%", 100, {}, {}},  {"1e2%", 100, {}, {}},
      {"0x10%", 100, {}, {}}, {"inf%", 100, {}, {}}, {"nan%", 100, {}, {}}, {"1.2.3%", 100, {}, {}},
      {"--5%", 100, {}, {}},
  };
  for (const auto& c : cases) {
    const auto* text = std::get_if<std::string>(&c.value.value);
    SCOPED_TRACE((text ? *text : std::to_string(std::get<std::int64_t>(c.value.value))) + " of " + std::to_string(c.total));
    EXPECT_EQ(scaled(c.value, c.total, Round::kUp), c.up);
    EXPECT_EQ(scaled(c.value, c.total, Round::kDown), c.down);
  }
}

TEST(IntOrPercent, WholePercentagesAreExactForEveryTotal) {
  for (std::int64_t percent = 0; percent <= 100; ++percent) {
    for (std::int64_t total = 0; total <= 500; ++total) {
      const IntOrString value(std::to_string(percent) + "%");
      ASSERT_EQ(scaled(value, total, Round::kDown), percent * total / 100) << percent << "% of " << total;
      ASSERT_EQ(scaled(value, total, Round::kUp), (percent * total + 99) / 100) << percent << "% of " << total;
    }
  }
}

}  // namespace
}  // namespace kruise::api
