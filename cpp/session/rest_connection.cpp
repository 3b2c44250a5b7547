#include "session/rest_connection.hpp"

#include <deque>
#include <mutex>

#include "base/wait.hpp"
#include "client/sync_client.hpp"

namespace kruise::session {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);
/// Events that wait for their reader; a script that falls further behind loses the stream and has to list again.
constexpr std::size_t kUnreadEventsMax = 100'000;

/// What the loop's thread leaves for the reader's.
class Mailbox final : public client::WatchHandler {
 public:
  void on_event(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    if (lines_.size() < kUnreadEventsMax) {
      lines_.emplace_back(line);
    } else if (!error_) {
      error_ = client::ApiError{.code = 410, .reason = "Expired", .message = "the watch's reader fell too far behind"};
      over_ = true;
    }
    arrived_.notify();
  }

  void on_end(std::optional<client::ApiError> error) override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      if (!error_) error_ = std::move(error);
    }
    arrived_.notify();
  }

  /// The next line; nothing when none has come yet. Sets `over` once all were read. Throws the stream's error after its lines.
  std::optional<std::string> take(bool& over) {
    const std::lock_guard lock(mutex_);
    if (!lines_.empty()) {
      std::string line = std::move(lines_.front());
      lines_.pop_front();
      return line;
    }
    if (error_) throw client::ApiException(*error_);
    over = over_;
    return std::nullopt;
  }

  [[nodiscard]] base::Wakeup& arrived() { return arrived_; }

 private:
  base::Wakeup arrived_;
  std::mutex mutex_;  // guards the three below
  std::deque<std::string> lines_;
  std::optional<client::ApiError> error_;
  bool over_ = false;
};

class RestStream final : public WatchStream {
 public:
  RestStream(client::RestClient& api, std::shared_ptr<base::Loop> loop, std::string_view path) : loop_(std::move(loop)) {
    client::Request request;
    request.path = path;
    loop_->run_and_wait([&] { watch_ = api.watch(request, *mailbox_); });
  }
  ~RestStream() override { close(); }

  std::optional<std::string> next(std::optional<base::MonoTime> deadline, const Poll& poll) override {
    while (watch_) {
      bool over = false;
      if (auto line = mailbox_->take(over)) return line;
      if (over || !base::wait_slice(mailbox_->arrived(), kPollInterval, deadline)) return std::nullopt;
      poll();
    }
    return std::nullopt;
  }

  void close() override {
    if (watch_) loop_->run_and_wait([&] { watch_.reset(); });
  }
  [[nodiscard]] bool drained() const override { return false; }

 private:
  std::shared_ptr<base::Loop> loop_;
  std::unique_ptr<Mailbox> mailbox_ = std::make_unique<Mailbox>();
  std::unique_ptr<client::Watch> watch_;
};

}  // namespace

RestConnection::RestConnection(const client::Config& config, std::string user_agent)
    : namespace_(config.ns),
      server_(config.server),
      loop_(std::make_shared<base::Loop>("kruise-rest")),
      client_(config, *loop_, {.user_agent = std::move(user_agent)}) {}

std::string RestConnection::request(client::Request request, const Poll& poll) {
  client::Sync sync(client_, [&] {
    poll();
    return false;
  });
  return sync.call(std::move(request)).body;
}

std::unique_ptr<WatchStream> RestConnection::watch(std::string_view path) {
  return std::make_unique<RestStream>(client_, loop_, path);
}

std::unique_ptr<RestConnection> open_rest(const std::string& kubeconfig, const std::string& context, std::string user_agent) {
  client::ConfigSource source;
  source.kubeconfig = kubeconfig;
  source.context = context;
  const auto config = client::load_config(source);
  if (!config) throw Refused(config.error().message);
  return std::make_unique<RestConnection>(*config, std::move(user_agent));
}

}  // namespace kruise::session
