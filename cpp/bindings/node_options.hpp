// The options of simulated nodes as Python sends them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "session/nodes.hpp"

namespace kruise::bindings {

/// Reads "nodes", "seed" and "delays" of the options. Throws nlohmann's exception where one is missing.
[[nodiscard]] session::NodeOptions node_options(const nlohmann::json& options);

}  // namespace kruise::bindings
