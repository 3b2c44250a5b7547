// Threads for connections: as many as are open at once, so that a long watch never keeps another client waiting.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/thread.hpp"

namespace kruise::cluster {

/// Runs each task on an idle thread, or on a new one while there are fewer than kThreadsMax; then tasks queue.
class ConnectionThreads {
 public:
  static constexpr std::size_t kThreadsMax = 1024;

  ConnectionThreads() = default;
  ~ConnectionThreads() { shutdown(); }
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  void enqueue(std::function<void()> task);
  /// Finishes what is queued and joins the threads.
  void shutdown();

 private:
  void work();

  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<base::Thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace kruise::cluster
