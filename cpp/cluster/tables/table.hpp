// meta.k8s.io/v1 Table: what `kubectl get` prints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// Rows of objects. `metadata` is the list's metadata as JSON text; `include_object` is None, Metadata (also when empty) or
/// Object. Only the first table of a watch has column definitions (`with_columns`).
[[nodiscard]] std::string table_text(const Kind&, const std::vector<const Object*>& rows, std::string_view metadata,
                                     std::string_view include_object, base::Time now, bool with_columns);

}  // namespace kruise::cluster
