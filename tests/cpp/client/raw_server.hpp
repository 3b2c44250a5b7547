// A server whose every byte the test decides: for answers that are broken, cut, slow or refused.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "client/certificates.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace kruise::client::test {

struct Received {
  std::string method;
  std::string path;
  std::string head;  // request line and headers
  std::string body;
  [[nodiscard]] bool has_header(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class Connection {
 public:
  explicit Connection(int fd, ssl_st* tls = nullptr) : fd_(fd), tls_(tls) {}
  /// The next request with its body; absent when the client has gone.
  std::optional<Received> receive();
  /// False when the client has gone.
  bool send(std::string_view bytes);
  /// An answer with Content-Length.
  bool answer(int code, std::string_view body, const std::string& headers = "");
  /// Begins a chunked answer; each `chunk` then goes out as one, an empty one ends it.
  bool begin_stream();
  bool chunk(std::string_view bytes);
  /// Blocks until the client closes its side.
  void wait_closed();
  /// Passes everything on to a port of this machine and back, until one side closes.
  void tunnel_to(int port);
  /// The client's certificate (PEM); empty when it showed none.
  [[nodiscard]] std::string peer_certificate() const;

 private:
  [[nodiscard]] long read_some(char* into, std::size_t size) const;
  [[nodiscard]] long write_some(std::string_view bytes) const;

  int fd_;
  ssl_st* tls_;
  std::string buffer_;
};

class RawServer {
 public:
  /// `serve` runs once a connection, each on a thread of its own; the connection is closed when it returns.
  explicit RawServer(std::function<void(Connection&)> serve);
  /// Over TLS, asking clients for a certificate, whoever signed it.
  RawServer(std::function<void(Connection&)> serve, const KeyPair& identity);
  ~RawServer();
  [[nodiscard]] std::string url() const { return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();
  void serve_on(int fd);

  std::shared_ptr<ssl_ctx_st> tls_;  // null: no TLS
  std::function<void(Connection&)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;  // guards the two below
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace kruise::client::test
