// Runs another program to its end, without a shell.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace kruise::base {

struct Command {
  /// Program and arguments; a program without a slash is looked up on PATH.
  std::vector<std::string> argv;
  /// Added to this process's environment, replacing what has the same name.
  std::vector<std::pair<std::string, std::string>> environment;
  Duration limit = std::chrono::seconds(60);
  /// Of each of stdout and stderr; a program that writes more is ended.
  std::size_t output_bytes_max = 1U << 20U;
  /// Ends the program early, as its limit does.
  std::stop_token stop{};
};

struct CommandResult {
  enum class End : std::uint8_t { kExited, kSignalled, kTimedOut, kTooMuchOutput, kNotStarted, kStopped };
  End end = End::kNotStarted;
  int status = 0;      // exit status, signal, or errno of a start that failed
  std::string output;  // stdout
  std::string errors;  // stderr

  [[nodiscard]] bool ok() const { return end == End::kExited && status == 0; }
  /// "exited with status 1", "was not found", "ran longer than 5s and was ended"
  [[nodiscard]] std::string text() const;
};

/// Blocks until the program has ended; at the limit its whole process group is killed. It has no stdin and inherits no other
/// file. Any thread.
[[nodiscard]] CommandResult run_command(const Command&);

}  // namespace kruise::base
