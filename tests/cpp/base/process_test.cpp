#include "base/process.hpp"

#include <gtest/gtest.h>

namespace kruise::base {
namespace {

using namespace std::chrono_literals;
using End = CommandResult::End;

Command shell(std::string script) { return Command{.argv = {"sh", "-c", std::move(script)}, .environment = {}}; }

TEST(RunCommand, GivesOutputErrorsAndStatus) {
  const CommandResult result = run_command(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.text(), "exited with status 3");
  EXPECT_TRUE(run_command(shell("true")).ok());
}

TEST(RunCommand, AddsToTheEnvironment) {
  Command command = shell("echo $A; echo $PATH; cat");  // no stdin: cat ends at once
  command.environment = {{"A", "one two"}, {"PATH", "/usr/bin:/bin"}};
  EXPECT_EQ(run_command(command).output, "one two\n/usr/bin:/bin\n");
}

TEST(RunCommand, ArgumentsAreNotAShells) {
  EXPECT_EQ(run_command(Command{.argv = {"printf", "%s", "$HOME; `id`"}, .environment = {}}).output, "$HOME; `id`");
}

TEST(RunCommand, SaysWhatCannotStart) {
  EXPECT_EQ(run_command(Command{.argv = {"/no/such/program"}, .environment = {}}).text(), "was not found");
  EXPECT_EQ(run_command(Command{.argv = {"/etc/passwd"}, .environment = {}}).text(), "could not be started: Permission denied");
}

TEST(RunCommand, EndsTheWholeGroupAtTheLimit) {
  Command command = shell("sleep 600 & sleep 600");
  command.limit = 50ms;
  EXPECT_EQ(run_command(command).end, End::kTimedOut);
}

TEST(RunCommand, DoesNotWaitForADaemonThatKeepsTheOutput) {
  Command command = shell("sleep 5 & echo started");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_command(command).output, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
}

TEST(RunCommand, BoundsTheOutput) {
  Command command = shell("yes");
  command.output_bytes_max = 100'000;
  EXPECT_EQ(run_command(command).end, End::kTooMuchOutput);
}

TEST(RunCommand, ReadsMoreThanAPipeHolds) {
  EXPECT_EQ(run_command(shell("head -c 300000 /dev/zero | tr '\\0' x")).output.size(), 300'000U);
}

TEST(RunCommand, ReportsASignal) {
  const CommandResult result = run_command(shell("kill -TERM $$"));
  EXPECT_EQ(result.end, End::kSignalled);
  EXPECT_EQ(result.status, 15);
}

}  // namespace
}  // namespace kruise::base
