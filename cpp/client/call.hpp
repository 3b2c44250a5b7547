// One request on its way: waiting, in flight, tried again. Lives on the I/O thread.
#pragma once

#include <optional>
#include <string>

#include "client/curl_handle.hpp"

namespace kruise::client {

/// Larger answers are refused (lists come in pages).
inline constexpr std::size_t kBodyBytesMax = 256U << 20U;

struct Call {
  Request request;
  Done done;
  base::MonoTime deadline{};
  base::MonoTime not_before{};
  bool token_taken = false;  // of the rate limiter
  bool renewed = false;      // credentials, after a 401
  int retries = 0;

  // Of the present attempt.
  std::optional<CurlHandle> handle;
  Credentials::Current credentials;
  base::MonoTime started{};
  int local_port = 0;  // of the connection it runs on; 0: libcurl still looks for one or opens it
  std::size_t body_read = 0;
  bool sent = false;  // the body was handed out: the server may act on it
  std::string answer;
  bool too_large = false;
  bool stopped = false;                          // by write_stopped
  const std::function<bool()>* write_stopped{};  // asked before each piece of a body; null for reads and exempt requests

  [[nodiscard]] bool is_read() const { return request.method == "GET" || request.method == "HEAD"; }
  static const CurlCallbacks kCallbacks;
};

/// Whether nothing of the request can have reached the server.
[[nodiscard]] bool surely_not_sent(const Call&);
/// Whether trying again may help: the connection failed, not the request.
[[nodiscard]] bool is_connection_error(CURLcode);
/// An error of our own making: there is no answer. `reason` is one of those that ApiError lists for code 0.
[[nodiscard]] ApiError own_error(std::string reason, std::string message);
/// The typed error of a failed attempt. `who` is the server, and the way there, for the message.
[[nodiscard]] ApiError transport_error(CURLcode, const CurlHandle&, std::string_view who);

}  // namespace kruise::client
