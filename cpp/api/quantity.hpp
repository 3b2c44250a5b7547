// Kubernetes' resource quantities: "500m", "1.5Gi", "1e3".
//
//     api::Quantity::parse("1024Mi")->text();   // "1Gi"
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kruise::api {

/// A decimal number of any size and how it likes to be written. As in Kubernetes, what is finer than a nano is rounded away from
/// zero, and binary quantities end at 2^63-1.
class Quantity {
 public:
  enum class Format : std::uint8_t { kDecimalSI, kBinarySI, kDecimalExponent };
  static constexpr std::size_t kTextMax = 200;

  /// Absent when the text is none, or longer than kTextMax.
  [[nodiscard]] static std::optional<Quantity> parse(std::string_view);

  /// The form in which API servers write it back: canonical, but for texts that Kubernetes takes for canonical ("1.500" stays).
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_zero() const { return digits_.empty(); }
  [[nodiscard]] bool is_negative() const { return negative_; }
  /// What is finer than a milli is rounded away from zero, as API servers do to limits and requests.
  [[nodiscard]] Quantity rounded_up_to_milli() const;
  /// By value: "1" equals "1000m".
  [[nodiscard]] std::strong_ordering operator<=>(const Quantity&) const;
  [[nodiscard]] bool operator==(const Quantity& other) const { return (*this <=> other) == 0; }

 private:
  void round_away_from_zero(std::int32_t exponent_min);
  [[nodiscard]] std::string decimal_text() const;

  bool negative_ = false;
  std::string digits_;         // of the mantissa, without leading or trailing zeros; empty: zero
  std::int32_t exponent_ = 0;  // of ten
  Format format_ = Format::kDecimalSI;
  std::string kept_text_;  // as given, where Kubernetes gives it back unchanged
};

}  // namespace kruise::api
