#include "base/time.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace kruise::base {
namespace {

struct CivilTime {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::microseconds> clock;
};

CivilTime split(Time t) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(t);
  const auto day = std::chrono::floor<std::chrono::days>(micros);
  return {std::chrono::year_month_day{day}, std::chrono::hh_mm_ss<std::chrono::microseconds>{micros - day}};
}

/// Digits with leading zeros; a number with more of them is not cut.
void append_number(std::string& out, unsigned value, int digits) {
  if (digits > 1 || value > 9) append_number(out, value / 10, digits - 1);
  out += static_cast<char>('0' + value % 10);
}

std::string format(Time t, bool with_micros) {
  const auto [date, clock] = split(t);
  std::string text;
  text.reserve(with_micros ? sizeof("2006-01-02T15:04:05.000000Z") : sizeof("2006-01-02T15:04:05Z"));
  const auto append = [&text](auto value, int digits, char behind) {
    append_number(text, static_cast<unsigned>(value), digits);
    text += behind;
  };
  const int year = static_cast<int>(date.year());
  if (year < 0) text += '-';
  append(std::abs(year), 4, '-');
  append(static_cast<unsigned>(date.month()), 2, '-');
  append(static_cast<unsigned>(date.day()), 2, 'T');
  append(clock.hours().count(), 2, ':');
  append(clock.minutes().count(), 2, ':');
  append(clock.seconds().count(), 2, with_micros ? '.' : 'Z');
  if (with_micros) append(clock.subseconds().count(), 6, 'Z');
  return text;
}

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

bool is(std::string_view text, std::size_t at, char c) { return at < text.size() && text[at] == c; }

std::optional<double> unit_ns(std::string_view unit) {
  if (unit == "ns") return 1.0;
  if (unit == "us" || unit == "\xc2\xb5s" || unit == "\xce\xbcs") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  if (unit == "m") return 60e9;
  if (unit == "h") return 3600e9;
  return std::nullopt;
}

std::string trimmed_fraction(std::int64_t value, std::int64_t unit) {
  std::string text = std::to_string(value / unit);
  std::int64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  for (std::int64_t scale = unit / 10; rest != 0; scale /= 10) {
    text += static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  return text;
}

}  // namespace

std::string format_time(Time t) { return format(t, false); }
std::string format_micro_time(Time t) { return format(t, true); }

Time nearest_time(std::chrono::sys_seconds time) {
  constexpr std::chrono::sys_seconds kFirst = std::chrono::sys_days{std::chrono::year{1900} / 1 / 1};
  constexpr std::chrono::sys_seconds kLast = std::chrono::sys_days{std::chrono::year{2190} / 1 / 1};
  return Time{std::clamp(time, kFirst, kLast)};
}

std::optional<Time> parse_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!digits(text, 0, 4, year) || !is(text, 4, '-') || !digits(text, 5, 2, month) || !is(text, 7, '-') ||
      !digits(text, 8, 2, day) || !(is(text, 10, 'T') || is(text, 10, 't')) || !digits(text, 11, 2, hour) || !is(text, 13, ':') ||
      !digits(text, 14, 2, minute) || !is(text, 16, ':') || !digits(text, 17, 2, second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::size_t at = 19;
  std::int64_t fraction_ns = 0;
  if (is(text, at, '.')) {
    std::int64_t scale = 100'000'000;
    const std::size_t first = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      fraction_ns += (text[at] - '0') * scale;
      scale /= 10;
      ++at;
    }
    if (at == first) return std::nullopt;
  }
  std::chrono::minutes offset{0};
  if (is(text, at, 'Z') || is(text, at, 'z')) {
    ++at;
  } else if (is(text, at, '+') || is(text, at, '-')) {
    int offset_h = 0, offset_m = 0;
    if (!digits(text, at + 1, 2, offset_h) || !is(text, at + 3, ':') || !digits(text, at + 4, 2, offset_m)) return std::nullopt;
    offset = std::chrono::minutes{(offset_h * 60 + offset_m) * (text[at] == '-' ? -1 : 1)};
    at += 6;
  } else {
    return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  const std::chrono::sys_seconds whole = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                                         std::chrono::seconds{second} - offset;
  return nearest_time(whole) + Duration{fraction_ns};
}

std::optional<Duration> parse_go_duration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  double total_ns = 0;
  while (!text.empty()) {
    double value = 0, scale = 1;
    bool seen_digit = false, seen_dot = false;
    while (!text.empty() && ((text.front() >= '0' && text.front() <= '9') || (text.front() == '.' && !seen_dot))) {
      if (text.front() == '.') {
        seen_dot = true;
      } else {
        seen_digit = true;
        value = value * 10 + (text.front() - '0');
        if (seen_dot) scale *= 10;
      }
      text.remove_prefix(1);
    }
    std::size_t length = 0;
    while (length < text.size() && text[length] != '.' && (text[length] < '0' || text[length] > '9')) ++length;
    const auto unit = unit_ns(text.substr(0, length));
    if (!seen_digit || !unit) return std::nullopt;
    total_ns += value / scale * *unit;
    text.remove_prefix(length);
  }
  if (total_ns > 9.2e18) return std::nullopt;
  const auto ns = static_cast<std::int64_t>(std::llround(total_ns));
  return Duration{negative ? -ns : ns};
}

std::string format_go_duration(Duration d) {
  std::int64_t ns = d.count();
  if (ns == 0) return "0s";
  std::string text = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  if (ns < 1'000) return text + std::to_string(ns) + "ns";
  if (ns < 1'000'000) return text + trimmed_fraction(ns, 1'000) + "\xc2\xb5s";
  if (ns < 1'000'000'000) return text + trimmed_fraction(ns, 1'000'000) + "ms";
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t hours = ns / (3600 * second);
  const std::int64_t minutes = ns / (60 * second) % 60;
  if (hours > 0) text += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) text += std::to_string(minutes) + "m";
  return text + trimmed_fraction(ns % (60 * second), second) + "s";
}

}  // namespace kruise::base
