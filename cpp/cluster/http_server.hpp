// The embedded API server on a port: plain HTTP/1.1, for kubectl and any other client on this machine.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cluster/api_server.hpp"
#include "cluster/faults.hpp"

namespace kruise::cluster {

/// Serves from construction until destruction, on threads of its own: one a connection, as many as there are at once.
class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // nobody is asked for credentials: think twice before opening it wider
    int port = 0;                    // 0: any that is free
    std::shared_ptr<FaultPlan> faults = {};
  };
  /// Throws std::runtime_error naming the address when it cannot be bound.
  HttpServer(ApiServer&, const Options&);
  /// Ends open watches and connections; returns when no request is being answered any more.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;
  /// "http://127.0.0.1:40001"
  [[nodiscard]] std::string url() const;
  /// Watches whose clients are connected.
  [[nodiscard]] std::size_t open_watches() const;
  /// A kubeconfig that leads here.
  [[nodiscard]] std::string kubeconfig() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster
