#include "main/profiles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::main {
namespace {

using testing::HasSubstr;

TEST(Profiles, AnswersWhatPprofAsksFor) {
  base::Signal closing;
  const auto ask = [&](const char* path, std::multimap<std::string, std::string> parameters = {}) {
    return answer_profile({path, std::move(parameters)}, closing);
  };
  EXPECT_THAT(ask("/debug/pprof/").body, HasSubstr("/debug/pprof/profile?seconds=N"));
  EXPECT_EQ(ask("/debug/pprof/heap").code, 501);
  EXPECT_THAT(ask("/debug/pprof/heap").body, HasSubstr("heaptrack"));
  EXPECT_EQ(ask("/debug/pprof/goroutine").code, 404);
  EXPECT_EQ(ask("/").code, 404);
  for (const char* wrong : {"0", "301", "x", "", "1.5", "-1"})
    EXPECT_EQ(ask("/debug/pprof/profile", {{"seconds", wrong}}).code, 400) << wrong;
  closing.set();  // the process ends: nobody waits for half a minute
  const auto profile = ask("/debug/pprof/profile");
  EXPECT_EQ(profile.code, 200);
  EXPECT_EQ(profile.content_type, "application/octet-stream");
  EXPECT_THAT(profile.body, HasSubstr("test_main"));  // the memory map names the executable
}

}  // namespace
}  // namespace kruise::main
