// Why a patch could not be applied, as a Kubernetes API server would class it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace kruise::patch {

struct Error {
  int code = 0;  // the HTTP status an API server answers: 400 malformed, 413 too large, 422 does not apply, 500 see strategic.hpp
  std::string reason;   // metav1.Status.reason: BadRequest, RequestEntityTooLarge, Invalid, or empty with 500
  std::string message;  // what failed, with the path; an API server hides it behind a general sentence when the code is 422
  std::optional<std::size_t> operation;  // of a JSON patch: index of the operation that failed

  [[nodiscard]] static Error malformed(std::string message) { return {400, "BadRequest", std::move(message), {}}; }
  [[nodiscard]] static Error invalid(std::string message) { return {422, "Invalid", std::move(message), {}}; }
  [[nodiscard]] static Error too_large(std::string message) { return {413, "RequestEntityTooLarge", std::move(message), {}}; }
  [[nodiscard]] static Error internal(std::string message) { return {500, "", std::move(message), {}}; }
};

}  // namespace kruise::patch
