#include "base/crash.hpp"

#include <gtest/gtest.h>

#include <cassert>
#include <csignal>
#include <functional>
#include <stdexcept>

namespace kruise::base {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
TEST(CrashDeathTest, IsLeftToTheSanitizers) { exit_on_crash(2); }
#else
TEST(CrashDeathTest, TellsWhatHappenedAndWhereAndGivesTheStatus) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        exit_on_crash(2);
        std::raise(SIGSEGV);
      },
      testing::ExitedWithCode(2), "fatal signal: Segmentation fault\nstack:\n.*test_base");
  EXPECT_EXIT(
      {
        exit_on_crash(3);
        const std::function<void()> thrower = [] { throw std::runtime_error("broken invariant"); };
        [&]() noexcept { thrower(); }();
      },
      testing::ExitedWithCode(3), "uncaught exception: broken invariant\nstack:\n");
  EXPECT_EXIT(
      {
        exit_on_crash(2);
        assert(1 + 1 == 3);
      },
      testing::ExitedWithCode(2), "1 \\+ 1 == 3.*\nfatal signal: Aborted\nstack:\n");
}
#endif

}  // namespace
}  // namespace kruise::base
