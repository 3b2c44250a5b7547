// Which kinds a server has: those that can be listed, watched and deleted, in the version it prefers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/scheme.hpp"
#include "client/client.hpp"

namespace kruise::cluster::gc {

/// Asks the discovery endpoints; `done` is called once on the client's executor, with nothing when some answer was an error.
/// Destroying the returned handle before that silences it.
[[nodiscard]] std::shared_ptr<void> ask_served_kinds(client::Client&,
                                                     std::function<void(std::optional<std::vector<api::Resource>>)> done);

}  // namespace kruise::cluster::gc
