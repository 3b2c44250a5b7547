#include "base/time.hpp"

#include <gtest/gtest.h>

namespace kruise::base {
namespace {

TEST(Time, SurvivesItsTextForm) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2021-03-01T08:00:00Z", "2000-02-29T23:59:59Z"}) {
    const auto parsed = parse_time(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(format_time(*parsed), text);
  }
}

TEST(Time, ReadsOffsetsAndFractions) {
  EXPECT_EQ(parse_time("2021-03-01T10:00:00+02:00"), parse_time("2021-03-01T08:00:00Z"));
  EXPECT_EQ(format_micro_time(*parse_time("2021-03-01T08:00:00.25Z")), "2021-03-01T08:00:00.250000Z");
}

TEST(Time, TakesTheNearestOfAYearThatNanosecondsDoNotReach) {
  EXPECT_EQ(parse_time("2921-03-01T08:00:00Z"), parse_time("2190-01-01T00:00:00Z"));
  EXPECT_EQ(parse_time("9999-12-31T23:59:60.999999999-23:59"), parse_time("2190-01-01T00:00:00.999999999Z"));
  EXPECT_EQ(format_time(*parse_time("0001-01-01T00:00:00Z")), "1900-01-01T00:00:00Z");
}

TEST(Time, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2021-03-01", "2021-13-01T00:00:00Z", "2021-02-30T00:00:00Z", "2021-03-01T08:00:00", "2021-03-01T08:00:00Zx"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(GoDuration, ReadsAndWritesGoForm) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_go_duration("1h2m3s500ms"), 1h + 2min + 3s + 500ms);
  EXPECT_EQ(parse_go_duration("1.5h"), 90min);
  EXPECT_EQ(parse_go_duration("0"), 0s);
  EXPECT_EQ(parse_go_duration("-2s"), -2s);
  for (const char* text : {"", "5", "s", "1x", "1h2"}) EXPECT_FALSE(parse_go_duration(text)) << text;
  EXPECT_EQ(format_go_duration(90min + 500ms), "1h30m0.5s");
  EXPECT_EQ(format_go_duration(15s), "15s");
}

}  // namespace
}  // namespace kruise::base
