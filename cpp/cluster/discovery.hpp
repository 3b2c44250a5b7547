// What the server serves, told about itself: groups, versions, resources, health and version.
#pragma once

#include "cluster/answer.hpp"
#include "cluster/kind.hpp"
#include "cluster/query.hpp"

namespace kruise::cluster {

/// Answers every path that names no resource.
[[nodiscard]] Response discovery(const Catalog&, const RequestInfo&, const client::Request&);

}  // namespace kruise::cluster
