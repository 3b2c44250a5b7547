// Faults that doors of an embedded API server inject: what a network and a busy server do to clients.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"
#include "client/client.hpp"

namespace kruise::cluster {

/// What happens to one request, or to the opening of a watch.
struct Fault {
  /// kRefuse: nothing is done, and the caller knows; over HTTP the connection breaks before an answer, and it cannot know.
  enum class Kind : std::uint8_t { kNone, kRefuse, kBreakAfterWrite, kAnswer, kDelay };
  Kind kind = Kind::kNone;
  int code = 0;             // kAnswer: 409, 429, 500, ...
  base::Duration delay{0};  // kDelay, and latency before any other kind
  /// kBreakAfterWrite, in process: for so long there is neither an answer nor an end, until the client gives up.
  base::Duration silence{0};
};

/// What happens to a watch before its next event is delivered.
struct WatchFault {
  enum class Kind : std::uint8_t { kNone, kDelay, kBreak, kExpire, kError, kMerge, kLose };
  Kind kind = Kind::kNone;
  /// kDelay: the event and those behind it come so much later. kExpire: so long nothing comes, then 410, so that what happened
  /// meanwhile is seen by the list alone. kMerge: all waits so long for the object's next event, which then takes the first one's
  /// place; over HTTP it is a delay. kLose: the event never comes, while those behind it do; so much later 410, and a list shows
  /// it. Of a list that is streamed nothing is lost.
  base::Duration delay{0};
};

/// Whether a watch is still at the objects that it began with because it was asked for them.
class InitialEvents {
 public:
  explicit InitialEvents(const client::Request& watch);
  /// Of the lines in their order.
  [[nodiscard]] bool has(std::string_view line);

 private:
  bool coming_;
};

/// How long clients wait for an answer.
inline constexpr base::Duration kAnswerTimeout = std::chrono::seconds(30);

/// The ERROR line of a watch that a fault ends (410 or 500).
[[nodiscard]] std::string error_line(int code);

/// Asked by the doors; any thread.
class FaultPlan {
 public:
  virtual ~FaultPlan() = default;
  [[nodiscard]] virtual Fault on_request(const client::Request&) = 0;
  [[nodiscard]] virtual WatchFault on_event(const client::Request& watch) = 0;
};

/// Draws faults at given rates from a seed.
class RandomFaults final : public FaultPlan {
 public:
  /// Probabilities, each drawn by itself in this order; the first that hits wins.
  struct Rates {
    double refused = 0;
    double lost_answer = 0;
    double timed_out = 0;  // no answer within the client's time limit, to what was done
    double conflict = 0;   // 409, of writes only
    double throttled = 0;
    double server_error = 0;
    double late_answer = 0;
    double watch_broken = 0;
    double watch_expired = 0;
    double watch_error = 0;
    double late_event = 0;
    double merged_event = 0;
    double lost_event = 0;
    base::Duration delay_max = std::chrono::seconds(5);
  };
  /// What happens to the n-th write, and to the n-th event of a watch, counted from 1 over all kinds but leases and events.
  struct Script {
    std::map<std::uint64_t, Fault> writes{};
    std::map<std::uint64_t, WatchFault> events{};
  };
  RandomFaults(std::uint64_t seed, const Rates& rates) : RandomFaults(seed, rates, Script()) {}
  RandomFaults(std::uint64_t seed, const Rates&, Script);

  [[nodiscard]] Fault on_request(const client::Request&) override;
  [[nodiscard]] WatchFault on_event(const client::Request&) override;

 private:
  [[nodiscard]] base::Duration delay(base::Random&) const;

  const Rates rates_;
  const Script script_;
  std::mutex mutex_;  // guards everything below
  std::uint64_t writes_ = 0;
  std::uint64_t seen_ = 0;  // events
  base::Random requests_;
  base::Random events_;
};

}  // namespace kruise::cluster
