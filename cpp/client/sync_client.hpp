// Blocking calls over any Client, for callers that have a thread to spend: command line, Python, tests.
//
//     client::Sync api(rest_client, [] { return interrupted(); });
//     const client::Response pod = api.call(client::get(api::kPods, {"default", "web-1"}));   // throws ApiException
#pragma once

#include <functional>

#include "client/client.hpp"

namespace kruise::client {

class Sync {
 public:
  /// Asked every 100 ms on the calling thread; true ends the call with reason Aborted. May throw, which passes through.
  using Cancelled = std::function<bool()>;

  explicit Sync(Client& client, Cancelled cancelled = {}) : client_(client), cancelled_(std::move(cancelled)) {}

  /// Waits for the answer. Never on the thread of the client's executor, which has to run meanwhile.
  [[nodiscard]] Outcome try_call(Request);
  /// The answer; throws ApiException when there is none below 400.
  Response call(Request);

 private:
  Client& client_;
  Cancelled cancelled_;
};

}  // namespace kruise::client
