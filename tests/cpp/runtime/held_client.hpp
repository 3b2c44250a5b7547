// A client whose answers the test gives, one by one and in any order.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.hpp"
#include "client/client.hpp"

namespace kruise::runtime {

class HeldClient final : public client::Client {
 public:
  explicit HeldClient(base::VirtualLoop& loop) : loop_(loop) {}

  void send(client::Request request, client::Done done) override {
    sent.push_back(request);
    held_.push_back({std::move(request), std::move(done)});
  }
  std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler&) override { return nullptr; }
  base::Executor& executor() override { return loop_; }

  [[nodiscard]] std::size_t in_flight() const { return held_.size(); }
  /// The request that is answered next.
  [[nodiscard]] const client::Request& front() const { return held_.front().request; }
  /// Answers the oldest request and runs what follows of it at this instant.
  void answer(client::Outcome outcome) {
    auto held = std::move(held_.front());
    held_.pop_front();
    held.done(std::move(outcome));
    loop_.run_for(base::Duration{0});
  }
  void succeed(std::string_view version = "7", std::string_view uid = "u") {
    answer(client::Response{
        200,
        R"({"kind":"Pod","metadata":{"uid":")" + std::string(uid) + R"(","resourceVersion":")" + std::string(version) + R"("}})",
        "application/json"});
  }
  void refuse(int code, std::string reason) {
    answer(client::ApiError{.code = code, .reason = std::move(reason), .message = "refused"});
  }
  void lose_answer() {
    answer(client::ApiError{.code = 0, .reason = "Unreachable", .message = "reset", .outcome_unknown = true});
  }

  std::vector<client::Request> sent;

 private:
  struct Held {
    client::Request request;
    client::Done done;
  };
  base::VirtualLoop& loop_;
  std::deque<Held> held_;
};

}  // namespace kruise::runtime
