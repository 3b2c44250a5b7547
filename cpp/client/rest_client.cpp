#include "client/rest_client.hpp"

#include "client/rest_engine.hpp"

namespace kruise::client {

class RestClient::RestWatch final : public Watch {
 public:
  RestWatch(const std::shared_ptr<Engine>& engine, std::shared_ptr<WatchChannel> channel)
      : engine_(engine), channel_(std::move(channel)) {}
  ~RestWatch() override {
    channel_->close();
    if (const auto engine = engine_.lock()) engine->close(channel_);
  }

 private:
  std::weak_ptr<Engine> engine_;
  std::shared_ptr<WatchChannel> channel_;
};

RestClient::RestClient(const Config& config, base::Executor& executor, RestOptions options)
    : engine_(std::make_shared<Engine>(config, executor, std::move(options))) {}

// Explicitly: a task of the executor may hold the engine a little longer.
RestClient::~RestClient() { engine_->stop(); }

void RestClient::send(Request request, Done done) { engine_->submit(std::move(request), std::move(done)); }

std::unique_ptr<Watch> RestClient::watch(Request request, WatchHandler& handler) {
  return std::make_unique<RestWatch>(engine_, engine_->open(std::move(request), handler));
}

base::Executor& RestClient::executor() { return engine_->executor(); }

void RestClient::set_write_deadline(std::optional<base::MonoTime> deadline) { engine_->set_write_deadline(deadline); }

void RestClient::abort_all() { engine_->abort_all(); }

}  // namespace kruise::client
