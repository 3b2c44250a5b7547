#include "runtime/held_gauges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string line(const std::string& rule, int held) {
  return "kruise_held_objects{controller=\"c\",rule=\"" + rule + "\"} " + std::to_string(held) + "\n";
}

std::vector<Reason> reasons(const std::vector<std::string>& rules) {
  std::vector<Reason> made;
  made.reserve(rules.size());
  for (const auto& rule : rules) made.push_back({.verdict = Reason::Verdict::kHeld, .object = "pod", .rule = rule, .text = {}});
  return made;
}

TEST(HeldGauges, AddUpTheNewestPlanOfEachKey) {
  base::Metrics metrics;
  {
    HeldGauges gauges(metrics, "c");
    gauges.update({"ns", "a"}, reasons({"partition", "partition", "grace"}));
    gauges.update({"ns", "b"}, reasons({"partition"}));
    EXPECT_THAT(metrics.text(), HasSubstr(line("partition", 3)));
    EXPECT_THAT(metrics.text(), HasSubstr(line("grace", 1)));
    gauges.update({"ns", "a"}, reasons({"grace", "grace"}));
    EXPECT_THAT(metrics.text(), HasSubstr(line("partition", 1)));
    EXPECT_THAT(metrics.text(), HasSubstr(line("grace", 2)));
    gauges.forget({"ns", "a"});
    gauges.forget({"ns", "a"});
    EXPECT_THAT(metrics.text(), HasSubstr(line("grace", 0)));
  }
  EXPECT_THAT(metrics.text(), Not(HasSubstr("kruise_held_objects{"))) << "gone with its controller";
}

TEST(HeldGauges, CountOnlyWhatIsHeld) {
  base::Metrics metrics;
  HeldGauges gauges(metrics, "c");
  gauges.update({"ns", "a"}, {{.verdict = Reason::Verdict::kActing, .object = "p", .rule = "partition", .text = {}}});
  EXPECT_THAT(metrics.text(), Not(HasSubstr("kruise_held_objects{")));
}

}  // namespace
}  // namespace kruise::runtime
