// The I/O thread of RestClient: one loop around libcurl's multi handle. Included by rest_client.cpp and rest_engine.cpp only.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/thread.hpp"
#include "client/call.hpp"
#include "client/open_sockets.hpp"
#include "client/rest_client.hpp"
#include "client/watches.hpp"

namespace kruise::client {

/// Requests that may wait for a place, a token or a server that is busy; further ones are refused.
inline constexpr std::size_t kWaitingCallsMax = 20'000;
/// Connections that requests share over HTTP/2: four with 25 streams each were faster than one with many.
inline constexpr std::size_t kConnectionsMaxHttp2 = 4;
inline constexpr std::size_t kStreamsPerConnectionMax = 25;
/// Requests at a time: over HTTP/2, and over HTTP/1.1 (a connection each).
inline constexpr std::size_t kInFlightMaxHttp2 = kConnectionsMaxHttp2 * kStreamsPerConnectionMax;
inline constexpr std::size_t kInFlightMaxHttp1 = 32;
/// Over HTTP/2: requests that libcurl has found no connection for yet. It opens one for each where it cannot share.
inline constexpr std::size_t kUnplacedMaxHttp2 = 4;

class RestClient::Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(const Config&, base::Executor&, RestOptions);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Any thread.
  void submit(Request, Done);
  [[nodiscard]] std::shared_ptr<WatchChannel> open(Request, WatchHandler&);
  void close(const std::shared_ptr<WatchChannel>&);
  void set_write_deadline(std::optional<base::MonoTime>);
  void abort_all();
  void stop();
  [[nodiscard]] base::Executor& executor() { return executor_; }

 private:
  struct MultiCleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  void command(std::function<void()>);
  void run(const std::stop_token&);
  void run_commands();
  void collect_finished();
  void check_deadlines();
  void start_due();
  void limit_idle_connections();
  [[nodiscard]] int wait_ms() const;

  // Requests.
  void enqueue(std::unique_ptr<Call>);
  [[nodiscard]] std::size_t room() const;
  void start(std::unique_ptr<Call>, const Credentials::Current&);
  void finished(std::unique_ptr<Call>, CURLcode);
  void answered(std::unique_ptr<Call>);
  void failed(std::unique_ptr<Call>, CURLcode);
  void answer(std::unique_ptr<Call>, Outcome);
  void refuse(std::unique_ptr<Call>, std::string reason, std::string message);
  void abort_calls(const std::function<bool(const Call&)>&, const std::string& message);
  void report(const CurlHandle&, const Request&, base::MonoTime started, bool answered);
  [[nodiscard]] bool is_stopped_write(const Call&) const;
  [[nodiscard]] bool writes_stopped() const;

  base::Executor& executor_;
  const RestOptions options_;
  const Target target_;
  const base::SystemClock clock_;
  std::atomic<std::int64_t> write_deadline_ns_;
  const std::function<bool()> write_stopped_;

  // I/O thread only.
  OpenSockets sockets_;                         // of requests
  std::unique_ptr<CURLM, MultiCleanup> multi_;  // of requests
  Credentials credentials_;
  Watches watches_;
  std::optional<RateLimiter> limiter_;
  std::list<std::unique_ptr<Call>> waiting_;  // exempt ones in front
  std::unordered_map<CURL*, std::unique_ptr<Call>> in_flight_;
  std::vector<CurlHandle> idle_handles_;
  int http_version_ = 0;  // 1 once an answer came over it, and for good: libcurl must not mix them
  long connections_kept_ = 0;

  std::mutex mutex_;  // guards the two below
  std::vector<std::function<void()>> commands_;
  bool stopped_ = false;

  std::unique_ptr<base::Thread> thread_;  // last: uses everything above
};

}  // namespace kruise::client
