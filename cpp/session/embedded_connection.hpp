// A connection to an embedded API server in the same process.
#pragma once

#include <memory>
#include <string>

#include "session/connection.hpp"
#include "session/embedded.hpp"

namespace kruise::session {

/// Does not keep the cluster: once that is gone, calls and open watches end with Refused.
class EmbeddedConnection final : public Connection {
 public:
  /// In virtual time a watch never waits: it is drained when no event is due.
  EmbeddedConnection(std::weak_ptr<Embedded>, std::string user_agent);
  [[nodiscard]] std::string request(client::Request, const Poll&) override;
  [[nodiscard]] std::unique_ptr<WatchStream> watch(std::string_view path) override;
  [[nodiscard]] std::string default_namespace() const override { return "default"; }
  [[nodiscard]] std::string server() const override { return "embedded"; }

 private:
  std::weak_ptr<Embedded> cluster_;
  std::string user_agent_;
};

}  // namespace kruise::session
