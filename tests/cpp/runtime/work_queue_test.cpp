#include "runtime/work_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct WorkQueueTest : testing::Test {
  base::VirtualLoop loop{base::Time{}};
  base::Metrics metrics;
  WorkQueue queue{"web-controller", {}, loop, metrics};
  const api::Key a{"ns", "a"}, b{"ns", "b"}, c{"ns", "c"};

  std::vector<std::string> take_all() {
    std::vector<std::string> names;
    while (auto taken = queue.take()) {
      names.push_back(taken->key.name);
      queue.done(taken->key);
    }
    return names;
  }
  /// When the queue next has a key, at most an hour from now.
  base::Duration time_to_ready() {
    const auto from = loop.mono();
    return loop.run_until([&] { return queue.depth() > 0; }, 1h) ? loop.mono() - from : base::Duration{-1};
  }
};

TEST_F(WorkQueueTest, AKeyIsInLineOnce) {
  queue.add(a, Cause::kChange);
  queue.add(b, Cause::kChange);
  queue.add(a, Cause::kChange);
  EXPECT_EQ(queue.depth(), 2U);
  EXPECT_THAT(take_all(), ElementsAre("a", "b"));
  EXPECT_TRUE(queue.idle());
}

TEST_F(WorkQueueTest, TheUrgentGoFirstAlsoWhenTheyBecomeSoLater) {
  queue.add(a, Cause::kResync);
  queue.add(b, Cause::kChange);
  queue.add(c, Cause::kResync);
  queue.add(c, Cause::kUserEdit);
  queue.add(b, Cause::kResync);
  EXPECT_EQ(queue.depth(), 3U);
  EXPECT_THAT(take_all(), ElementsAre("c", "b", "a"));
}

TEST_F(WorkQueueTest, NamedWhileProcessedItComesAgainAfterwards) {
  queue.add(a, Cause::kChange);
  ASSERT_TRUE(queue.take());
  queue.add(a, Cause::kResync);
  queue.add(a, Cause::kUserEdit);
  EXPECT_FALSE(queue.take());
  queue.done(a);
  const auto again = queue.take();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cause, Cause::kUserEdit);
  queue.done(a);
  EXPECT_TRUE(queue.idle());
}

TEST_F(WorkQueueTest, TheEarliestDelayHolds) {
  queue.add_after(a, 10s, Cause::kChange);
  queue.add_after(a, 3s, Cause::kChange);
  queue.add_after(a, 5s, Cause::kChange);
  EXPECT_EQ(time_to_ready(), 3s);
  EXPECT_THAT(take_all(), ElementsAre("a"));
  EXPECT_EQ(time_to_ready(), -1ns);
}

TEST_F(WorkQueueTest, TakingAKeyVoidsItsDelay) {
  queue.add_after(a, 10s, Cause::kChange);
  queue.add(a, Cause::kChange);
  EXPECT_THAT(take_all(), ElementsAre("a"));
  EXPECT_EQ(time_to_ready(), -1ns);
}

TEST_F(WorkQueueTest, BackOffDoublesUpToItsMost) {
  std::vector<base::Duration> delays;
  for (int i = 0; i < 20; ++i) {
    queue.add_rate_limited(a);
    delays.push_back(time_to_ready());
    take_all();
  }
  EXPECT_EQ(delays[0], 5ms);
  EXPECT_EQ(delays[1], 10ms);
  EXPECT_EQ(delays[10], 5120ms);
  EXPECT_EQ(delays[17], 655360ms);
  EXPECT_EQ(delays[18], 1000s);
  EXPECT_EQ(delays[19], 1000s);
  EXPECT_EQ(queue.failures(a), 20);
  queue.forget(a);
  EXPECT_TRUE(queue.idle());
  queue.add_rate_limited(a);
  EXPECT_EQ(time_to_ready(), 5ms);
}

TEST_F(WorkQueueTest, EasedTheBackOffIsNoLongerThanGiven) {
  struct Case {
    int failures;
    base::Duration most;
    base::Duration next;
  };
  for (const auto& [failures, most, next] : {Case{0, 1s, 5ms}, Case{3, 1s, 40ms}, Case{7, 1s, 640ms}, Case{8, 1s, 640ms},
                                             Case{30, 1s, 640ms}, Case{30, 0s, 5ms}, Case{30, 1h, 1000s}}) {
    SCOPED_TRACE(failures);
    for (int i = 0; i < failures; ++i) {
      queue.add_rate_limited(a);
      time_to_ready();
      take_all();
    }
    queue.ease(a, most);
    EXPECT_EQ(queue.failures(a), failures);
    queue.add_rate_limited(a);
    EXPECT_EQ(time_to_ready(), next);
    take_all();
    queue.forget(a);
    EXPECT_TRUE(queue.idle());
  }
}

TEST_F(WorkQueueTest, ManyFailingKeysShareABucketAndDelayNoOther) {
  for (int i = 0; i < 120; ++i) queue.add_rate_limited({"ns", std::to_string(i)});
  queue.add(a, Cause::kChange);
  EXPECT_THAT(take_all(), ElementsAre("a"));
  loop.run_for(5ms);
  EXPECT_EQ(take_all().size(), 100U);
  loop.run_for(1s - 5ms);
  EXPECT_EQ(take_all().size(), 10U);
  loop.run_for(1s);
  EXPECT_EQ(take_all().size(), 10U);
}

TEST_F(WorkQueueTest, AnnouncesOnceAnInstantAfterEverythingElse) {
  int calls = 0;
  std::size_t seen = 0;
  queue.on_ready([&] {
    ++calls;
    seen = queue.depth();
  });
  queue.add(a, Cause::kChange);
  loop.post([&] { queue.add(b, Cause::kChange); });
  loop.run_for(0s);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, 2U);
}

TEST_F(WorkQueueTest, Counts) {
  queue.add(a, Cause::kChange);
  queue.add(b, Cause::kChange);
  loop.run_for(2s);
  ASSERT_TRUE(queue.take());
  loop.run_for(3s);
  queue.add(a, Cause::kChange);
  const std::string page = metrics.text();
  for (const char* line : {"workqueue_depth{name=\"web-controller\"} 1\n", "workqueue_adds_total{name=\"web-controller\"} 2\n",
                           "workqueue_longest_running_processor_seconds{name=\"web-controller\"} 3\n",
                           "workqueue_unfinished_work_seconds{name=\"web-controller\"} 3\n",
                           "workqueue_queue_duration_seconds_sum{name=\"web-controller\"} 2\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
  queue.done(a);
  EXPECT_THAT(metrics.text(), HasSubstr("workqueue_adds_total{name=\"web-controller\"} 3\n"));
}

TEST(WorkQueue, LeavesNothingBehind) {
  base::VirtualLoop loop{base::Time{}};
  base::Metrics metrics;
  {
    WorkQueue queue("gone", {}, loop, metrics);
    queue.on_ready([] { FAIL(); });
    queue.add_after({"ns", "a"}, 1s, Cause::kChange);
    queue.add({"ns", "b"}, Cause::kChange);
  }
  loop.run_for(10s);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("workqueue_depth")));
}

}  // namespace
}  // namespace kruise::runtime
