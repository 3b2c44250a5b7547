// /openapi/v3: what kubectl asks for before apply, create, edit, diff and explain.
#pragma once

#include "cluster/answer.hpp"
#include "cluster/kind.hpp"
#include "cluster/query.hpp"

namespace kruise::cluster {

/// Answers the index and the documents of each group and version; other paths are 404 (there is no version 2 of it).
[[nodiscard]] Response openapi(const Catalog&, const RequestInfo&);

}  // namespace kruise::cluster
