// The client of a real API server, over libcurl.
//
//     const auto config = client::load_config();
//     client::RestClient api(*config, loop, {.user_agent = "kruise-manager"});
//     api.send(client::get(api::kPods, {"default", "web-1"}), [](client::Outcome outcome) { ... });
//
// Requests share a few HTTP/2 connections (HTTP/1.1 where the server speaks no other); each watch has a connection of its own,
// over HTTP/1.1, since nothing else runs on it. One thread inside does the I/O; answers and events are posted to the executor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/client.hpp"
#include "client/config.hpp"
#include "client/rate_limiter.hpp"

namespace kruise::client {

/// One HTTP exchange, repeated ones counted each.
struct CallInfo {
  int code = 0;           // 0: no answer
  int http_version = 0;   // 1 or 2; 0: no answer
  std::string method;     // "GET"
  std::string_view verb;  // see verb_of
  std::string path;       // see path_template
  std::string_view host;  // "10.0.0.1:6443"
  base::Duration elapsed{0};
};

struct RestOptions {
  std::string user_agent = "kruise";
  /// Never HTTP/2.
  bool http1 = false;
  /// One bucket a user agent; exempt requests and watches pass. Empty: no limit but the server's 429.
  std::optional<Rate> rate{};
  /// Of requests that name none.
  base::Duration timeout = std::chrono::seconds(30);
  /// What watches have got is let gather for so long before it is read, once no request (but exempt ones) was sent for a second:
  /// events that change nothing then cost a fraction, being handled several at a time. 0: all is read at once.
  base::Duration watch_rest{0};
  /// Called on the executor for each exchange, before the answer is given.
  std::function<void(const CallInfo&)> on_call{};
};

/// Every function may be called from any thread; a Watch is destroyed on the executor's. Destroying the client answers what is
/// open with reason Aborted and needs no running executor.
///
/// Reads are tried again on connection errors, writes only when they were surely not sent (else `outcome_unknown` is true).
class RestClient final : public Client {
 public:
  RestClient(const Config&, base::Executor&, RestOptions = {});
  ~RestClient() override;

  void send(Request, Done) override;
  [[nodiscard]] std::unique_ptr<Watch> watch(Request, WatchHandler&) override;
  [[nodiscard]] base::Executor& executor() override;

  /// From that instant on no write (but exempt ones) is begun, and those in flight are aborted; it is checked before each write
  /// and each piece of a body, so that a process that was paused notices first. A leader moves it with each renewal. Empty: no
  /// deadline.
  void set_write_deadline(std::optional<base::MonoTime>);
  /// Ends every request queued or in flight (but exempt ones) with reason Aborted. Watches go on.
  void abort_all();

 private:
  class Engine;
  class RestWatch;
  std::shared_ptr<Engine> engine_;
};

}  // namespace kruise::client
