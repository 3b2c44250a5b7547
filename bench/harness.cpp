#include "harness.hpp"

#include <ctime>
#include <fstream>
#include <stdexcept>

#include "base/executor.hpp"
#include "base/process.hpp"

namespace kruise::bench {
namespace {

double status_bytes(const std::string& pid, const std::string& name) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024;
  }
  throw std::runtime_error("/proc/" + pid + "/status has no " + name);
}

}  // namespace

double milliseconds(const std::function<void()>& work) {
  const base::SystemClock clock;
  const base::MonoTime begin = clock.mono();
  work();
  return std::chrono::duration<double, std::milli>(clock.mono() - begin).count();
}

double processor_milliseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  };
  const double begin = now();
  work();
  return now() - begin;
}

double resident_bytes(const std::string& pid) { return status_bytes(pid, "VmRSS"); }
double resident_bytes_max() { return status_bytes("self", "VmHWM"); }

std::string run_self(const std::vector<std::string>& arguments) {
  base::Command command;
  command.argv = {"/proc/self/exe"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.limit = std::chrono::minutes(5);
  const base::CommandResult result = base::run_command(command);
  if (!result.ok()) throw std::runtime_error("a sample " + result.text() + ": " + result.errors);
  return result.output;
}

}  // namespace kruise::bench
