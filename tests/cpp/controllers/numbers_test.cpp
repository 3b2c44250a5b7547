#include "controllers/cloneset/numbers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace kruise::controllers::cloneset {
namespace {

/// Pods in short: "4o 1o*" is four old ones and one old one planned for
/// deletion. After the count: o old, n new, then
/// `!` not available, `*` planned, `pd` PreparingDelete, `pu` PreparingUpdate.
struct Pods {
  Group updated;
  Group old;
};

enum class Phase : bool { kUpdate, kScaleCountingPreparingUpdate };

Pods pods(const std::string& text, Phase phase = Phase::kUpdate) {
  Pods result;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::size_t at = 0;
    const int many = std::stoi(word, &at);
    bool is_new = word.at(at) == 'n';
    const std::string marks = word.substr(at + 1);
    const bool preparing_update = marks.find("pu") != std::string::npos;
    const bool preparing_delete = marks.find("pd") != std::string::npos;
    Counted pod{.preparing_delete = preparing_delete,
                .planned = marks.find('*') != std::string::npos,
                .available = marks.find('!') == std::string::npos && !preparing_update && !preparing_delete};
    if (preparing_update && phase == Phase::kScaleCountingPreparingUpdate) is_new = true;
    for (int i = 0; i < many; ++i) count(is_new ? result.updated : result.old, pod);
  }
  return result;
}

std::string show(const Numbers& n) {
  std::ostringstream out;
  out << n.surge_used << '/' << n.surge_used_old << " · " << n.create << '/' << n.create_old << '/' << n.create_limit << " · "
      << n.remove << '/' << n.remove_old << '/' << n.ready_deletable << " · " << n.update << '/' << n.update_max;
  return out.str();
}

struct Case {
  std::int64_t replicas;
  api::IntOrString partition, max_unavailable, surge;
  std::string pods;
  std::string expected;
  Switches switches = {};
  Phase phase = Phase::kUpdate;
  std::optional<api::IntOrString> scale_max_unavailable = {};
  bool paused = false;
};

const Switches kAtRest{.at_rest = true};
const Switches kRollback{.partition_rollback = true};
const Switches kExclude{.exclude_preparing_delete = true};

// CloneSet §27.3; the last rows §26, 0.5: the surge was wrong for a partition above replicas.
TEST(NumbersTest, Table) {
  const Case cases[] = {
      {5, 0, 1, 0, "", "0/0 · 5/0/5 · 0/0/0 · 0/0"},
      {5, 3, 1, 1, "5o", "1/0 · 1/0/1 · 0/0/0 · 2/1"},
      {5, 3, 1, 1, "5o 1n!", "1/0 · 0/0/0 · 0/0/0 · 1/2"},
      {5, 3, 1, 1, "4o 1o* 1n!", "1/1 · 0/0/0 · 0/0/1 · 1/2"},
      {5, 3, 1, 1, "4o 1n 1n!", "0/0 · 0/0/0 · 1/1/1 · 0/0"},
      {5, 0, 0, 1, "1n* 4n", "1/0 · 1/0/1 · 0/0/0 · 0/0", kAtRest},
      {5, 0, 0, 1, "1n* 4n 1n!", "1/0 · 0/0/0 · 0/0/0 · 0/0", kAtRest},
      {4, 0, 1, 0, "2n!* 3n", "0/0 · 0/0/0 · 0/0/2 · 0/0", kAtRest},
      {5, 4, 2, 0, "4n 1o", "0/0 · 0/0/0 · 0/0/0 · -3/2", kRollback},
      {5, 4, 2, 0, "4n 1o", "0/0 · 0/0/0 · 0/0/0 · 0/0"},
      {6, 0, 1, 0, "2n 1n!", "0/0 · 3/0/1 · 0/0/0 · 0/0", {}, Phase::kUpdate, 2},
      {5, 0, 0, 3, "3o", "0/0 · 2/0/2 · 0/0/0 · 3/-2", {}, Phase::kUpdate, {}, true},
      {5, "99%", "40%", "30%", "5o", "1/0 · 1/0/1 · 0/0/0 · 1/2"},
      {10, "25%", "25%", "25%", "10o", "3/0 · 3/0/3 · 0/0/0 · 7/2"},
      {10, "25%", "25%", "25%", "10o 3n!", "3/0 · 0/0/0 · 0/0/0 · 4/5"},
      {3, 0, 1, 0, "2n 1npd*", "0/0 · 0/0/0 · 0/0/0 · 0/0"},
      {3, 0, 1, 0, "2n 1npd*", "0/0 · 1/0/1 · 0/0/0 · 0/0", kExclude},
      {4, 2, 1, 0, "1opu 2o", "0/0 · 1/0/1 · 0/0/0 · 0/0", {}, Phase::kScaleCountingPreparingUpdate},
      {4, 2, 1, 0, "1opu 2o", "0/0 · 1/0/1 · 0/0/0 · 1/0"},
      {5, 1, 1, 0, "3o 3n", "0/0 · 0/0/0 · 1/2/2 · 1/2"},
      {3, 5, 1, 0, "5o", "0/0 · 0/0/0 · 2/2/3 · 0/0"},
      {3, 5, 1, 2, "3o", "0/0 · 0/0/0 · 0/0/0 · 0/0"},
      {3, 5, 1, 2, "2o", "0/0 · 1/1/1 · 0/0/0 · 0/0"},
  };
  for (const Case& c : cases) {
    const auto targets = resolve({.replicas = c.replicas,
                                  .partition = c.partition,
                                  .max_unavailable = c.max_unavailable,
                                  .max_surge = c.surge,
                                  .scale_max_unavailable = c.scale_max_unavailable,
                                  .paused = c.paused});
    ASSERT_TRUE(targets.ok()) << targets.error();
    const Pods p = pods(c.pods, c.phase);
    EXPECT_EQ(show(numbers(p.updated, p.old, *targets, c.switches)), c.expected) << "R " << c.replicas << ", pods " << c.pods;
  }
}

// CloneSet §27.3 (percentages), §26, 1.2 and 1.4: 99 % of few pods updated none, "0.5%" was refused.
TEST(NumbersTest, PartitionPercentages) {
  const auto partition = [](const char* text) { return resolve({.replicas = 5, .partition = text})->partition; };
  EXPECT_EQ(partition("100%"), 5);
  EXPECT_EQ(partition("100.0%"), 4);  // only the exact text keeps all
  EXPECT_EQ(partition("120%"), 5);    // looked at before the clamp
  EXPECT_EQ(partition("99%"), 4);
  EXPECT_EQ(partition("0.5%"), 1);
  EXPECT_EQ(resolve({.replicas = 1, .partition = "50%"})->partition, 1);
  EXPECT_EQ(resolve({.replicas = 100, .partition = "7%"})->partition,
            7);  // N × total ÷ 100, not N ÷ 100 × total
  EXPECT_EQ(resolve({.replicas = 50, .partition = "14%"})->partition, 7);
  EXPECT_EQ(resolve({.replicas = 3, .partition = 8})->partition, 3);
}

// CloneSet §26, by reading: maxUnavailable read whole percentages only.
TEST(NumbersTest, RoundingOfMaxUnavailableDependsOnSurge) {
  EXPECT_EQ(resolve({.replicas = 5, .max_unavailable = "10%"})->max_unavailable, 1);
  EXPECT_EQ(resolve({.replicas = 5, .max_unavailable = "10%", .max_surge = 1})->max_unavailable, 0);
  EXPECT_EQ(resolve({.replicas = 5, .max_unavailable = "12.5%"})->max_unavailable, 1);
  EXPECT_EQ(resolve({.replicas = 10})->max_unavailable, 2);  // the default, 20 %
  EXPECT_EQ(resolve({.replicas = 10, .max_unavailable = -3})->max_unavailable, 0);
  EXPECT_EQ(resolve({.replicas = 10, .max_surge = -3})->surge, 0);
  EXPECT_EQ(resolve({.replicas = 10, .max_surge = 3, .paused = true})->surge, 0);
  EXPECT_EQ(resolve({})->replicas, 1);
}

TEST(NumbersTest, FaultsNameTheField) {
  const auto error = [](Strategy s) {
    const auto result = resolve(s);
    return result.ok() ? std::string("accepted") : result.error();
  };
  EXPECT_THAT(error({.partition = "5"}), testing::HasSubstr("spec.updateStrategy.partition: \"5\""));
  EXPECT_THAT(error({.partition = -1}), testing::HasSubstr("spec.updateStrategy.partition: -1 is negative"));
  EXPECT_THAT(error({.max_unavailable = "x%"}), testing::HasSubstr("spec.updateStrategy.maxUnavailable"));
  EXPECT_THAT(error({.max_surge = ""}), testing::HasSubstr("spec.updateStrategy.maxSurge"));
  EXPECT_THAT(error({.scale_max_unavailable = "many"}), testing::HasSubstr("spec.scaleStrategy.maxUnavailable"));
  EXPECT_THAT(error({.replicas = -1}), testing::HasSubstr("spec.replicas"));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
