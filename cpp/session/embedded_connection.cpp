#include "session/embedded_connection.hpp"

#include "base/wait.hpp"

namespace kruise::session {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

client::ApiException exception_from(const client::Response& answer) {
  return client::ApiException(client::error_from_status(answer.code, answer.body));
}

std::shared_ptr<Embedded> alive(const std::weak_ptr<Embedded>& cluster) {
  auto held = cluster.lock();
  if (!held) throw Refused("the cluster is closed");
  return held;
}

class EmbeddedStream final : public WatchStream {
 public:
  EmbeddedStream(const std::shared_ptr<Embedded>& cluster, std::unique_ptr<cluster::ApiServer::Stream> stream)
      : cluster_(cluster), api_(cluster->api()), stream_(std::move(stream)), blocking_(!cluster->virtual_time()) {
    stream_->on_ready([signal = signal_] { signal->notify(); });
  }
  ~EmbeddedStream() override { close(); }

  std::optional<std::string> next(std::optional<base::MonoTime> deadline, const Poll& poll) override {
    while (stream_) {
      {
        const auto cluster = alive(cluster_);  // its clock is the stream's
        const auto turn = cluster->turn();
        if (const auto line = stream_->next()) return **line;
        if (stream_->ended()) return std::nullopt;
        if (!blocking_) {
          drained_ = true;
          return std::nullopt;
        }
      }
      if (!base::wait_slice(*signal_, kPollInterval, deadline)) return std::nullopt;
      poll();
    }
    return std::nullopt;
  }

  void close() override { stream_.reset(); }
  [[nodiscard]] bool drained() const override { return drained_; }

 private:
  std::weak_ptr<Embedded> cluster_;
  std::shared_ptr<cluster::ApiServer> api_;
  std::unique_ptr<cluster::ApiServer::Stream> stream_;
  std::shared_ptr<base::Wakeup> signal_ = std::make_shared<base::Wakeup>();
  bool blocking_;
  bool drained_ = false;
};

}  // namespace

EmbeddedConnection::EmbeddedConnection(std::weak_ptr<Embedded> cluster, std::string user_agent)
    : cluster_(std::move(cluster)), user_agent_(std::move(user_agent)) {}

std::string EmbeddedConnection::request(client::Request request, const Poll&) {
  request.user_agent = user_agent_;
  const auto cluster = alive(cluster_);
  const auto turn = cluster->turn();
  client::Response answer = cluster->api()->handle(request);
  if (answer.code >= 400) throw exception_from(answer);
  return std::move(answer.body);
}

std::unique_ptr<WatchStream> EmbeddedConnection::watch(std::string_view path) {
  client::Request request;
  request.path = path;
  request.user_agent = user_agent_;
  const auto cluster = alive(cluster_);
  const auto turn = cluster->turn();
  auto opened = cluster->api()->watch(request);
  if (!opened) throw exception_from(opened.error());
  return std::make_unique<EmbeddedStream>(cluster, std::move(opened).value());
}

}  // namespace kruise::session
