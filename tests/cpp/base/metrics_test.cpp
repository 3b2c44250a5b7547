#include "base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::base {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, WritesEachTypeAsPrometheusReadsIt) {
  Metrics metrics;
  metrics.counter("b_total", "Counts b.", {{"code", "200"}, {"path", "a\"b\\c\nd"}}).add(2);
  metrics.gauge("a", "Is\na.").set(-0.5);
  auto& h = metrics.histogram("c_seconds", "Takes c.", {0.1, 1}, {{"name", "x"}});
  h.observe(0.1);
  h.observe(0.5);
  h.observe(7);
  EXPECT_EQ(metrics.text(),
            "# HELP a Is\\na.\n# TYPE a gauge\na -0.5\n"
            "# HELP b_total Counts b.\n# TYPE b_total counter\nb_total{code=\"200\",path=\"a\\\"b\\\\c\\nd\"} 2\n"
            "# HELP c_seconds Takes c.\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{name=\"x\",le=\"0.1\"} 1\nc_seconds_bucket{name=\"x\",le=\"1\"} 2\n"
            "c_seconds_bucket{name=\"x\",le=\"+Inf\"} 3\nc_seconds_sum{name=\"x\"} 7.6\nc_seconds_count{name=\"x\"} 3\n");
}

TEST(Metrics, TheSameLabelsAreTheSameSeries) {
  Metrics metrics;
  metrics.counter("n", "N.", {{"a", "1"}}).add();
  metrics.counter("n", "N.", {{"a", "1"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("n{a=\"1\"} 2\n"));
}

TEST(Metrics, CapsWhatUsersCanMakeGrow) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kSeriesMax + 5; ++i) metrics.counter("n", "N.", {{"user", std::to_string(i)}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("n{user=\"other\"} 5\n"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("user=\"1000\"")));
}

TEST(Metrics, ForgetsARemovedSeriesUntilItIsUsedAgain) {
  Metrics metrics;
  metrics.gauge("depth", "D.", {{"name", "x"}}).set(3);
  metrics.remove_series("depth", {{"name", "x"}});
  EXPECT_EQ(metrics.text(), "");
  metrics.gauge("depth", "D.", {{"name", "x"}}).add(1);
  EXPECT_THAT(metrics.text(), HasSubstr("depth{name=\"x\"} 4\n"));
}

TEST(Metrics, TellsOfTheProcess) {
  Metrics metrics;
  add_process_metrics(metrics);
  const std::string page = metrics.text();
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds "}) {
    EXPECT_THAT(page, HasSubstr(std::string("\n") + name));
  }
  EXPECT_THAT(page, Not(HasSubstr("process_resident_memory_bytes 0\n")));
}

}  // namespace
}  // namespace kruise::base
