#include "cluster/tables/columns.hpp"

#include <nlohmann/json.hpp>

#include "base/time.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {

std::string age_text(base::Duration age) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const auto unit = [](std::int64_t count, const char* name) { return std::to_string(count) + name; };
  const auto pair = [&](std::int64_t large, const char* large_name, std::int64_t small, const char* small_name) {
    return small == 0 ? unit(large, large_name) : unit(large, large_name) + unit(small, small_name);
  };
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const std::int64_t days = hours / 24;
  if (seconds < 120) return unit(seconds, "s");
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (hours < 3) return unit(minutes, "m");
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return unit(hours, "h");
  if (days < 8) return pair(days, "d", hours % 24, "h");
  const std::int64_t years = days / 365;
  if (years < 2) return unit(days, "d");
  if (years < 8) return pair(years, "y", days % 365, "d");
  return unit(years, "y");
}

std::string age_of(std::string_view time, base::Time now) {
  const auto since = base::parse_time(time);
  return since ? age_text(now - *since) : "<unknown>";
}

std::vector<Column> columns_of(const Kind& kind) {
  if (auto declared = kind.columns(); !declared.empty()) return declared;
  return {{.name = "Name",
           .format = "name",
           .cell = [](const Json& tree, base::Time) { return Json(text_at(tree, {"metadata", "name"})); }},
          {.name = kind.custom() ? "Age" : "Created At",
           .type = kind.custom() ? "date" : "date",
           .cell = [](const Json& tree, base::Time now) {
             return Json(age_of(text_at(tree, {"metadata", "creationTimestamp"}), now));
           }}};
}

}  // namespace kruise::cluster
