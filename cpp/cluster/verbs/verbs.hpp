// The verbs, one file each. They answer; nothing is thrown for what a client may get wrong.
#pragma once

#include <functional>
#include <memory>

#include "cluster/api_server.hpp"
#include "cluster/fields/owners.hpp"
#include "cluster/verbs/call.hpp"

namespace kruise::cluster {

[[nodiscard]] Response get(Call&);  // read.cpp
[[nodiscard]] Response list(Call&);
[[nodiscard]] base::Result<std::unique_ptr<ApiServer::Stream>, Response> watch(Call&);  // watch.cpp
[[nodiscard]] Response create(Call&);                                                   // create.cpp
[[nodiscard]] Response update(Call&);                                                   // update.cpp
[[nodiscard]] Response update_status(Call&);
[[nodiscard]] Response finalize_namespace(Call&);  // PUT of the subresource: spec.finalizers, and nothing else
[[nodiscard]] Response patch(Call&);               // patch.cpp; of the object or its status
[[nodiscard]] Response apply(Call&);               // apply.cpp; server-side apply
[[nodiscard]] Response remove(Call&);              // remove.cpp
[[nodiscard]] Response remove_collection(Call&);
[[nodiscard]] Response scale(Call&);            // scale.cpp; get, update and patch of the subresource
[[nodiscard]] Response pod_subresource(Call&);  // pod_subresources.cpp
[[nodiscard]] Response account_token(Call&);    // account_token.cpp; a service account's token
[[nodiscard]] Response review(Call&);           // review.cpp; the answers to "who am I" and "may I"

/// Judges what the query of a write asks for (dry run, field validation, manager): the refusal, if any. write_options.cpp
[[nodiscard]] std::optional<Response> judge_write_options(const Call&);

/// Creates from a tree already read; `name` may come from generateName. Owners are given by who applies, else the writer owns
/// all.
[[nodiscard]] Response create_object(Call&, Json tree, std::optional<OwnersPtr> owners = std::nullopt);

/// What an update writes. Owners are given by who applies, else the writer owns what it changes.
struct Next {
  Json tree;
  std::optional<OwnersPtr> owners = std::nullopt;
};
/// The successor of `before`, or the answer that refuses.
using Successor = std::function<base::Result<Next, Response>(const Object& before)>;
enum class Part : std::uint8_t { kObject, kStatus, kBinding };
/// Reads, asks for the successor, checks and stores it; again when another write came between, unless the body was bound to a
/// version.
[[nodiscard]] Response write_successor(Call&, Part, const Successor&);

/// Deletes one object under the rules of `options` (a DeleteOptions tree).
[[nodiscard]] Response remove_object(Call&, const std::string& path, const Json& options);

}  // namespace kruise::cluster
