#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/metrics.hpp"

namespace kruise::base {
namespace {

/// The fields of /proc/self/stat that follow the command's name: index 0 is the state, field 3 of proc(5).
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto close = text.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream rest(text.substr(close + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double stat_field(std::size_t number) {  // as numbered by proc(5)
  const auto fields = stat_fields();
  const std::size_t index = number - 3;
  return index < fields.size() ? std::strtod(fields[index].c_str(), nullptr) : 0;
}

double boot_time_s() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("btime ", 0) == 0) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

double open_files() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  double count = -3;  // ".", ".." and the directory itself
  while (readdir(dir) != nullptr) count += 1;
  closedir(dir);
  return count;
}

}  // namespace

void add_process_metrics(Metrics& metrics) {
  static const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  metrics.gauge_function("process_resident_memory_bytes", "Resident memory size in bytes.", {},
                         [] { return stat_field(24) * page; });
  metrics.gauge_function("process_virtual_memory_bytes", "Virtual memory size in bytes.", {}, [] { return stat_field(23); });
  metrics.gauge_function("process_open_fds", "Number of open file descriptors.", {}, open_files);
  metrics.gauge_function("process_max_fds", "Maximum number of open file descriptors.", {}, [] {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0.0;
  });
  metrics.gauge_function("process_start_time_seconds", "Start time of the process since the epoch in seconds.", {},
                         [] { return boot_time_s() + stat_field(22) / ticks; });
  metrics.counter_function("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", {},
                           [] { return (stat_field(14) + stat_field(15)) / ticks; });
}

}  // namespace kruise::base
