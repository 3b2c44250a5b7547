#include "client/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace kruise::client {
namespace {

using namespace std::chrono_literals;

TEST(RateLimiter, SpendsTheBurstThenKeepsTheRate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  base::MonoTime now{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.reserve("a", now), 0ns);
  EXPECT_EQ(limiter.reserve("a", now), 100ms);
  EXPECT_EQ(limiter.reserve("a", now), 200ms);
  now += 1s;  // the debt of two is paid, three are full
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.reserve("a", now), 0ns);
  EXPECT_EQ(limiter.reserve("a", now), 100ms);
}

TEST(RateLimiter, CallersHaveTheirOwnBuckets) {
  RateLimiter limiter({.per_second = 1, .burst = 1});
  const base::MonoTime now{};
  EXPECT_EQ(limiter.reserve("a", now), 0ns);
  EXPECT_EQ(limiter.reserve("b", now), 0ns);
  EXPECT_EQ(limiter.reserve("a", now), 1s);
}

}  // namespace
}  // namespace kruise::client
