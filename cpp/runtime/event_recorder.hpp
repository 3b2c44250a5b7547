// Events of Kubernetes (core v1), sent beside the work and never in its way.
//
// The same event again is a PATCH of its count; from the tenth different message of one reason on they are combined; one source
// may send 25 events about one object at once, then one per five minutes. Memory and queue are bounded: what does not fit is
// dropped and counted.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/lifetime.hpp"
#include "base/lru_map.hpp"
#include "client/client.hpp"
#include "runtime/plan.hpp"

namespace kruise::runtime {

/// Who tells: a controller's name and, for node agents, the node.
struct EventSource {
  std::string component;
  std::string host{};
};

/// Lives on the client's executor.
class EventRecorder {
 public:
  static constexpr std::size_t kKeysMax = 4096;
  static constexpr std::size_t kQueueMax = 1000;
  static constexpr std::size_t kMessageBytesMax = 1024;
  static constexpr std::size_t kDistinctMessagesMax = 10;
  static constexpr int kTriesMax = 12;

  explicit EventRecorder(client::Client&, std::string user_agent = {});

  void record(const ObjectReference&, const EventSource&, const Event&);
  /// Calls back when the queue is empty, at once when it is.
  void flush(std::function<void()> done);
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Similar {  // the events of one reason about one object
    std::set<std::string> messages;
    base::MonoTime last{};
  };
  struct Known {  // an event that the server has
    std::string name;
    base::Time first{};
    int count = 0;
  };
  struct Allowance {
    double tokens = 0;
    base::MonoTime at{};
    bool used = false;
  };
  struct Queued {
    client::Request request;
    client::Request otherwise;  // when the event to be patched is gone
    std::string key;
    int tries = 0;
  };

  bool allowed(const std::string& source_and_object);
  void enqueue(Queued);
  void send_next();

  client::Client& client_;
  std::string user_agent_;
  base::LruMap<std::string, Similar> similar_{kKeysMax};
  base::LruMap<std::string, Known> known_{kKeysMax};
  base::LruMap<std::string, Allowance> allowances_{kKeysMax};
  std::deque<Queued> queue_;
  bool sending_ = false;
  std::uint64_t last_id_ = 0;
  std::uint64_t dropped_ = 0;
  std::function<void()> flushed_;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
