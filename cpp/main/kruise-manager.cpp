// The manager: parses its flags, runs, and ends with the status that the specification gives each end.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/host.hpp"
#include "base/log.hpp"
#include "main/flags.hpp"
#include "main/manager_process.hpp"

int main(int argc, char** argv) {
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
  try {
    return kruise::main::run_manager(*flags, signals);
  } catch (const std::exception& error) {
    kruise::base::log::error("manager failed", {{"error", error.what()}});
    return 2;
  }
}
