#include "base/executor.hpp"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace kruise::base {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunsTasksInOrderAndTimersWhenDue) {
  Loop loop("test");
  std::vector<int> ran;
  std::promise<void> done;
  loop.run_and_wait([&] {
    loop.post_after(2ms, [&] {
      ran.push_back(3);
      done.set_value();
    });
    loop.post_after(1ms, [&] { ran.push_back(2); });
    loop.post([&] { ran.push_back(1); });
  });
  done.get_future().get();
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST(Loop, ATimerThatIsDueAndHasNotRunCanBeCancelled) {
  Loop loop("test");
  bool second_ran = false;
  loop.run_and_wait([&] {
    auto second = std::make_shared<TimerId>();
    loop.post_after(0ms, [&loop, second] { loop.cancel(*second); });
    *second = loop.post_after(0ms, [&] { second_ran = true; });
  });
  std::promise<void> later;
  loop.post_after(5ms, [&] { later.set_value(); });
  later.get_future().get();
  EXPECT_FALSE(second_ran);
}

TEST(Loop, TimersThatAreAlwaysDueLetTasksThrough) {
  Loop loop("test");
  std::function<void()> again = [&] { loop.post_after(0ms, again); };
  loop.post(again);
  loop.run_and_wait([] {});
}

TEST(VirtualLoop, JumpsToTheNextTimer) {
  VirtualLoop loop{Time{}};
  std::vector<int> ran;
  loop.post_after(1h, [&] { ran.push_back(2); });
  loop.post_after(1min, [&] { ran.push_back(1); });
  EXPECT_TRUE(loop.run_until([&] { return ran.size() == 2; }, 2h));
  EXPECT_EQ(ran, (std::vector{1, 2}));
  EXPECT_EQ(loop.now(), Time{} + 1h);
}

TEST(VirtualLoop, IdleTasksSeeAllOfTheirInstant) {
  VirtualLoop loop{Time{}};
  int seen = 0;
  int events = 0;
  loop.post_idle([&] { seen = events; });
  loop.post([&] { loop.post([&] { events = 2; }); });
  loop.run_for(1s);
  EXPECT_EQ(seen, 2);
}

TEST(VirtualLoop, AsksOnceAnInstantWhenAtRest) {
  VirtualLoop loop{Time{}};
  int asked = 0;
  int ran = 0;
  for (int i = 0; i < 100; ++i) loop.post_after(1s, [&] { ++ran; });
  EXPECT_TRUE(loop.run_until_at_rest([&] { return ++asked > 1 && ran == 100; }, 1min));
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace kruise::base
