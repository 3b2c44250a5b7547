// The bytes of one watch on their way from the I/O thread to the handler's executor.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "client/client.hpp"
#include "client/line_splitter.hpp"

namespace kruise::client {

/// A watch whose handler is behind by more than this is paused: its connection is not read until half is done.
inline constexpr std::size_t kWatchQueuedBytesMax = 4U << 20U;

class WatchChannel : public std::enable_shared_from_this<WatchChannel> {
 public:
  /// `resume` is called on the executor when a paused watch may go on.
  WatchChannel(base::Executor&, WatchHandler&, std::function<void()> resume);

  /// I/O thread. False: the queue is full and the bytes were not taken; `resume` will be called.
  [[nodiscard]] bool append(std::string_view bytes);
  /// I/O thread: nothing follows.
  void finish(std::optional<ApiError>);
  /// Executor: the handler is not called any more.
  void close();

 private:
  void schedule();
  void drain();
  void deliver(std::string_view bytes);
  void end(std::optional<ApiError>);

  base::Executor& executor_;
  WatchHandler* handler_;  // null once closed or ended; executor only
  std::function<void()> resume_;
  LineSplitter lines_;  // executor only

  std::mutex mutex_;  // guards the rest
  std::string queued_;
  std::size_t queued_bytes_ = 0;  // with those that are being delivered
  bool scheduled_ = false;
  bool paused_ = false;
  bool finished_ = false;
  std::optional<ApiError> error_;
};

}  // namespace kruise::client
