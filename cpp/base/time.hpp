// Points and spans of time, and their Kubernetes text form.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kruise::base {

using Duration = std::chrono::nanoseconds;
/// Wall-clock time (UTC), as recorded in objects.
using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
/// Time that never jumps: for timers, leases and deadlines of this process.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// RFC 3339 in UTC with second precision, as Kubernetes writes it:
/// `2021-03-01T08:00:00Z`.
[[nodiscard]] std::string format_time(Time);
/// RFC 3339 in UTC with microseconds (`MicroTime` of Lease and Event):
/// `2021-03-01T08:00:00.000000Z`.
[[nodiscard]] std::string format_micro_time(Time);
/// A time of any year. What lies before 1900 or after 2190 is taken for the nearest of the two: nanoseconds reach from 1677 to
/// 2262, and between these all differences fit, and sums with as many seconds as a field of 32 bits holds.
[[nodiscard]] Time nearest_time(std::chrono::sys_seconds);
/// Reads RFC 3339 with an optional fraction and any offset, as `nearest_time`; absent when the
/// text is none.
[[nodiscard]] std::optional<Time> parse_time(std::string_view);
/// Reads a Go duration such as `1h2m3.5s` or `500ms`; absent when the text is
/// none.
[[nodiscard]] std::optional<Duration> parse_go_duration(std::string_view);
/// Writes a duration as Go does: `1h2m3.5s`, `500ms`, `0s`.
[[nodiscard]] std::string format_go_duration(Duration);

}  // namespace kruise::base
