// All controllers of this build on one client, in this process: what simulations and scripts run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.hpp"
#include "client/client.hpp"
#include "runtime/health.hpp"
#include "runtime/manager.hpp"

namespace kruise::session {

/// The controller of a kind, as people name kinds. Throws Refused where none plans it.
[[nodiscard]] std::string controller_of(const std::string& kind);

/// Lives on the client's executor: construction, calls and destruction happen there (or before it runs). Destroying it at any
/// instant is what a crash is: what is in flight is not heard of again.
class Controllers {
 public:
  using Options = runtime::Manager::Options;
  Controllers(client::Client&, Options);

  void start() { manager_.start(); }
  /// Lets running reconciles finish, gives leadership up, then calls `done`.
  void stop(std::function<void()> done) { manager_.stop(std::move(done)); }
  /// All caches have their first list.
  [[nodiscard]] bool ready() const { return manager_.ready(); }
  /// Acts at all: without an election always.
  [[nodiscard]] bool leading() const { return manager_.leading(); }
  /// Why it is not ready; empty when it is.
  [[nodiscard]] std::string complaint() const;
  /// What the controller of the kind would do now; absent when there is no such object. Throws Refused for an unknown kind.
  [[nodiscard]] std::optional<runtime::Plan> plan(const std::string& kind, const api::Key&);
  /// Nothing queued, delayed or running.
  [[nodiscard]] bool idle() const { return manager_.idle(); }
  [[nodiscard]] std::string metrics();

 private:
  client::Client& api_;
  std::uint64_t seed_;
  base::Metrics metrics_;
  runtime::HealthChecks health_;
  runtime::Manager manager_;
};

}  // namespace kruise::session
