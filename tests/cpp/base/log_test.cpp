// The form of the lines, which log collectors parse.
#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::base::log {
namespace {

using testing::MatchesRegex;

std::string written(Format format, const std::function<void()>& say) {
  configure({.format = format, .verbosity = 2});
  testing::internal::CaptureStderr();
  say();
  configure({});
  return testing::internal::GetCapturedStderr();
}

TEST(Log, TextLinesAreThoseOfKubernetesComponents) {
  const auto line = [](const std::function<void()>& say) { return written(Format::kText, say); };
  const std::string head =
      R"([0-9][0-9][0-9][0-9] [0-9]+:[0-9]+:[0-9]+\.[0-9][0-9][0-9][0-9][0-9][0-9] +[0-9]+ log_test\.cpp:[0-9]+\] )";
  EXPECT_THAT(line([] { info("pod updated", {{"pod", "web-1"}, {"restarts", 3}, {"ready", true}}); }),
              MatchesRegex("I" + head + R"("pod updated" pod="web-1" restarts=3 ready=true)" + "\n"));
  EXPECT_THAT(line([] { info("pod updated", {{"pod", Object{"shop", "web-1"}}, {"node", Object{"", "n1"}}}); }),
              MatchesRegex("I" + head + R"("pod updated" pod="shop/web-1" node="n1")" + "\n"));
  EXPECT_THAT(line([] { warning("slow"); }), MatchesRegex("W" + head + "\"slow\"\n"));
  EXPECT_THAT(line([] { error("broken", {{"error", "a \"quoted\"\nline"}}); }),
              MatchesRegex("E" + head + R"("broken" error="a \\"quoted\\"\\nline")" + "\n"));
  EXPECT_THAT(line([] { debug(2, "decided"); }), MatchesRegex("I" + head + "\"decided\"\n"));
  EXPECT_EQ(line([] { debug(3, "noise"); }), "");
}

TEST(Log, JsonLinesAreThoseOfKubernetesComponents) {
  const auto line = [](const std::function<void()>& say) { return written(Format::kJson, say); };
  const std::string head = R"(\{"ts":[0-9]+\.[0-9][0-9][0-9],"caller":"log_test\.cpp:[0-9]+","msg":)";
  EXPECT_THAT(line([] { info("pod updated", {{"pod", "web-1"}}); }),
              MatchesRegex(head + R"("pod updated","v":0,"pod":"web-1"\})" + "\n"));
  EXPECT_THAT(
      line([] { info("pod updated", {{"pod", Object{"shop", "web-1"}}, {"node", Object{"", "n1"}}}); }),
      MatchesRegex(head + R"("pod updated","v":0,"pod":\{"name":"web-1","namespace":"shop"\},"node":\{"name":"n1"\}\})" + "\n"));
  EXPECT_THAT(line([] { debug(2, "decided"); }), MatchesRegex(head + R"("decided","v":2\})" + "\n"));
  EXPECT_THAT(line([] { warning("slow"); }), MatchesRegex(head + R"("slow","v":0,"level":"warning"\})" + "\n"));
  EXPECT_THAT(line([] { error("broken", {{"object", "web"}, {"error", "why"}}); }),
              MatchesRegex(head + R"("broken","object":"web","err":"why"\})" + "\n"));
  EXPECT_THAT(line([] { error("broken"); }), MatchesRegex(head + R"("broken","err":""\})" + "\n"));
}

}  // namespace
}  // namespace kruise::base::log
