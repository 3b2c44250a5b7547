// The columns of a kind's table.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

struct Column {
  std::string name;
  std::string type = "string";
  std::string format = {};
  std::string description = {};
  int priority = 0;  // above 0: only with -o wide
  std::function<Json(const Json& tree, base::Time now)> cell;
};

/// The columns that the kind declares, or name and age.
[[nodiscard]] std::vector<Column> columns_of(const Kind&);

/// "5d3h", "42s", as kubectl shows ages.
[[nodiscard]] std::string age_text(base::Duration);
/// The age of an RFC 3339 time, "<unknown>" when there is none.
[[nodiscard]] std::string age_of(std::string_view time, base::Time now);

}  // namespace kruise::cluster
