#include "workload/update_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using ::testing::ElementsAre;
using testing::pod;

struct Pods {
  explicit Pods(const std::vector<testing::PodBuilder>& builders) {
    for (const auto& b : builders) keep.push_back(b.ptr());
    for (const auto& p : keep) pointers.push_back(p.get());
    order.resize(keep.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  std::vector<api::PodPtr> keep;
  std::vector<const api::Pod*> pointers;
  std::vector<std::size_t> order;
};

api::LabelSelector has(const std::string& key, const std::string& value) {
  return {.match_labels = {{key, value}}, .match_expressions = {}};
}

TEST(UpdateOrderTest, WeightsAddUpAndTiesKeepTheirOrder) {
  Pods pods({pod("a"), pod("b").label("x", "1"), pod("c").label("y", "1"), pod("d").label("x", "1").label("y", "1"), pod("e")});
  sort_by_priority(
      pods.order, pods.pointers,
      {.weight_priority = {{.weight = 10, .match_selector = has("x", "1")}, {.weight = 20, .match_selector = has("y", "1")}},
       .order_priority = {}});
  EXPECT_THAT(pods.order, ElementsAre(3, 2, 1, 0, 4));
}

TEST(UpdateOrderTest, AnUnreadableSelectorWeighsNothing) {
  Pods pods({pod("a"), pod("b").label("x", "1")});
  api::LabelSelector bad;
  bad.match_expressions = {{"x", "Resembles", {}}};
  sort_by_priority(pods.order, pods.pointers, {.weight_priority = {{.weight = 50, .match_selector = bad}}, .order_priority = {}});
  EXPECT_THAT(pods.order, ElementsAre(0, 1));
}

TEST(UpdateOrderTest, OrderedKeysPutKeylessPodsFirstThenLargerNumbers) {
  Pods pods({pod("a").label("k1", "shard-3"), pod("b").label("k2", "9"), pod("c"), pod("d").label("k1", "shard-12"),
             pod("e").label("k1", "none").label("k2", "7"), pod("f")});
  sort_by_priority(pods.order, pods.pointers,
                   {.weight_priority = {}, .order_priority = {{.ordered_key = "k1"}, {.ordered_key = "k2"}}});
  EXPECT_THAT(pods.order, ElementsAre(2, 5, 3, 0, 4, 1));
}

TEST(UpdateOrderTest, TrailingNumbers) {
  EXPECT_EQ(trailing_number("shard-12"), 12);
  EXPECT_EQ(trailing_number("12"), 12);
  EXPECT_EQ(trailing_number("12x"), 0);
  EXPECT_EQ(trailing_number(""), 0);
  EXPECT_EQ(trailing_number("x-9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(trailing_number("x-9223372036854775808"), 0);
}

TEST(UpdateOrderTest, ScattersTheCommonestTermFirst) {
  std::vector<testing::PodBuilder> builders;
  for (int i = 0; i < 10; ++i) {
    auto p = pod("p" + std::to_string(i));
    if (i == 2 || i == 5 || i == 8) p.label("k", "v");
    builders.push_back(p);
  }
  Pods pods(builders);
  const std::vector<api::UpdateScatterTerm> terms{{.key = "absent", .value = "v"}, {.key = "k", .value = "v"}};
  EXPECT_THAT(scatter_by_terms(pods.order, pods.pointers, terms), ElementsAre(2, 0, 1, 3, 4, 5, 6, 7, 9, 8));
}

}  // namespace
}  // namespace kruise::workload
