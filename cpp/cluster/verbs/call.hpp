// One request to a resource, resolved: what every verb starts from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cluster/answer.hpp"
#include "cluster/context.hpp"
#include "cluster/query.hpp"
#include "patch/error.hpp"

namespace kruise::cluster {

struct Call {
  Context& context;
  const client::Request& request;
  const RequestInfo& info;
  KindPtr kind;
  base::Time now;
  std::vector<std::string> warnings{};  // grow while the call is carried out

  [[nodiscard]] Subject subject(std::string_view name) const;
  [[nodiscard]] Subject subject() const { return subject(info.name); }
  [[nodiscard]] bool dry_run() const { return info.query.get("dryRun") == "All"; }
  [[nodiscard]] std::string path(std::string_view name) const;
  [[nodiscard]] Storage::Writer writer() const { return {.user_agent = request.user_agent}; }
  [[nodiscard]] ObjectPtr stored() const { return context.storage().get(kind->table(), path(info.name)); }
  /// Where etcd would hold the object, which answers about preconditions name.
  [[nodiscard]] std::string storage_key() const;
  /// The object in the form the client asks for.
  [[nodiscard]] Response show(const Object&, int code = 200) const;
  /// The same for a tree that was not stored (dry run).
  [[nodiscard]] Response show(Json tree, const OwnersPtr& owners, int code = 200) const;
  /// Stored trees are of the stored version; verbs work on the requested one.
  void to_served(Json& tree) const;
  void to_stored(Json& tree) const;
};

/// Reads the body by its content type (JSON, YAML, protobuf) and brings it into the kind's form with defaults. Answers 400 and
/// 415.
[[nodiscard]] base::Result<Json, Response> read_object(Call&);
/// The body's tree as it came.
[[nodiscard]] base::Result<Json, Response> read_tree(Call&, std::vector<std::string>* duplicates);
/// Judges unknown and doubled members by `fieldValidation`: an error text under Strict, warnings under Warn.
[[nodiscard]] std::optional<std::string> judge_strictly(Call&, const std::vector<std::string>& unknown,
                                                        const std::vector<std::string>& duplicates);

/// A namespace that the body names is the path's.
[[nodiscard]] std::optional<Response> refuse_other_namespace(const Call&, const Json& metadata);

/// A patch that does not apply.
[[nodiscard]] Response refused(const patch::Error&);

}  // namespace kruise::cluster
