// A connection to an embedded API server in the same process.
#pragma once

#include <memory>
#include <string>

#include "cluster/api_server.hpp"
#include "session/connection.hpp"

namespace kruise::session {

class EmbeddedConnection final : public Connection {
 public:
  /// With `blocking` false (virtual time) a watch never waits: it is drained when no event is due.
  EmbeddedConnection(std::shared_ptr<cluster::ApiServer>, std::string user_agent, bool blocking);
  [[nodiscard]] std::string request(std::string_view method, std::string_view path, std::string_view content_type,
                                    std::string body, const Poll&) override;
  [[nodiscard]] std::unique_ptr<WatchStream> watch(std::string_view path) override;
  [[nodiscard]] std::string default_namespace() const override { return "default"; }
  [[nodiscard]] std::string server() const override { return "embedded"; }

 private:
  std::shared_ptr<cluster::ApiServer> api_;
  std::string user_agent_;
  bool blocking_;
};

}  // namespace kruise::session
