#include "workload/ranking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"
#include "workload/builders.hpp"
#include "workload/scatter.hpp"

namespace kruise::workload {
namespace {

using api::PodPhase;
using testing::PodBuilder;

PodBuilder fine(const std::string& name) { return testing::pod(name).ready(); }

struct Case {
  const char* rule;
  PodBuilder first;  // goes first
  PodBuilder second;
  bool also_in_updates = true;
};

Rank rank(const PodBuilder& builder, std::vector<api::PodPtr>& keep) {
  keep.push_back(builder.ptr());
  return rank_of(*keep.back(), true);
}

// CloneSet §14.
TEST(RankingTest, EachRowDecides) {
  const Case cases[] = {
      {"no node first", fine("z").node(""), fine("a")},
      {"Pending before Running", fine("z").phase(PodPhase::kPending), fine("a")},
      {"Pending before Unknown", fine("z").phase(PodPhase::kPending), fine("a").phase(PodPhase::kUnknown)},
      {"Unknown before Running", fine("z").phase(PodPhase::kUnknown), fine("a")},
      {"no phase counts as Pending", fine("z").phase(PodPhase::kNone), fine("a").phase(PodPhase::kUnknown)},
      {"not Ready first", fine("z").not_ready(), fine("a")},
      {"ready for less time first", fine("z").ready(-10), fine("a").ready(-20)},
      {"more restarts first", fine("z").restarts(3), fine("a").restarts(2)},
      {"younger first", fine("z").created(-10), fine("a").created(-20)},
      {"a node weighs more than the phase", fine("z").node(""), fine("a").phase(PodPhase::kPending)},
      {"readiness weighs more than restarts", fine("z").not_ready(), fine("a").restarts(9)},
  };
  for (const Case& c : cases) {
    std::vector<api::PodPtr> keep;
    const Rank a = rank(c.first, keep);
    const Rank b = rank(c.second, keep);
    EXPECT_TRUE(deleted_before(a, b)) << c.rule;
    EXPECT_FALSE(deleted_before(b, a)) << c.rule;
    EXPECT_EQ(updated_before(a, b), c.also_in_updates) << c.rule;
    EXPECT_FALSE(updated_before(b, a)) << c.rule;
  }
}

TEST(RankingTest, AvailabilityDecidesOnlyDeletions) {
  const auto x = fine("z").ptr();
  const auto y = fine("a").ptr();
  EXPECT_TRUE(deleted_before(rank_of(*x, false), rank_of(*y, true)));
  EXPECT_FALSE(updated_before(rank_of(*x, false), rank_of(*y, true)));
}

TEST(RankingTest, EqualPodsGoByNameAndKeepTheirOrderInUpdates) {
  const auto x = fine("a").ptr();
  const auto y = fine("b").ptr();
  EXPECT_TRUE(deleted_before(rank_of(*x, true), rank_of(*y, true)));
  EXPECT_FALSE(updated_before(rank_of(*x, true), rank_of(*y, true)));
  EXPECT_FALSE(updated_before(rank_of(*y, true), rank_of(*x, true)));
}

TEST(RankingTest, AbsentTimesGoFirst) {
  auto x = fine("z");
  x.fields.meta.creation_timestamp.reset();
  const auto no_creation = x.ptr();
  auto y = fine("z");
  for (auto& c : y.fields.conditions) c.last_transition.reset();
  const auto no_transition = y.ptr();
  const auto other = fine("a").ptr();
  EXPECT_TRUE(deleted_before(rank_of(*no_creation, true), rank_of(*other, true)));
  EXPECT_TRUE(deleted_before(rank_of(*no_transition, true), rank_of(*other, true)));
}

TEST(RankingTest, ChoosesTheWorstAndKeepsOrderWhenAllGo) {
  std::vector<api::PodPtr> keep;
  const std::vector<Rank> ranks{rank(fine("c"), keep), rank(fine("b").not_ready(), keep), rank(fine("a").node(""), keep)};
  EXPECT_THAT(choose_to_delete(ranks, 2), ::testing::ElementsAre(2, 1));
  EXPECT_THAT(choose_to_delete(ranks, 3), ::testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(choose_to_delete(ranks, 9), ::testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(choose_to_delete(ranks, 0), ::testing::IsEmpty());
}

struct ScatterCase {
  std::vector<std::size_t> candidates;
  std::vector<std::size_t> labelled;
  std::vector<std::size_t> expected;
};

// CloneSet §27.4.
TEST(ScatterTest, Table) {
  const ScatterCase cases[] = {
      {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {2, 5, 8}, {2, 0, 1, 3, 4, 5, 6, 7, 9, 8}},
      {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {6, 7, 8, 9}, {6, 0, 1, 7, 2, 3, 8, 4, 5, 9}},
      {{2, 3, 4, 5, 6, 7, 8, 9}, {0, 1, 2, 3, 4}, {5, 6, 7, 2, 8, 3, 9, 4}},
      {{0, 1, 2}, {1}, {0, 1, 2}},     // one labelled pod: nothing to spread
      {{0, 1, 2}, {0, 1}, {0, 1, 2}},  // one unlabelled pod
      {{}, {}, {}},
  };
  for (const auto& c : cases) {
    std::vector<bool> labelled(10);
    for (const auto i : c.labelled) labelled[i] = true;
    EXPECT_EQ(scatter(c.candidates, labelled, {c.labelled.size(), 10 - c.labelled.size()}), c.expected);
  }
}

TEST(ScatterTest, IsAPermutationThatKeepsEachKindsOrder) {
  base::Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t n = random.below(40);
    std::vector<bool> labelled(n);
    ScatterTotals totals;
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < n; ++i) {
      labelled[i] = random.below(3) == 0;
      ++(labelled[i] ? totals.with_label : totals.without_label);
      if (random.below(4) != 0) candidates.push_back(i);
    }
    const auto order = scatter(candidates, labelled, totals);
    auto sorted = order;
    std::ranges::sort(sorted);
    ASSERT_EQ(sorted, candidates) << "round " << round;
    for (const bool kind : {false, true}) {
      std::vector<std::size_t> of_kind;
      std::ranges::copy_if(order, std::back_inserter(of_kind), [&](std::size_t i) { return labelled[i] == kind; });
      ASSERT_TRUE(std::ranges::is_sorted(of_kind)) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace kruise::workload
