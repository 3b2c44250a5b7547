#include "api/quantity.hpp"

#include <algorithm>
#include <charconv>
#include <ranges>

namespace kruise::api {
namespace {

constexpr std::int32_t kNano = -9;
constexpr std::int32_t kMilli = -3;
constexpr std::int32_t kExponentMax = 1000;
constexpr std::string_view kBinaryMax = "9223372036854775807";

struct Suffix {
  std::string_view text;
  Quantity::Format format;
  std::int32_t exponent;  // of ten or of two
};
constexpr Suffix kSuffixes[] = {
    {"n", Quantity::Format::kDecimalSI, -9}, {"u", Quantity::Format::kDecimalSI, -6}, {"m", Quantity::Format::kDecimalSI, -3},
    {"", Quantity::Format::kDecimalSI, 0},   {"k", Quantity::Format::kDecimalSI, 3},  {"M", Quantity::Format::kDecimalSI, 6},
    {"G", Quantity::Format::kDecimalSI, 9},  {"T", Quantity::Format::kDecimalSI, 12}, {"P", Quantity::Format::kDecimalSI, 15},
    {"E", Quantity::Format::kDecimalSI, 18}, {"Ki", Quantity::Format::kBinarySI, 10}, {"Mi", Quantity::Format::kBinarySI, 20},
    {"Gi", Quantity::Format::kBinarySI, 30}, {"Ti", Quantity::Format::kBinarySI, 40}, {"Pi", Quantity::Format::kBinarySI, 50},
    {"Ei", Quantity::Format::kBinarySI, 60},
};

std::optional<Suffix> suffix_of(std::string_view text) {
  const auto* const found = std::ranges::find(kSuffixes, text, &Suffix::text);
  if (found != std::end(kSuffixes)) return *found;
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return {};
  text.remove_prefix(1);
  if (text[0] == '+' && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  std::int32_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc{} || end != text.data() + text.size() || std::abs(exponent) > kExponentMax) return {};
  return Suffix{{}, Quantity::Format::kDecimalExponent, exponent};
}

std::string_view digits_at(std::string_view text, std::size_t from) {
  const auto end = text.find_first_not_of("0123456789", from);
  return text.substr(from, end == std::string_view::npos ? end : end - from);
}

void strip_leading_zeros(std::string& digits) { digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size())); }

void multiply(std::string& digits, unsigned factor) {
  unsigned carry = 0;
  for (char& digit : digits | std::views::reverse) {
    carry += static_cast<unsigned>(digit - '0') * factor;
    digit = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  for (; carry != 0; carry /= 10) digits.insert(digits.begin(), static_cast<char>('0' + carry % 10));
}

/// The quotient, if the division leaves nothing.
std::optional<std::string> divided(const std::string& digits, unsigned divisor) {
  std::string quotient;
  unsigned rest = 0;
  for (const char digit : digits) {
    rest = rest * 10 + static_cast<unsigned>(digit - '0');
    quotient += static_cast<char>('0' + rest / divisor);
    rest %= divisor;
  }
  if (rest != 0) return {};
  strip_leading_zeros(quotient);
  return quotient;
}

void increment(std::string& digits) {
  auto digit = digits.rbegin();
  for (; digit != digits.rend() && *digit == '9'; ++digit) *digit = '0';
  if (digit == digits.rend()) {
    digits.insert(digits.begin(), '1');
  } else {
    ++*digit;
  }
}

/// Kubernetes reads numbers of few digits on a fast way, and gives the text of some of them back as it was.
bool keeps_text(const Suffix& suffix, std::string_view whole, std::string_view fraction) {
  const auto width = static_cast<std::int32_t>(whole.size() + fraction.size());
  if (suffix.format == Quantity::Format::kBinarySI) {
    if (!fraction.empty() || 15 - width - suffix.exponent * 3 / 10 - 1 < 0) return false;
    unsigned value = 0;
    for (const char digit : whole) value = (value * 10 + static_cast<unsigned>(digit - '0')) % 8;
    return value != 0;
  }
  const std::int32_t scale = suffix.exponent - static_cast<std::int32_t>(fraction.size());
  const std::string shifted = std::string(whole) + std::string(fraction);
  return width <= 18 && scale >= kNano && scale % 3 == 0 && !shifted.ends_with("000") && shifted.front() != '0';
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  if (text.empty() || text.size() > kTextMax) return {};
  Quantity out;
  std::size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  out.negative_ = text[0] == '-';
  std::string_view whole = digits_at(text, at);
  at += whole.size();
  std::string_view fraction;
  if (at < text.size() && text[at] == '.') {
    fraction = digits_at(text, at + 1);
    at += 1 + fraction.size();
  }
  if (whole.empty() && fraction.empty()) return {};
  const auto suffix = suffix_of(text.substr(at));
  if (!suffix) return {};
  out.format_ = suffix->format;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  if (keeps_text(*suffix, whole, fraction)) out.kept_text_ = text;

  out.digits_ = std::string(whole) + std::string(fraction);
  strip_leading_zeros(out.digits_);
  out.exponent_ = -static_cast<std::int32_t>(fraction.size());
  if (suffix->format == Format::kBinarySI) {
    for (int i = 0; i < suffix->exponent / 10; ++i) multiply(out.digits_, 1024);
  } else {
    out.exponent_ += suffix->exponent;
  }
  out.round_away_from_zero(kNano);
  if (out.is_zero()) return Quantity();
  if (out.format_ == Format::kBinarySI) {
    Quantity most;
    most.digits_ = kBinaryMax;
    Quantity size = out;
    size.negative_ = false;
    if (size > most) {
      out.digits_ = kBinaryMax;
      out.exponent_ = 0;
      out.kept_text_.clear();
    }
  }
  return out;
}

void Quantity::round_away_from_zero(std::int32_t exponent_min) {
  if (exponent_ < exponent_min && !digits_.empty()) {
    const auto dropped = std::min(static_cast<std::size_t>(exponent_min - exponent_), digits_.size());
    const bool inexact = digits_.find_first_not_of('0', digits_.size() - dropped) != std::string::npos;
    digits_.erase(digits_.size() - dropped);
    exponent_ = exponent_min;
    if (inexact) increment(digits_);
    kept_text_.clear();
  }
  while (!digits_.empty() && digits_.back() == '0') {
    digits_.pop_back();
    ++exponent_;
  }
  if (digits_.empty()) exponent_ = 0;
}

Quantity Quantity::rounded_up_to_milli() const {
  Quantity out = *this;
  out.round_away_from_zero(kMilli);
  return out;
}

std::strong_ordering Quantity::operator<=>(const Quantity& other) const {
  const auto sign = [](const Quantity& q) { return q.is_zero() ? 0 : q.negative_ ? -1 : 1; };
  if (sign(*this) != sign(other) || is_zero()) return sign(*this) <=> sign(other);
  const auto magnitude = [&]() -> std::strong_ordering {
    const auto places = static_cast<std::int64_t>(digits_.size()) + exponent_;
    const auto other_places = static_cast<std::int64_t>(other.digits_.size()) + other.exponent_;
    if (places != other_places) return places <=> other_places;
    return digits_ <=> other.digits_;  // aligned at the first digit, and without trailing zeros
  }();
  return negative_ ? 0 <=> magnitude : magnitude;
}

std::string Quantity::decimal_text() const {
  std::string number = digits_;
  std::int32_t exponent = exponent_;
  while (exponent % 3 != 0) {
    number += '0';
    --exponent;
  }
  const Format format = format_ == Format::kBinarySI ? Format::kDecimalSI : format_;
  if (format == Format::kDecimalSI) {
    for (const auto& suffix : kSuffixes) {
      if (suffix.format == format && suffix.exponent == exponent) return number + std::string(suffix.text);
    }
  }
  return exponent == 0 ? number : number + "e" + std::to_string(exponent);
}

std::string Quantity::text() const {
  if (!kept_text_.empty()) return kept_text_;
  if (is_zero()) return "0";
  const std::string sign = negative_ ? "-" : "";
  const bool below_1024 = static_cast<std::int64_t>(digits_.size()) + exponent_ < 4 ||
                          (static_cast<std::int64_t>(digits_.size()) + exponent_ == 4 && digits_ < "1024");
  if (format_ != Format::kBinarySI || exponent_ < 0 || below_1024) return sign + decimal_text();
  std::string number = digits_ + std::string(static_cast<std::size_t>(exponent_), '0');
  std::size_t power = 0;
  for (auto next = divided(number, 1024); next; next = divided(number, 1024)) {
    number = *next;
    ++power;
  }
  constexpr std::string_view kPowers[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  return sign + number + std::string(kPowers[power]);
}

}  // namespace kruise::api
