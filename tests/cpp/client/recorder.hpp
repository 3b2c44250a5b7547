// A watch handler that remembers what it got, and waits for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/client.hpp"

namespace kruise::client::test {

class Recorder final : public WatchHandler {
 public:
  void on_event(std::string_view line) override {
    if (before_event) before_event();
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    changed_.notify_all();
  }
  void on_end(std::optional<ApiError> error) override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_lines(std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return lines_.size() >= count; });
  }
  [[nodiscard]] bool wait_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ended_; });
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] std::optional<ApiError> error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }

  std::function<void()> before_event;  // set before the watch

 private:
  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool ended_ = false;
  std::optional<ApiError> error_;
};

}  // namespace kruise::client::test
