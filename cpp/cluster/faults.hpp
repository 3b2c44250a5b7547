// Faults that doors of an embedded API server inject: what a network and a busy server do to clients.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/random.hpp"
#include "base/time.hpp"
#include "client/client.hpp"

namespace kruise::cluster {

/// What happens to one request, or to the opening of a watch.
struct Fault {
  enum class Kind : std::uint8_t { kNone, kRefuse, kBreakAfterWrite, kAnswer, kDelay };
  Kind kind = Kind::kNone;
  int code = 0;             // kAnswer: 409, 429, 500, ...
  base::Duration delay{0};  // kDelay, and latency before any other kind
};

/// What happens to a watch before its next event is delivered.
struct WatchFault {
  enum class Kind : std::uint8_t { kNone, kDelay, kBreak, kExpire, kError };
  Kind kind = Kind::kNone;
  base::Duration delay{0};  // kDelay: the event and those behind it come so much later
};

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
    double conflict = 0;  // 409, of writes only
    double throttled = 0;
    double server_error = 0;
    double late_answer = 0;
    double watch_broken = 0;
    double watch_expired = 0;
    double watch_error = 0;
    double late_event = 0;
    base::Duration delay_max = std::chrono::seconds(5);
  };
  RandomFaults(std::uint64_t seed, const Rates&);

  [[nodiscard]] Fault on_request(const client::Request&) override;
  [[nodiscard]] WatchFault on_event(const client::Request&) override;
  /// From now on nothing goes wrong (or again).
  void set_quiet(bool quiet);

 private:
  [[nodiscard]] base::Duration delay(base::Random&) const;

  const Rates rates_;
  std::mutex mutex_;  // guards everything below
  base::Random requests_;
  base::Random events_;
  bool quiet_ = false;
};

}  // namespace kruise::cluster
