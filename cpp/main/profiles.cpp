#include "main/profiles.hpp"

#include <algorithm>
#include <charconv>

#include "base/cpu_profile.hpp"

namespace kruise::main {
namespace {

constexpr int kSecondsDefault = 30;
constexpr int kSecondsMax = 300;

constexpr std::string_view kIndex =
    "/debug/pprof/profile?seconds=N  where CPU time goes, for pprof (gperftools' form)\n"
    "/debug/pprof/heap               not served\n";

runtime::HttpReply cpu(const runtime::HttpQuery& query, base::Signal& closing) {
  int seconds = kSecondsDefault;
  if (const auto given = query.parameters.find("seconds"); given != query.parameters.end()) {
    const std::string& text = given->second;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || seconds < 1 || seconds > kSecondsMax)
      return {400, "seconds must be a whole number from 1 to " + std::to_string(kSecondsMax) + "\n"};
  }
  auto profile = base::cpu_profile(std::chrono::seconds(seconds), closing);
  if (!profile) return {503, "another CPU profile is being taken\n"};
  return {200, std::move(*profile), "application/octet-stream"};
}

}  // namespace

runtime::HttpReply answer_profile(const runtime::HttpQuery& query, base::Signal& closing) {
  if (query.path == "/debug/pprof" || query.path == "/debug/pprof/") return {200, std::string(kIndex)};
  if (query.path == "/debug/pprof/profile") return cpu(query, closing);
  if (query.path == "/debug/pprof/heap" || query.path == "/debug/pprof/allocs") {
    return {501, "this manager keeps no record of its allocations; `heaptrack -p PID` writes a profile of them\n"};
  }
  return {404, "404 page not found\n"};
}

}  // namespace kruise::main
