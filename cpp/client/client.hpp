// The interface through which everything reaches an API server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.hpp"
#include "base/result.hpp"
#include "client/error.hpp"

namespace kruise::client {

/// An HTTP request in Kubernetes' terms. Build it with the functions of
/// request.hpp.
struct Request {
  std::string method = "GET";  // GET, POST, PUT, PATCH, DELETE
  std::string path{};          // "/api/v1/namespaces/default/pods/web-1?dryRun=All", escaped
  std::string accept = "application/json";
  std::string content_type{};  // empty without body
  std::string body{};
  std::string user_agent{};                 // empty: the client's own
  std::optional<base::Duration> timeout{};  // empty: 30 s
  /// Leader election and probes: passes the rate limiter and the write deadline
  /// of RestClient.
  bool exempt = false;
};

struct Response {
  int code = 200;
  std::string body;
  std::string content_type;
  std::vector<std::string> warnings = {};  // texts of Warning headers
};

using Outcome = base::Result<Response, ApiError>;
using Done = std::function<void(Outcome)>;

/// Receives a watch. All calls come from the executor given to `watch`, never
/// after `Watch` was destroyed.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  /// One line of the stream, without its newline:
  /// `{"type":"MODIFIED","object":{...}}`. The view lives until return, and
  /// `kPadding` readable bytes follow it (simdjson reads past the end).
  virtual void on_event(std::string_view line) = 0;
  /// The stream is over: an error, or none when the server closed it in good
  /// order. Nothing follows.
  virtual void on_end(std::optional<ApiError>) = 0;
};

/// A watch under way; destroying it ends it.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Client {
 public:
  static constexpr std::size_t kPadding = 64;

  virtual ~Client() = default;
  /// Sends; `done` is called once, on `executor()`, with every answer below 400
  /// as a value and everything else as an error. 429 with Retry-After is obeyed
  /// inside, within the request's timeout. Never calls `done` before it
  /// returns.
  virtual void send(Request, Done done) = 0;
  /// Opens a watch (a GET whose path has watch=1). `handler` must live until
  /// the Watch is destroyed.
  [[nodiscard]] virtual std::unique_ptr<Watch> watch(Request, WatchHandler& handler) = 0;
  /// Where answers arrive.
  [[nodiscard]] virtual base::Executor& executor() = 0;
};

}  // namespace kruise::client
