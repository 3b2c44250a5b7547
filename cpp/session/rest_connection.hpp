// A connection to a real API server, with the loop on which its answers arrive.
#pragma once

#include <memory>
#include <string>

#include "base/executor.hpp"
#include "client/rest_client.hpp"
#include "session/connection.hpp"

namespace kruise::session {

/// Also what managers and simulated nodes work on: `client()` answers on `loop()`.
class RestConnection final : public Connection {
 public:
  RestConnection(const client::Config&, std::string user_agent);
  [[nodiscard]] std::string request(client::Request, const Poll&) override;
  [[nodiscard]] std::unique_ptr<WatchStream> watch(std::string_view path) override;
  [[nodiscard]] std::string default_namespace() const override { return namespace_; }
  [[nodiscard]] std::string server() const override { return server_; }

  [[nodiscard]] client::RestClient& client() { return client_; }
  [[nodiscard]] base::Loop& loop() { return *loop_; }

 private:
  std::string namespace_;
  std::string server_;
  std::shared_ptr<base::Loop> loop_;
  client::RestClient client_;
};

/// Empty kubeconfig and context: as client::load_config finds them. Throws Refused with one line that names file and field.
[[nodiscard]] std::unique_ptr<RestConnection> open_rest(const std::string& kubeconfig, const std::string& context,
                                                        std::string user_agent = "kruise-python");

}  // namespace kruise::session
