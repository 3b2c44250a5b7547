// Which pods stand too close together: what a scale-in looks at so that those left are spread over nodes and topology domains.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/meta.hpp"
#include "workload/ranking.hpp"

namespace kruise::workload {

/// Labels of a node; null when the node is not known.
using NodeLabels = std::function<const api::StringMap*(std::string_view node)>;

/// Sets `spread` of the candidates for deletion, the higher the sooner to go: by the domains of the template's topology spread
/// constraints, or by node where there are none. Pods without a node, and of nodes that are unknown or lack the key, have none.
void set_spread(std::span<Rank> candidates, std::span<const std::string> topology_keys, const NodeLabels&);

}  // namespace kruise::workload
