// A server as blocking calls: what scripts want. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "client/client.hpp"
#include "client/error.hpp"

namespace kruise::session {

/// What was asked for cannot be had, in one line for the user: a kubeconfig without that context, a port in use, ...
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Called about every 100 ms while a call waits; may throw to end the wait (Python's Ctrl-C).
using Poll = std::function<void()>;

class WatchStream {
 public:
  virtual ~WatchStream() = default;
  /// The next event as JSON text; nothing at `deadline`, or when the stream is over. Throws client::ApiException.
  [[nodiscard]] virtual std::optional<std::string> next(std::optional<base::MonoTime> deadline, const Poll&) = 0;
  virtual void close() = 0;
  /// True when `next` gave nothing because, in virtual time, nothing more is due.
  [[nodiscard]] virtual bool drained() const = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;
  /// The body of the answer. Throws client::ApiException.
  [[nodiscard]] virtual std::string request(client::Request, const Poll&) = 0;
  [[nodiscard]] virtual std::unique_ptr<WatchStream> watch(std::string_view path) = 0;
  /// The namespace of the kubeconfig's context; empty where there is none.
  [[nodiscard]] virtual std::string default_namespace() const = 0;
  [[nodiscard]] virtual std::string server() const = 0;
};

}  // namespace kruise::session
