#include "client/watch_channel.hpp"

#include <utility>

namespace kruise::client {
namespace {

/// Of a longer line the parts are handed on before its end has come.
constexpr std::size_t kPartBytesMax = kWatchQueuedBytesMax / 4;

}  // namespace

WatchChannel::WatchChannel(base::Executor& executor, WatchHandler& handler, std::function<void()> resume)
    : executor_(executor), handler_(&handler), resume_(std::move(resume)) {}

bool WatchChannel::append(std::string_view bytes) {
  const bool ends_a_line = bytes.find('\n') != std::string_view::npos;
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + bytes.size() > kWatchQueuedBytesMax) {
      paused_ = true;
      return false;
    }
    queued_.append(bytes);
    queued_bytes_ += bytes.size();
    // An event comes in several pieces; the executor is woken when it has something to do.
    if (!ends_a_line && queued_.size() < kPartBytesMax) return true;
    if (std::exchange(scheduled_, true)) return true;
  }
  schedule();
  return true;
}

void WatchChannel::finish(std::optional<ApiError> error) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    error_ = std::move(error);
    if (std::exchange(scheduled_, true)) return;
  }
  schedule();
}

void WatchChannel::close() { handler_ = nullptr; }

void WatchChannel::schedule() {
  executor_.post([self = shared_from_this()] { self->drain(); });
}

void WatchChannel::drain() {
  std::string bytes;
  bool finished = false;
  std::optional<ApiError> error;
  {
    const std::lock_guard lock(mutex_);
    scheduled_ = false;
    bytes.swap(queued_);
    finished = finished_;
    error = error_;
  }
  if (handler_ != nullptr) deliver(bytes);
  bool resume = false;
  {
    const std::lock_guard lock(mutex_);
    queued_bytes_ -= bytes.size();
    resume = paused_ && queued_bytes_ <= kWatchQueuedBytesMax / 2;
    if (resume) paused_ = false;
  }
  if (resume) resume_();
  if (finished && handler_ != nullptr) end(std::move(error));
}

void WatchChannel::deliver(std::string_view bytes) {
  const auto on_line = [this](std::string_view line) {
    handler_->on_event(line);
    return handler_ != nullptr;  // the handler may have closed the watch
  };
  if (lines_.feed(bytes, on_line) == LineSplitter::Result::kTooLong && handler_ != nullptr) {
    ApiError error;
    error.reason = "TooLarge";
    error.message = "an event of the watch is longer than " + std::to_string(kLineBytesMax >> 20U) + " MiB";
    end(std::move(error));
  }
}

void WatchChannel::end(std::optional<ApiError> error) {
  if (!error && lines_.has_rest()) {
    error.emplace();
    error->reason = "Broken";
    error->message = "the watch ended in the middle of an event";
  }
  WatchHandler& handler = *std::exchange(handler_, nullptr);
  handler.on_end(std::move(error));
}

}  // namespace kruise::client
