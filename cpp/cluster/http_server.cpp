#include "cluster/http_server.hpp"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_set>

#include "base/json_writer.hpp"
#include "base/thread.hpp"
#include "cluster/answer.hpp"
#include "cluster/http_threads.hpp"

namespace kruise::cluster {
namespace {

constexpr int kBacklog = 1024;
constexpr int kKeepAliveSeconds = 5;
constexpr std::size_t kKeepAliveRequestsMax = 1'000'000;
constexpr std::size_t kBodyBytesMax = std::size_t{16} * 1024 * 1024;
/// How long a quiet watch goes before it looks whether its client is still there.
constexpr base::Duration kLookInterval = std::chrono::seconds(1);

class Threads final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override { threads_.enqueue(std::move(task)); }
  void shutdown() override { threads_.shutdown(); }

 private:
  ConnectionThreads threads_;
};

/// The library listens with a backlog of 5; clients that come at once would wait for a second.
class Listener final : public httplib::Server {
 public:
  void deepen_backlog() { ::listen(svr_sock_, kBacklog); }
  using httplib::Server::is_running;
};

/// The library would share the port with any other server that does the same, each getting some of the connections.
void keep_port_to_ourselves(socket_t socket) {
  constexpr int kYes = 1;  // not refused for connections of an earlier server that are still winding down
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &kYes, sizeof(kYes)));
}

/// Wakes a thread that waits for lines of a watch.
class Bell {
 public:
  void ring() {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  void wait(base::Duration span) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, span, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;  // guards the one below
  std::condition_variable changed_;
  bool rung_ = false;
};

client::Request to_request(const httplib::Request& from) {
  return {.method = from.method,
          .path = from.target,
          .accept = from.get_header_value("Accept"),
          .content_type = from.get_header_value("Content-Type"),
          .body = from.body,
          .user_agent = from.get_header_value("User-Agent"),
          .timeout = {}};
}

/// The library compresses what the client accepts, watches too. A compressed watch says nothing readable before its first event,
/// and Go's client, kubectl's, cannot close such a one meanwhile: `kubectl wait` would hang. On one machine it saves nothing
/// anyway.
void refuse_compression(const httplib::Request& request) {
  // The request is the library's own variable, const only to handlers, and is asked again when the answer is written.
  const_cast<httplib::Request&>(request).headers.erase("Accept-Encoding");  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

void fill(httplib::Response& to, const client::Response& from) {
  to.status = from.code;
  for (const auto& warning : from.warnings) {
    std::string quoted;
    base::append_json_string(quoted, warning);
    to.headers.emplace("Warning", "299 - " + quoted);
  }
  if (from.code == 429) to.set_header("Retry-After", "1");
  to.set_content(from.body, from.content_type.c_str());
}

/// The library answers methods that it does not know (or route) with a bare 400, and does not read the rest of such a request.
void refuse_method(const httplib::Request& from, httplib::Response& to) {
  constexpr std::array<std::string_view, 7> kServed = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  if (to.status != 400 || !to.body.empty() || from.method.empty() || std::ranges::find(kServed, from.method) != kServed.end())
    return;
  fill(to, method_not_supported());
  to.set_header("Connection", "close");
}

/// An answer that ends in the middle, as seen when a connection breaks.
void break_off(httplib::Response& to) {
  to.set_content_provider(1, "application/json", [](std::size_t, std::size_t, httplib::DataSink&) { return false; });
}

client::Response injected(int code) {
  StatusAnswer status{.code = code, .reason = client::error_from_status(code, "").reason, .message = "injected fault"};
  if (code == 429) status.retry_after_s = 1;
  return cluster::answer(status);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(ApiServer& api, const Options& options) : api_(api), options_(options) {
    listener_.new_task_queue = [] { return new Threads; };
    listener_.set_keep_alive_max_count(kKeepAliveRequestsMax);
    listener_.set_keep_alive_timeout(kKeepAliveSeconds);
    listener_.set_tcp_nodelay(true);
    listener_.set_socket_options(keep_port_to_ourselves);
    listener_.set_payload_max_length(kBodyBytesMax);
    listener_.set_read_timeout(30);
    listener_.set_write_timeout(30);
    const auto serve = [this](const httplib::Request& request, httplib::Response& response) {
      refuse_compression(request);
      answer(request, response);
    };
    const std::string any = R"(/.*)";
    listener_.Get(any, serve).Post(any, serve).Put(any, serve).Patch(any, serve).Delete(any, serve).Options(any, serve);
    listener_.set_error_handler(refuse_method);
    const bool bound = options.port == 0 ? (port_ = listener_.bind_to_any_port(options.host.c_str())) > 0
                                         : listener_.bind_to_port(options.host.c_str(), options.port);
    if (!bound) {
      const std::string why = std::generic_category().message(errno);
      throw std::runtime_error("cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " + why);
    }
    if (options.port != 0) port_ = options.port;
    listener_.deepen_backlog();
    thread_.emplace("cluster-accept", [this](const std::stop_token&) { listener_.listen_after_bind(); });
    while (!listener_.is_running()) std::this_thread::yield();
  }

  ~Impl() {
    stopping_ = true;
    stop_.set();
    {
      const std::lock_guard lock(mutex_);
      for (Bell* bell : bells_) bell->ring();
    }
    listener_.stop();
    thread_.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://" + options_.host + ":" + std::to_string(port_); }
  [[nodiscard]] std::size_t open_watches() const {
    const std::lock_guard lock(mutex_);
    return bells_.size();
  }

 private:
  /// A watch and the thread that sends it.
  struct Sending {
    explicit Sending(client::Request watch) : request(std::move(watch)), initial(request) {}
    client::Request request;
    InitialEvents initial;
    std::unique_ptr<ApiServer::Stream> stream;
    Bell bell;
    std::string chunk;
    /// By the machine's clock: an event was lost, and from then on a list is to show it.
    base::MonoTime expires = base::MonoTime::max();
  };

  void answer(const httplib::Request& from, httplib::Response& to) {
    const client::Request request = to_request(from);
    const Fault fault = options_.faults ? options_.faults->on_request(request) : Fault{};
    if (fault.delay > base::Duration{0}) static_cast<void>(stop_.wait_for(fault.delay));
    if (fault.kind == Fault::Kind::kRefuse) return break_off(to);
    if (fault.kind == Fault::Kind::kAnswer) return fill(to, injected(fault.code));
    if (fault.kind == Fault::Kind::kBreakAfterWrite && !ApiServer::is_watch(request)) {
      static_cast<void>(api_.handle(request));
      return break_off(to);
    }
    if (!ApiServer::is_watch(request)) {
      fill(to, api_.handle(request));
      return;
    }
    auto opened = api_.watch(request);
    if (!opened) {
      fill(to, opened.error());
      return;
    }
    auto sending = std::make_shared<Sending>(request);
    sending->stream = std::move(*opened);
    sending->stream->on_ready([bell = &sending->bell] { bell->ring(); });
    {
      const std::lock_guard lock(mutex_);
      bells_.insert(&sending->bell);
    }
    to.set_chunked_content_provider(
        "application/json", [this, sending](std::size_t, httplib::DataSink& sink) { return send(*sending, sink); },
        [this, sending](bool) {
          sending->stream->on_ready({});
          const std::lock_guard lock(mutex_);
          bells_.erase(&sending->bell);
        });
  }

  /// Sends what is due, waiting at most a moment for it. False: the client is gone, or this server is.
  bool send(Sending& sending, httplib::DataSink& sink) {
    constexpr std::size_t kChunkBytes = std::size_t{64} * 1024;
    if (stopping_) return false;
    if (sending.expires <= base::SystemClock().mono()) return end_with_error(410, sink);
    while (sending.chunk.size() < kChunkBytes) {
      const auto line = sending.stream->next();
      if (!line) break;
      const bool is_initial = sending.initial.has(**line);
      if (options_.faults) {
        const WatchFault fault = options_.faults->on_event(sending.request);
        if (fault.kind == WatchFault::Kind::kLose && !is_initial) {
          sending.expires = std::min(sending.expires, base::SystemClock().mono() + fault.delay);
          continue;
        }
        if (fault.kind != WatchFault::Kind::kNone && !goes_on(fault, sending, sink)) return false;
      }
      sending.chunk.append(**line).append("\n");
    }
    if (!sending.chunk.empty()) return flush(sending, sink);
    if (sending.stream->ended()) {
      sink.done();
      return true;
    }
    const base::Duration until_due =
        std::min(sending.stream->due() - api_.clock().mono(), sending.expires - base::SystemClock().mono());
    sending.bell.wait(std::clamp(until_due, base::Duration{std::chrono::milliseconds(1)}, kLookInterval));
    return !stopping_ && sink.is_writable();
  }

  static bool flush(Sending& sending, httplib::DataSink& sink) {
    const bool sent = sending.chunk.empty() || sink.write(sending.chunk.data(), sending.chunk.size());
    sending.chunk.clear();
    return sent;
  }

  /// Whether the event comes after all. The events before it do at once, whatever the fault.
  bool goes_on(const WatchFault& fault, Sending& sending, httplib::DataSink& sink) {
    using enum WatchFault::Kind;
    if (!flush(sending, sink)) return false;
    if (fault.kind == kLose) return true;
    const bool waits = fault.kind == kDelay || fault.kind == kMerge || fault.kind == kExpire;
    if (waits && fault.delay > base::Duration{0}) static_cast<void>(stop_.wait_for(fault.delay));
    if (stopping_ || fault.kind == kBreak) return false;
    if (fault.kind != kExpire && fault.kind != kError) return true;
    return end_with_error(fault.kind == kExpire ? 410 : 500, sink);
  }

  /// False, since nothing may follow.
  static bool end_with_error(int code, httplib::DataSink& sink) {
    const std::string line = error_line(code) + "\n";
    if (sink.write(line.data(), line.size())) sink.done();
    return false;
  }

  ApiServer& api_;
  const Options options_;
  Listener listener_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  base::Signal stop_;         // set with it, for those who wait
  mutable std::mutex mutex_;  // guards the one below
  std::unordered_set<Bell*> bells_;
  std::optional<base::Thread> thread_;
};

HttpServer::HttpServer(ApiServer& api, const Options& options) : impl_(std::make_unique<Impl>(api, options)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return impl_->port(); }
std::string HttpServer::url() const { return impl_->url(); }
std::size_t HttpServer::open_watches() const { return impl_->open_watches(); }

std::string HttpServer::kubeconfig() const {
  return "apiVersion: v1\nkind: Config\nclusters:\n- name: kruise\n  cluster:\n    server: " + url() +
         "\ncontexts:\n- name: kruise\n  context:\n    cluster: kruise\n    user: kruise\n    namespace: default\n"
         "current-context: kruise\nusers:\n- name: kruise\n  user: {}\n";
}

}  // namespace kruise::cluster
