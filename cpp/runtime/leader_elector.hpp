// One of several managers leads: the one whose name stands in the lock and is renewed.
//
// A candidate takes a lock that has not changed for its lease duration, as measured by the candidate's own clock since it saw the
// last change. A leader may write only while its last renewal, counted from when it was sent, is younger than the renew deadline:
// asked before each write, so that a process that was paused notices before it writes.
//
// Managers of v0.8.0 hold a ConfigMap. While one with their annotation exists, it is taken and renewed beside the Lease and we
// lead only with both, so that no old and new manager ever lead together, whichever way a cluster is moved.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/lifetime.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "client/client.hpp"
#include "runtime/event_recorder.hpp"
#include "runtime/leader_lock.hpp"

namespace kruise::runtime {

class LeaderElector {
 public:
  enum class Mode : std::uint8_t { kLeases, kConfigMaps, kConfigMapsLeases };
  struct Options {
    std::string identity;  // "<hostname>_<uuid>"
    std::string ns = "kruise-system";
    std::string name = "kruise-manager";
    Mode mode = Mode::kLeases;
    base::Duration lease_duration = std::chrono::seconds(15);
    base::Duration renew_deadline = std::chrono::seconds(10);
    base::Duration retry_period = std::chrono::seconds(2);
  };
  struct Callbacks {
    std::function<void()> on_leading;
    /// Leadership is over for good; the reason is a sentence. The elector does nothing more.
    std::function<void(const std::string&)> on_lost;
    /// The lock was taken or renewed: writes may be sent until then.
    std::function<void(base::MonoTime)> on_renewed{};
    /// The first attempt is over, whatever came of it. Called once.
    std::function<void()> on_tried{};
  };

  /// On the client's executor, like everything below.
  LeaderElector(Options, client::Client&, EventRecorder&, base::Metrics&, base::Random, Callbacks);

  void start();
  /// Whether a write may be sent at this instant.
  [[nodiscard]] bool may_write() const;
  [[nodiscard]] bool leading() const { return leading_; }
  [[nodiscard]] bool tried() const { return tried_; }
  /// Gives the lock up, if held, and ends the election; `done` is called once, whether or not the server heard it.
  void release(std::function<void()> done);
  /// Who holds the lock, as last seen.
  [[nodiscard]] const std::string& holder() const { return holder_; }

 private:
  struct Lock {
    LockKind kind = LockKind::kLease;
    bool required = true;                 // false: only while it exists
    std::optional<std::string> object{};  // as last read; empty: there is none
    std::optional<ElectionRecord> record{};
    base::MonoTime seen_changing{};
  };
  using Next = std::function<void()>;

  void attempt();
  void read(std::size_t index);
  void check_for_leases(const Next& exists);
  void judge();
  void write(std::size_t index);
  void succeeded();
  void failed(const std::string& why);
  void lost(const std::string& why);
  void again(base::Duration delay);
  void watch_deadline();
  void set_leading(bool);
  void tell(const char* what);
  void give_up(std::size_t index, int tries, std::function<void()> done);
  [[nodiscard]] bool needed(const Lock& lock) const { return lock.required || lock.record.has_value(); }
  [[nodiscard]] ElectionRecord our_record(const Lock&) const;
  [[nodiscard]] base::MonoTime now() const { return client_.executor().clock().mono(); }
  client::Request exempt(client::Request) const;

  Options options_;
  client::Client& client_;
  EventRecorder& events_;
  base::Metrics& metrics_;
  base::Random random_;
  Callbacks callbacks_;
  std::vector<Lock> locks_;
  bool leases_known_ = false;  // the server has coordination v1
  bool leading_ = false;
  bool tried_ = false;
  bool over_ = false;
  base::MonoTime attempt_at_{};
  base::MonoTime renewed_at_{};
  std::string holder_;
  std::string complained_;
  base::TimerId next_ = 0;
  base::TimerId deadline_ = 0;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
