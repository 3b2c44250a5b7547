#include <nlohmann/json.hpp>

#include "cluster/metadata.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/ownership.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr int kNameAttemptsMax = 8;

std::optional<Response> check_namespace(const Call& call) {
  if (!call.kind->names().namespaced) return std::nullopt;
  const ObjectPtr home = call.context.storage().get(call.context.storage().table("", "namespaces"), call.info.ns);
  const Subject subject{.group = {}, .resource = "namespaces", .kind = "Namespace", .name = call.info.ns, .uid = {}};
  if (!home) return not_found(subject);
  if (text_at(home->tree(), {"status", "phase"}) == "Terminating") {
    return forbidden(call.subject(),
                     "unable to create new content in namespace " + call.info.ns + " because it is being terminated",
                     {{"NamespaceTerminating", "namespace " + call.info.ns + " is being terminated", "metadata.namespace"}});
  }
  return std::nullopt;
}

std::optional<Response> settle_namespace(const Call& call, Json& tree) {
  Json& metadata = object_in(tree, "metadata");
  if (!call.kind->names().namespaced) {
    metadata.erase("namespace");
    return std::nullopt;
  }
  if (auto refused = refuse_other_namespace(call, metadata)) return refused;
  metadata["namespace"] = call.info.ns;
  return std::nullopt;
}

}  // namespace

Response create(Call& call) {
  auto tree = read_object(call);
  if (!tree) return tree.error();
  return create_object(call, std::move(*tree));
}

Response create_object(Call& call, Json tree, std::optional<OwnersPtr> owners) {
  const std::optional<Json> asked = take_managed_fields(tree);
  if (auto refusal = settle_namespace(call, tree)) return *refusal;
  Json& metadata = tree["metadata"];
  const std::string base(text_of(metadata, "generateName"));
  const bool generated = text_of(metadata, "name").empty() && !base.empty();
  if (!text_of(metadata, "resourceVersion").empty()) {
    return answer({.code = 500, .message = "resourceVersion should not be set on objects to be created"});
  }
  std::string name(text_of(metadata, "name"));
  if (auto refusal = check_namespace(call)) return *refusal;
  if (call.kind->traits().terminating)
    return forbidden(call.subject(name), "create not allowed while custom resource definition is terminating");

  for (int attempt = 1;; ++attempt) {
    if (generated) {
      name = call.context.new_name(base);
      tree["metadata"]["name"] = name;
    }
    if (attempt == 1) {
      call.kind->set_defaults(tree);
      begin_life(tree, call.context.new_uid(), call.now);
      if (!owners) owners = owners_of_creation(call, tree, asked);
      call.kind->prepare_create(tree);
      FieldErrors errors;
      call.kind->validate_create(tree, errors);
      if (!errors.empty()) {
        Subject subject = call.subject(name);
        subject.kind = text_of(tree, "kind");
        return invalid(subject, errors);
      }
    }
    const std::string path = call.path(name);
    const ObjectPtr holder = call.context.storage().get(call.kind->table(), path);
    const bool taken = holder != nullptr;
    if (!taken && call.dry_run()) return call.show(std::move(tree), *owners, 201);
    if (!taken) {
      Json stored = tree;
      call.to_stored(stored);
      if (const ObjectPtr object =
              call.context.storage().put(call.kind->table(), path, std::move(stored), *owners, nullptr, call.writer())) {
        return call.show(*object, 201);
      }
    }
    if (!generated || attempt == kNameAttemptsMax) {
      const bool leaving = holder && member_at(holder->tree(), {"metadata", "deletionTimestamp"}) != nullptr;
      return already_exists(call.subject(name), leaving ? "object is being deleted: " : "");
    }
  }
}

}  // namespace kruise::cluster
