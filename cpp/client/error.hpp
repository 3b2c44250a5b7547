// What an API server says when it refuses, as a value.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace kruise::client {

/// One cause of a refusal, as in Status.details.causes.
struct Cause {
  std::string reason;  // FieldValueInvalid, FieldManagerConflict, ...
  std::string message;
  std::string field;  // spec.replicas
  bool operator==(const Cause&) const = default;
};

/// A failed call. `code` is the HTTP status, 0 when no answer came.
struct ApiError {
  int code = 0;
  /// NotFound, AlreadyExists, Conflict, Invalid, Expired, TooManyRequests, ...; when code is 0 one of: Unreachable (no
  /// connection), Broken (it broke midway, or bytes are foreign), Timeout, TooLarge (a limit of ours), Credentials, Aborted (by
  /// us), Overloaded (our queue is full).
  std::string reason;
  std::string message{};
  std::vector<Cause> causes{};
  std::optional<base::Duration> retry_after{};
  /// True when the request may have been carried out although no answer says
  /// so.
  bool outcome_unknown = false;

  [[nodiscard]] bool not_found() const { return code == 404; }
  [[nodiscard]] bool conflict() const { return code == 409 && reason == "Conflict"; }
  [[nodiscard]] bool already_exists() const { return code == 409 && reason == "AlreadyExists"; }
  [[nodiscard]] bool invalid() const { return code == 422; }
  [[nodiscard]] bool expired() const { return code == 410; }
  [[nodiscard]] bool too_many_requests() const { return code == 429; }
  /// "pods \"web-1\" not found (404 NotFound)"
  [[nodiscard]] std::string text() const;
};

/// Reads a metav1.Status; of a body that is none (a proxy's page, cut or
/// foreign bytes) a short excerpt becomes the message. A missing reason is
/// derived from the code. With an `http_code` below 400 (ERROR event of a
/// watch) the code is the one in the Status, or 500.
[[nodiscard]] ApiError error_from_status(int http_code, std::string_view body, std::optional<base::Duration> retry_after = {});

/// The exception form, for synchronous callers (Python, command line).
class ApiException : public std::runtime_error {
 public:
  explicit ApiException(ApiError error) : std::runtime_error(error.text()), error_(std::move(error)) {}
  [[nodiscard]] const ApiError& error() const { return error_; }

 private:
  ApiError error_;
};

}  // namespace kruise::client
