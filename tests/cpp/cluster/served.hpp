// An embedded API server on a port, and waiting for what must come true.
#pragma once

#include <functional>
#include <memory>

#include "base/thread.hpp"
#include "cluster/api.hpp"
#include "cluster/http_server.hpp"

namespace kruise::cluster::testing {

/// Waits in small steps, long enough for a slow machine, for what must come true.
inline bool comes_true(const std::function<bool()>& condition, base::Duration limit = std::chrono::seconds(20)) {
  base::Signal never;
  const base::SystemClock clock;
  for (const auto end = clock.mono() + limit; clock.mono() < end;) {
    if (condition()) return true;
    static_cast<void>(never.wait_for(std::chrono::milliseconds(5)));
  }
  return condition();
}

struct Served : Api {
  explicit Served(std::shared_ptr<FaultPlan> plan = {})
      : faults(std::move(plan)), http(std::make_unique<HttpServer>(server, HttpServer::Options{.faults = faults})) {}

  /// Ends the server, with every connection that it has.
  void stop() { http.reset(); }
  /// Serves again where an earlier server did.
  void serve_at(int port) { http = std::make_unique<HttpServer>(server, HttpServer::Options{.port = port, .faults = faults}); }

  std::shared_ptr<FaultPlan> faults;
  std::unique_ptr<HttpServer> http;
};

}  // namespace kruise::cluster::testing
