// The watches under way, as the I/O thread of RestClient sees them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "client/call.hpp"
#include "client/watch_channel.hpp"
#include "client/watch_multi.hpp"

namespace kruise::client {

/// Starts watches, hands what they get to their channels, and ends them. I/O thread only.
class Watches {
 public:
  /// An exchange is over: how it went, for metrics.
  using Report = std::function<void(const CurlHandle&, const Request&, base::MonoTime started, bool answered)>;

  /// Target and credentials outlive this.
  Watches(const Target&, std::string user_agent, Credentials&, Report, base::Duration rest);
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  /// Waits for `start_waiting`. A watch whose answer has not begun by the deadline ends with an error.
  void add(std::shared_ptr<WatchChannel>, Request, base::MonoTime answer_deadline);
  /// The channel's handler wants no more: nothing is said to it. Unknown ones are ignored.
  void remove(const WatchChannel*);
  /// The channel has room again.
  void resume(const WatchChannel*);

  /// Whether `start_waiting` has something to do.
  [[nodiscard]] bool waiting() const;
  /// Starts those that wait, or ends them where the credentials failed. Required: the credentials are not pending.
  void start_waiting(const Credentials::State&, base::MonoTime now);
  /// Does what connections and deadlines ask for, without blocking.
  void run(base::MonoTime now);
  /// Ends all with this error.
  void end_all(const ApiError&);

  /// A request is sent or answered: what it changes is to be seen soon, so there is no rest for a while.
  void stay_awake(base::MonoTime now);
  /// Readable when `run` has something to do. Nothing while what comes is let gather (RestOptions::watch_rest).
  [[nodiscard]] std::optional<curl_waitfd> wait_on(base::MonoTime now) const;
  /// Time after which `run` has something to do in any case.
  [[nodiscard]] base::Duration until_due(base::MonoTime now) const;

 private:
  struct Exchange {
    explicit Exchange(Watches& all) : watches(all) {}

    Watches& watches;
    std::shared_ptr<WatchChannel> channel;
    Request request;
    base::MonoTime answer_deadline{};  // of the header
    CurlHandle handle;
    bool in_flight = false;
    bool renewed = false;
    Credentials::Current credentials;
    base::MonoTime started{};
    std::string refusal;  // body of an answer that is no stream
  };

  [[nodiscard]] bool resting(base::MonoTime now) const { return now < resting_until_; }
  void start(Exchange&, const Credentials::Current&, base::MonoTime now);
  void end_late(base::MonoTime now);
  void collect_finished();
  void finished(Exchange&, CURLcode);
  void end(Exchange&, std::optional<ApiError>);
  void take_off(Exchange&);
  static std::size_t take_events(char* data, std::size_t size, std::size_t count, void* self);

  const Target& target_;
  const std::string user_agent_;
  Credentials& credentials_;
  const Report report_;
  const base::Duration rest_;
  base::MonoTime resting_until_{};
  base::MonoTime awake_until_{};
  bool got_events_ = false;  // in this run
  WatchMulti multi_;
  std::unordered_map<const WatchChannel*, std::unique_ptr<Exchange>> exchanges_;
  std::unordered_map<CURL*, Exchange*> of_handle_;  // of those in flight
};

}  // namespace kruise::client
