// Integers that may be written as a percentage of a total.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace kruise::api {

/// The wire form: a JSON number or string, not yet judged.
struct IntOrString {
  std::variant<std::int64_t, std::string> value = std::int64_t{0};
  IntOrString() = default;
  IntOrString(int v) : value(std::int64_t{v}) {}         // NOLINT: else 0 could be a null pointer
  IntOrString(std::int64_t v) : value(v) {}              // NOLINT: reads as the number it is
  IntOrString(std::string v) : value(std::move(v)) {}    // NOLINT
  IntOrString(const char* v) : value(std::string(v)) {}  // NOLINT
  bool operator==(const IntOrString&) const = default;
  [[nodiscard]] bool is_percent_text() const { return value.index() == 1; }
};

enum class Round : bool { kDown, kUp };

/// An integer is itself; "N%" (decimals allowed) is N × total ÷ 100 in double, in this order, rounded as asked.
/// Absent when the text is no percentage ("5" without a `%` is none). Negative results are returned as they are.
[[nodiscard]] std::optional<std::int64_t> scaled(const IntOrString&, std::int64_t total, Round);

}  // namespace kruise::api
