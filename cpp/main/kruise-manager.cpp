// The manager: parses its flags, runs, and ends with the status that the specification gives each end.
#include <cstdio>
#include <string>
#include <vector>

#include "base/crash.hpp"
#include "base/environment.hpp"
#include "base/host.hpp"
#include "base/log.hpp"
#include "main/flags.hpp"
#include "main/manager_process.hpp"

/// What it throws is a mistake of ours: nobody takes it, so that the stack is that of the throw.
int main(int argc, char** argv) noexcept {
  kruise::base::exit_on_crash(2);
  kruise::base::prefer_small_memory();
  kruise::base::StopSignals signals;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto flags = kruise::main::parse_manager_flags(arguments, kruise::base::environment("CUSTOM_RESOURCE_ENABLE"));
  if (!flags) {
    std::fputs(flags.error().text.c_str(), flags.error().to_stdout ? stdout : stderr);
    return flags.error().status;
  }
  kruise::base::log::configure(flags->log);
  for (const auto& note : flags->notes) kruise::base::log::warning("flags", {{"note", note}});
  return kruise::main::run_manager(*flags, signals);
}
