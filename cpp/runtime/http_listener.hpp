// A port that answers GET requests: probes, metrics, profiles.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kruise::runtime {

struct HttpQuery {
  std::string path;
  std::multimap<std::string, std::string> parameters;
};

struct HttpReply {
  int code = 200;
  std::string body{};
  std::string content_type = "text/plain; charset=utf-8";
};

/// Where to listen, as the flags write it: ":8080", "127.0.0.1:8080", "[::1]:8080".
struct ListenAddress {
  std::string host;  // empty: all interfaces
  int port = 0;      // 0: any free one
  bool operator==(const ListenAddress&) const = default;
};
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view);

class HttpListener {
 public:
  /// Called on threads of the listener, several at once.
  using Handler = std::function<HttpReply(const HttpQuery&)>;

  /// Listens from return on. The error names the address. `on_death` is called, on a thread of the listener, when it ends
  /// without having been destroyed.
  [[nodiscard]] static base::Result<std::unique_ptr<HttpListener>, std::string> listen(const ListenAddress&, Handler,
                                                                                       std::function<void()> on_death = {});
  ~HttpListener();
  [[nodiscard]] int port() const;

 private:
  struct Impl;
  explicit HttpListener(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::runtime
