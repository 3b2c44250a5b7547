// Threads for what cannot be tasks of an executor: a loop around a library that waits by itself, and callers that must block.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/time.hpp"

namespace kruise::base {

/// A named thread, asked to stop and joined by its destruction.
class Thread {
 public:
  Thread(const std::string& name, std::function<void(std::stop_token)> body);
  void request_stop() { thread_.request_stop(); }

 private:
  std::jthread thread_;
};

/// Set once by one thread, waited for by others. Any thread.
class Signal {
 public:
  void set();
  /// Returns whether it is set, after at most `span`.
  [[nodiscard]] bool wait_for(Duration span);

 private:
  std::mutex mutex_;  // guards set_
  std::condition_variable changed_;
  bool set_ = false;
};

}  // namespace kruise::base
