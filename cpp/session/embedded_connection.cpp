#include "session/embedded_connection.hpp"

#include "base/wait.hpp"

namespace kruise::session {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

client::ApiException exception_from(const client::Response& answer) {
  return client::ApiException(client::error_from_status(answer.code, answer.body));
}

class EmbeddedStream final : public WatchStream {
 public:
  EmbeddedStream(std::shared_ptr<cluster::ApiServer> api, std::unique_ptr<cluster::ApiServer::Stream> stream, bool blocking)
      : api_(std::move(api)), stream_(std::move(stream)), blocking_(blocking) {
    stream_->on_ready([signal = signal_] { signal->notify(); });
  }

  std::optional<std::string> next(std::optional<base::MonoTime> deadline, const Poll& poll) override {
    while (stream_) {
      if (const auto line = stream_->next()) return **line;
      if (stream_->ended()) return std::nullopt;
      if (!blocking_) {
        drained_ = true;
        return std::nullopt;
      }
      if (!base::wait_slice(*signal_, kPollInterval, deadline)) return std::nullopt;
      poll();
    }
    return std::nullopt;
  }

  void close() override { stream_.reset(); }
  [[nodiscard]] bool drained() const override { return drained_; }

 private:
  std::shared_ptr<cluster::ApiServer> api_;
  std::unique_ptr<cluster::ApiServer::Stream> stream_;
  std::shared_ptr<base::Wakeup> signal_ = std::make_shared<base::Wakeup>();
  bool blocking_;
  bool drained_ = false;
};

}  // namespace

EmbeddedConnection::EmbeddedConnection(std::shared_ptr<cluster::ApiServer> api, std::string user_agent, bool blocking)
    : api_(std::move(api)), user_agent_(std::move(user_agent)), blocking_(blocking) {}

std::string EmbeddedConnection::request(std::string_view method, std::string_view path, std::string_view content_type,
                                        std::string body, const Poll&) {
  client::Request request;
  request.method = method;
  request.path = path;
  request.content_type = content_type;
  request.body = std::move(body);
  request.user_agent = user_agent_;
  client::Response answer = api_->handle(request);
  if (answer.code >= 400) throw exception_from(answer);
  return std::move(answer.body);
}

std::unique_ptr<WatchStream> EmbeddedConnection::watch(std::string_view path) {
  client::Request request;
  request.path = path;
  request.user_agent = user_agent_;
  auto opened = api_->watch(request);
  if (!opened) throw exception_from(opened.error());
  return std::make_unique<EmbeddedStream>(api_, std::move(opened).value(), blocking_);
}

}  // namespace kruise::session
