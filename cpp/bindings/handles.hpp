// What Python holds of the C++ side: may be closed while references remain, and says so when used afterwards.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/host.hpp"
#include "session/embedded.hpp"

namespace kruise::bindings {

/// What is further away than a clock can tell is thirty years away.
[[nodiscard]] inline base::Duration seconds(double value) {
  constexpr double kFar = 1e9;
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(std::clamp(value, -kFar, kFar)));
}

/// The holder of whatever owns threads or takes locks. It goes without the GIL, since those threads may wait for it; in a forked
/// child, which has none of them, it stays for ever.
template <class T>
[[nodiscard]] std::shared_ptr<T> held(std::unique_ptr<T> made) {
  return std::shared_ptr<T>(made.release(), [home = base::process_id()](T* object) {
    if (base::process_id() != home) return;
    if (PyGILState_Check() == 0) {
      delete object;
      return;
    }
    const pybind11::gil_scoped_release release;
    delete object;
  });
}

/// Where something may be used from: the process that made it, and not from within an observer of writes, under storage's lock.
class Home {
 public:
  /// Throws Refused.
  void check() const {
    check_process();
    if (observing()) throw session::Refused("an observer of writes must not call the cluster: it runs inside a write");
  }
  void check_process() const {
    if (base::process_id() != process_)
      throw session::Refused("made before this process was forked: threads do not survive that, make it anew in the child");
  }
  /// Whether this thread is inside an observer.
  [[nodiscard]] static bool& observing() {
    thread_local bool inside = false;
    return inside;
  }
  /// While an object goes wherever the garbage collector happens to run, in an observer of another cluster too: nothing is
  /// refused.
  class Collected {
   public:
    ~Collected() { observing() = was_; }
    Collected() = default;
    Collected(const Collected&) = delete;
    Collected& operator=(const Collected&) = delete;

   private:
    bool was_ = std::exchange(observing(), false);
  };

 private:
  int process_ = base::process_id();
};

class ConnectionHandle {
 public:
  explicit ConnectionHandle(std::shared_ptr<session::Connection> connection) : connection_(std::move(connection)) {}
  [[nodiscard]] session::Connection& get() const {
    home_.check();
    return *connection_;
  }

 private:
  Home home_;
  std::shared_ptr<session::Connection> connection_;
};

class ClusterHandle {
 public:
  explicit ClusterHandle(std::unique_ptr<session::Embedded> cluster) : cluster_(std::move(cluster)) {}
  ~ClusterHandle() {
    const Home::Collected collected;
    leave();
  }
  ClusterHandle(const ClusterHandle&) = delete;
  ClusterHandle& operator=(const ClusterHandle&) = delete;

  /// Stays usable for as long as it is kept, whoever closes meanwhile.
  [[nodiscard]] std::shared_ptr<session::Embedded> get() const {
    home_.check();
    return get_anywhere();
  }
  /// The same in an observer of writes too, for what asks nothing of storage.
  [[nodiscard]] std::shared_ptr<session::Embedded> get_anywhere() const {
    home_.check_process();
    const std::lock_guard lock(mutex_);
    if (!cluster_) throw session::Refused("the cluster is closed");
    return cluster_;
  }
  void close() {
    home_.check();
    leave();
  }
  /// `leave` is called before the cluster goes.
  void add_guest(const void* guest, std::function<void()> leave) {
    const std::lock_guard lock(mutex_);
    guests_.emplace(guest, std::move(leave));
  }
  void remove_guest(const void* guest) {
    const std::lock_guard lock(mutex_);
    guests_.erase(guest);
  }

 private:
  void leave() {
    std::map<const void*, std::function<void()>> guests;
    {
      const std::lock_guard lock(mutex_);
      guests = std::exchange(guests_, {});
    }
    for (const auto& [guest, leave] : guests) leave();
    std::shared_ptr<session::Embedded> last;
    {
      const std::lock_guard lock(mutex_);
      last = std::exchange(cluster_, nullptr);
    }
    if (last) last->api()->observe_writes({});
  }

  Home home_;
  mutable std::mutex mutex_;  // guards the two below
  std::shared_ptr<session::Embedded> cluster_;
  std::map<const void*, std::function<void()>> guests_;
};

/// An API server that lags behind the cluster's.
struct ViewHandle {
  std::shared_ptr<cluster::ApiServer> server;
};

}  // namespace kruise::bindings
