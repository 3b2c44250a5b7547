// What the probes answer, and the pages of metrics and profiles: functions from a query to a reply, without sockets.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http_listener.hpp"

namespace kruise::runtime {

/// Named conditions for being ready. Any thread.
class HealthChecks {
 public:
  void pass(const std::string& name);
  /// `reason` is shown where the check is asked for alone, and in the log.
  void fail(const std::string& name, const std::string& reason);
  void remove(const std::string& name);

  struct Check {
    std::string name;
    std::optional<std::string> failure;
  };
  /// In order of name.
  [[nodiscard]] std::vector<Check> all() const;

 private:
  mutable std::mutex mutex_;  // guards checks_
  std::map<std::string, std::optional<std::string>> checks_;
};

/// /readyz, /readyz/NAME, /healthz; ?verbose, ?exclude=NAME. Everything else: 404.
[[nodiscard]] HttpReply answer_probe(const HealthChecks&, const HttpQuery&);

}  // namespace kruise::runtime
