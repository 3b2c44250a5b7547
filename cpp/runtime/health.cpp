#include "runtime/health.hpp"

#include <algorithm>

namespace kruise::runtime {
namespace {

constexpr std::string_view kReady = "/readyz";

HttpReply not_found() { return {404, "404 page not found\n"}; }

HttpReply answer_one(const HealthChecks& checks, std::string_view name) {
  for (const auto& check : checks.all()) {
    if (check.name != name) continue;
    if (!check.failure) return {200, "ok"};
    return {500, "internal server error: " + *check.failure + "\n"};
  }
  return not_found();
}

HttpReply answer_all(const HealthChecks& checks, const HttpQuery& query) {
  const auto [first, last] = query.parameters.equal_range("exclude");
  std::vector<std::string> excluded;
  for (auto at = first; at != last; ++at) excluded.push_back(at->second);

  std::string lines;
  bool failed = false;
  for (const auto& check : checks.all()) {
    if (std::erase(excluded, check.name) > 0) {
      lines += "[+]" + check.name + " excluded: ok\n";
    } else if (check.failure) {
      lines += "[-]" + check.name + " failed: reason withheld\n";
      failed = true;
    } else {
      lines += "[+]" + check.name + " ok\n";
    }
  }
  std::string unknown;
  for (const auto& name : excluded) unknown += (unknown.empty() ? "\"" : ",\"") + name + "\"";
  if (!unknown.empty()) lines += "warn: some health checks cannot be excluded: no matches for " + unknown + "\n";
  if (failed) return {500, lines + "healthz check failed\n"};
  if (query.parameters.contains("verbose")) return {200, lines + "healthz check passed\n"};
  return {200, "ok"};
}

}  // namespace

void HealthChecks::pass(const std::string& name) {
  const std::lock_guard lock(mutex_);
  checks_[name].reset();
}

void HealthChecks::fail(const std::string& name, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  checks_[name] = reason;
}

void HealthChecks::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  checks_.erase(name);
}

std::vector<HealthChecks::Check> HealthChecks::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Check> all;
  all.reserve(checks_.size());
  for (const auto& [name, failure] : checks_) all.push_back({name, failure});
  return all;
}

HttpReply answer_probe(const HealthChecks& checks, const HttpQuery& query) {
  std::string_view path = query.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/healthz") return {200, "ok"};
  if (path == kReady) return answer_all(checks, query);
  if (path.starts_with("/readyz/")) return answer_one(checks, path.substr(kReady.size() + 1));
  return not_found();
}

}  // namespace kruise::runtime
