// Carries out a plan: the only place that writes on behalf of controllers.
//
// The steps run in order. The chains of a step are independent and pipelined: each success lets two more writes start, so what is
// under way doubles with each round trip and a plan that is refused costs one call. After the first error nothing more starts;
// what is in flight finishes and is accounted for. Then the status, then the cleanup, whose failures are only logged.
//
// An object that changed meanwhile (a stale version, or it is gone) ends its own chain only: the others of the step have
// preconditions of their own, and the plan has counted that object's write as done, so they stay within every budget. No later
// step starts, since it may build on what was not written; and nobody is told, since the next plan sees the object as it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/client.hpp"
#include "runtime/own_writes.hpp"
#include "runtime/plan.hpp"

namespace kruise::runtime {

struct ActOptions {
  client::Client* client = nullptr;  // required
  OwnWrites* own_writes = nullptr;   // empty: nothing is remembered
  Owner owner{};
  std::string user_agent{};
  std::function<void(const Event&)> emit{};
  /// Asked before each write (leadership, shutdown); a refusal ends the plan. Empty: always.
  std::function<bool()> may_write{};
  /// No more than this many writes of one plan are in flight, however well it goes.
  std::size_t window_max = 256;
};

struct ActResult {
  std::optional<client::ApiError> error;  // the first of the steps, else of the status
  bool stale = false;                     // the error says only that an object has changed since it was looked at
  std::size_t writes = 0;                 // sent
  std::size_t succeeded = 0;              // of the steps
  bool refused = false;                   // `may_write` said no
};

/// A plan being carried out; destroying it lets the answers go by unheard and starts nothing more.
class Acting {
 public:
  virtual ~Acting() = default;
};

/// On the client's executor, where `done` is called once, never before `act` returns. `done` may destroy the Acting.
[[nodiscard]] std::unique_ptr<Acting> act(Plan, ActOptions, std::function<void(ActResult)> done);

/// The request of a write, with its preconditions; `previous_version` is what the write before it in its chain was answered with.
[[nodiscard]] client::Request request_of(const Write&, std::string_view previous_version, const std::string& user_agent);

}  // namespace kruise::runtime
