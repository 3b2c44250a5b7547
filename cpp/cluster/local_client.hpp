// A client of an embedded API server in the same process, with the same
// requests, bytes and errors as over HTTP.
#pragma once

#include <functional>
#include <memory>

#include "client/client.hpp"
#include "cluster/api_server.hpp"
#include "cluster/faults.hpp"

namespace kruise::cluster {

/// Answers arrive on the executor as tasks of their own; with a VirtualLoop
/// everything is deterministic.
class LocalClient final : public client::Client {
 public:
  LocalClient(ApiServer&, base::Executor&);
  /// Lists and watches come from `view` (which lags behind, but for what asks for the present), the rest goes to the head.
  LocalClient(ApiServer& head, ApiServer& view, base::Executor&);
  ~LocalClient() override;
  void send(client::Request, client::Done) override;
  [[nodiscard]] std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler&) override;
  [[nodiscard]] base::Executor& executor() override;
  /// Told of each request before it is sent, of those tried again each time; empty: nobody is.
  void on_attempt(std::function<void(const client::Request&)>);
  /// Asked before each request; empty: no faults.
  void inject(std::function<Fault(const client::Request&)>);
  /// Asked before each request and each event of a watch; null: no faults.
  void inject(std::shared_ptr<FaultPlan>);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kruise::cluster
