#include "api/int_or_percent.hpp"

#include <charconv>
#include <cmath>

namespace kruise::api {

std::optional<std::int64_t> scaled(const IntOrString& value, std::int64_t total, Round round) {
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) return *number;
  std::string_view text = std::get<std::string>(value.value);
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  if (text.find_first_not_of("0123456789.-") != std::string_view::npos) return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const double exact = percent * static_cast<double>(total) / 100.0;
  constexpr double kLimit = 2147483647.0;
  if (std::abs(exact) > kLimit) return exact > 0 ? 2147483647 : -2147483648LL;
  return static_cast<std::int64_t>(round == Round::kUp ? std::ceil(exact) : std::floor(exact));
}

}  // namespace kruise::api
