// Cuts a stream of bytes, that arrives in pieces of any size, into lines with room after each for simdjson.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kruise::client {

/// No event of a watch is longer: an object of etcd has at most a few MiB.
inline constexpr std::size_t kLineBytesMax = 16U << 20U;

/// One thread.
class LineSplitter {
 public:
  enum class Result : bool { kContinue, kTooLong };
  explicit LineSplitter(std::size_t line_bytes_max = kLineBytesMax) : line_bytes_max_(line_bytes_max) {}

  /// Takes bytes and calls `on_line` for each line now complete, without its newline; empty lines are left out. Client::kPadding
  /// readable bytes follow each. `on_line` returns whether to go on; after false, or kTooLong, the splitter must not be fed
  /// again.
  Result feed(std::string_view bytes, const std::function<bool(std::string_view)>& on_line);

  /// Whether bytes of an unfinished line are held.
  [[nodiscard]] bool has_rest() const { return !buffer_.empty(); }

 private:
  std::size_t line_bytes_max_;
  std::string buffer_;
};

}  // namespace kruise::client
