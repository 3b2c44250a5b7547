// The owners of fields in the verbs: what a request says of them, and what its write does to them.
#pragma once

#include <optional>

#include "cluster/fields/tracker.hpp"
#include "cluster/verbs/call.hpp"

namespace kruise::cluster {

/// Takes metadata.managedFields out of a client's tree.
[[nodiscard]] std::optional<Json> take_managed_fields(Json& tree);
/// Puts them in, for patches that may touch them.
void show_managed_fields(Json& tree, const OwnersPtr&);
/// Empty lists are dropped when a body is brought into form, but this one asks for something: it gets the other form of asking.
void keep_owner_reset(Json& tree);

/// The kind of the call in a version of its group ("apps/v1"); null when that is not served.
[[nodiscard]] KindPtr kind_in(const Call&, const std::string& api_version);
/// The write of a call as the tracker sees it. It holds on to the call.
[[nodiscard]] fields::Write write_of(Call&);
[[nodiscard]] OwnersPtr owners_of(std::vector<fields::Owner>);
[[nodiscard]] std::vector<fields::Owner> list_of(const OwnersPtr&);
[[nodiscard]] bool same_but_for_times(const OwnersPtr&, const OwnersPtr&);

/// The owners of a new object. `asked`: the managedFields that the client sent along.
[[nodiscard]] OwnersPtr owners_of_creation(Call&, const Json& tree, const std::optional<Json>& asked);
/// After `before`, whose owners are `live`, became `after`; both in the version of the call.
[[nodiscard]] OwnersPtr owners_of_update(Call&, const Json& before, const Json& after, const std::optional<Json>& asked,
                                         const OwnersPtr& live);

/// The answer to a configuration that has not the form of its type, if it has not.
[[nodiscard]] std::optional<Response> check_form(const Json& config, const fields::FieldType&);
/// The answer to a configuration that changes what others own.
[[nodiscard]] Response conflicts_answer(const std::vector<fields::Conflict>&);

}  // namespace kruise::cluster
