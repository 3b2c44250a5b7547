// Why bytes could not be read as an object.
#pragma once

#include <string>

namespace kruise::api {

/// Either the text is no JSON at all (`syntax`: cut or foreign bytes, nothing after it can be trusted), or it is, and one field
/// has a type that it cannot have (the fault stays with this object).
struct DecodeError {
  std::string path;     // "spec.containers[0].name"; empty for the whole text
  std::string message;  // "expected a string, found a number"
  bool syntax = false;
  bool operator==(const DecodeError&) const = default;
  [[nodiscard]] std::string text() const { return path.empty() ? message : path + ": " + message; }
};

}  // namespace kruise::api
