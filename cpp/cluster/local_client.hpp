// A client of an embedded API server in the same process, with the same
// requests, bytes and errors as over HTTP.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "client/client.hpp"
#include "cluster/api_server.hpp"

namespace kruise::cluster {

/// What an injected fault does to one request or watch event.
struct Fault {
  enum class Kind : std::uint8_t { kNone, kRefuse, kBreakAfterWrite, kAnswer, kDelay };
  Kind kind = Kind::kNone;
  int code = 0;             // kAnswer: 409, 429, 500, ...
  base::Duration delay{0};  // kDelay, and latency before any other kind
};

/// Answers arrive on the executor as tasks of their own; with a VirtualLoop
/// everything is deterministic.
class LocalClient final : public client::Client {
 public:
  LocalClient(ApiServer&, base::Executor&);
  ~LocalClient() override;
  void send(client::Request, client::Done) override;
  [[nodiscard]] std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler&) override;
  [[nodiscard]] base::Executor& executor() override;
  /// Asked before each request; empty: no faults.
  void inject(std::function<Fault(const client::Request&)>);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kruise::cluster
