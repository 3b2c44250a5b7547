#include "client/sync_client.hpp"

#include <memory>

#include "base/thread.hpp"

namespace kruise::client {
namespace {

constexpr base::Duration kLookEvery = std::chrono::milliseconds(100);

/// Outlives the call when that is cancelled and the answer comes later.
struct Waiting {
  base::Signal answered;
  std::optional<Outcome> outcome;
};

}  // namespace

Outcome Sync::try_call(Request request) {
  const bool is_read = request.method == "GET";
  const auto waiting = std::make_shared<Waiting>();
  client_.send(std::move(request), [waiting](Outcome outcome) {
    waiting->outcome.emplace(std::move(outcome));
    waiting->answered.set();
  });
  while (!waiting->answered.wait_for(kLookEvery)) {
    if (cancelled_ && cancelled_()) {
      ApiError error;
      error.reason = "Aborted";
      error.message = "the call was cancelled";
      error.outcome_unknown = !is_read;
      return error;
    }
  }
  return std::move(*waiting->outcome);
}

Response Sync::call(Request request) {
  Outcome outcome = try_call(std::move(request));
  if (!outcome) throw ApiException(outcome.error());
  return std::move(outcome).value();
}

}  // namespace kruise::client
