// Why bytes could not be read as an object.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace kruise::api {

/// Either the text is no JSON at all (`syntax`: cut or foreign bytes, nothing after it can be trusted), or it is, and one field
/// has a type that it cannot have (the fault stays with this object). Thrown by `decode`, a value of `try_decode`.
struct DecodeError : std::exception {
  DecodeError() = default;
  DecodeError(std::string where, std::string problem, bool is_syntax = false)
      : path(std::move(where)),
        message(std::move(problem)),
        syntax(is_syntax),
        whole_(path.empty() ? message : path + ": " + message) {}

  std::string path;     // "spec.containers[0].name"; empty for the whole text
  std::string message;  // "expected a string, found a number"
  bool syntax = false;

  bool operator==(const DecodeError& other) const {
    return path == other.path && message == other.message && syntax == other.syntax;
  }
  [[nodiscard]] std::string text() const { return path.empty() ? message : path + ": " + message; }
  [[nodiscard]] const char* what() const noexcept override { return whole_.c_str(); }

 private:
  std::string whole_;
};

}  // namespace kruise::api
