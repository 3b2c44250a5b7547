#include "workload/spread.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using ::testing::ElementsAre;

/// A ready pod that is the sooner to go the later it became ready.
struct Placed {
  std::string name, node;
  std::int64_t ready_since_s;
  bool available = true;
};

struct Candidates {
  explicit Candidates(const std::vector<Placed>& placed) {
    for (const auto& p : placed) {
      pods.push_back(pod(p.name).node(p.node).ready(p.ready_since_s).ptr());
      ranks.push_back(rank_of(*pods.back(), p.available));
    }
  }
  std::vector<double> spread(const std::vector<std::string>& keys = {}) {
    set_spread(ranks, keys, [this](std::string_view node) -> const api::StringMap* {
      const auto found = nodes.find(std::string(node));
      return found == nodes.end() ? nullptr : &found->second;
    });
    std::vector<double> all;
    for (const Rank& rank : ranks) all.push_back(rank.spread);
    return all;
  }
  std::vector<std::string> order() {
    std::vector<std::size_t> index(ranks.size());
    std::iota(index.begin(), index.end(), std::size_t{0});
    std::ranges::sort(index, [&](std::size_t a, std::size_t b) { return deleted_before(ranks[a], ranks[b]); });
    std::vector<std::string> names;
    for (const auto i : index) names.emplace_back(ranks[i].name);
    return names;
  }
  std::vector<api::PodPtr> pods;
  std::vector<Rank> ranks;
  std::map<std::string, api::StringMap> nodes{{"n1", {{"zone", "a"}, {"kubernetes.io/hostname", "n1"}}},
                                              {"n2", {{"zone", "a"}, {"kubernetes.io/hostname", "n2"}}},
                                              {"n3", {{"zone", "b"}, {"kubernetes.io/hostname", "n3"}}},
                                              {"n4", {}}};
};

TEST(Spread, PodsThatShareANodeGoFirstButForItsBest) {
  Candidates c({{"a", "n1", -10}, {"b", "n1", -30}, {"c", "n1", -20}, {"d", "n2", -5}, {"e", "", -5}, {"f", "", -5}});
  EXPECT_THAT(c.spread(), ElementsAre(2, 0, 1, 0, 0, 0));
  // Those without a node go before all others; then the crowded node, though d became ready last.
  EXPECT_THAT(c.order(), ElementsAre("e", "f", "a", "c", "d", "b"));
}

TEST(Spread, AvailabilityDoesNotCountWithinANode) {
  Candidates c({{"a", "n1", -10, true}, {"b", "n1", -30, false}});
  EXPECT_THAT(c.spread(), ElementsAre(1, 0));
}

TEST(Spread, DomainsOfAConstraint) {
  // Zone a holds three pods, zone b one: weight ln(2 groups + 2).
  Candidates c({{"a", "n1", -10}, {"b", "n1", -30}, {"c", "n2", -20}, {"d", "n3", -5}, {"e", "n4", -1}, {"f", "gone", -1}});
  const double w = std::log(4.0);
  // a shares its node with b and goes first; then the younger c, then b.
  EXPECT_THAT(c.spread({"zone"}), ElementsAre(3 * w, 1 * w, 2 * w, 1 * w, 0, 0));
}

TEST(Spread, PodsOfOneNodeStandOutWithinADomainButNotWithinAHost) {
  // c is younger than a, but a shares its node.
  const std::vector<Placed> placed{{"a", "n1", -20}, {"b", "n1", -30}, {"c", "n2", -10}};
  const double one = std::log(3.0), two = std::log(4.0);
  EXPECT_THAT(Candidates(placed).spread({"zone"}), ElementsAre(3 * one, 1 * one, 2 * one));
  EXPECT_THAT(Candidates(placed).spread({"kubernetes.io/hostname"}), ElementsAre(2 * two, 1 * two, 1 * two));
}

TEST(Spread, ConstraintsAddUp) {
  const std::vector<Placed> placed{{"a", "n1", -20}, {"b", "n1", -30}, {"c", "n2", -10}, {"d", "n3", -1}};
  const auto zone = Candidates(placed).spread({"zone"});
  const auto host = Candidates(placed).spread({"kubernetes.io/hostname"});
  const auto both = Candidates(placed).spread({"zone", "kubernetes.io/hostname"});
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_DOUBLE_EQ(both[i], zone[i] + host[i]) << i;
}

TEST(Spread, CostComesBeforeIt) {
  Candidates c({{"a", "n1", -10}, {"b", "n1", -30}, {"c", "n2", -20}});
  c.ranks[2].deletion_cost = -1;
  static_cast<void>(c.spread());
  EXPECT_THAT(c.order(), ElementsAre("c", "a", "b"));
}

TEST(DeletionCost, IsANumberInPlainForm) {
  const std::vector<std::pair<std::string, std::int32_t>> cases{{"0", 0},          {"7", 7},
                                                                {"-7", -7},        {"2147483647", 2147483647},
                                                                {"2147483648", 0}, {"-2147483648", -2147483647 - 1},
                                                                {"", 0},           {"+5", 0},
                                                                {"05", 0},         {"-05", -5},
                                                                {"1.5", 0},        {" 1", 0},
                                                                {"1 ", 0},         {"x", 0},
                                                                {"00", 0},         {"-", 0},
                                                                {"- 1", 0},        {"1e3", 0}};
  for (const auto& [text, cost] : cases) EXPECT_EQ(deletion_cost(text), cost) << text;
  const auto dear = pod("a").annotation(api::kAnnotationPodDeletionCost, "9").ptr();
  EXPECT_EQ(rank_of(*dear, true).deletion_cost, 9);
}

TEST(DeletionCost, DecidesAfterReadinessAndNotInUpdates) {
  const auto cheap = pod("z").ready(-900).annotation(api::kAnnotationPodDeletionCost, "-1").ptr();
  const auto plain = pod("a").ready(-1).ptr();
  const auto broken = pod("b").not_ready().annotation(api::kAnnotationPodDeletionCost, "100").ptr();
  const Rank x = rank_of(*cheap, true), y = rank_of(*plain, true), z = rank_of(*broken, false);
  EXPECT_TRUE(deleted_before(x, y));
  EXPECT_TRUE(deleted_before(z, x));
  EXPECT_TRUE(updated_before(y, x));  // the younger; costs do not count
}

}  // namespace
}  // namespace kruise::workload
