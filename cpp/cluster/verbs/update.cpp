#include <nlohmann/json.hpp>

#include "cluster/metadata.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/ownership.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr int kAttemptsMax = 100;

/// A write that takes the last finalizer of an object being deleted, deletes it.
bool ends_life(const Kind& kind, const Json& now, const Object& before) {
  const Json& old = before.tree().at("metadata");
  if (member(old, "deletionTimestamp") == nullptr) return false;
  if (kind.keeps_while_deleting(now)) return false;
  return integer_of(old, "deletionGracePeriodSeconds", 0) == 0 && empty_value(member(now.at("metadata"), "finalizers"));
}

/// The body of a PUT against what is stored: the names must agree, the version and UID it carries must hold.
std::optional<Response> check_body(const Call& call, const Json& tree, const Object* before) {
  const Json& metadata = tree.at("metadata");
  const std::string name(text_of(metadata, "name"));
  if (name != call.info.name) {
    return bad_request(
        name.empty() ? "the name of the object (" + call.info.name + " based on URL) was undeterminable: name must be provided"
                     : "the name of the object (" + name + ") does not match the name on the URL (" + call.info.name + ")");
  }
  if (call.kind->names().namespaced) {
    if (auto refused = refuse_other_namespace(call, metadata)) return refused;
  }
  if (before == nullptr) return std::nullopt;
  const auto uid = text_of(metadata, "uid");
  const auto stored_uid = text_at(before->tree(), {"metadata", "uid"});
  if (!uid.empty() && uid != stored_uid) {
    return conflict(call.subject(), "StorageError: invalid object, Code: 4, Key: " + call.storage_key() +
                                        ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
                                        std::string(uid) + ", UID in object meta: " + std::string(stored_uid));
  }
  return std::nullopt;
}

std::optional<Response> check_version(const Call& call, const Json& tree, const Object& before, bool required) {
  const auto version = text_at(tree, {"metadata", "resourceVersion"});
  if (version.empty() || version == "0") {
    if (!required || call.kind->traits().unconditional_update) return std::nullopt;
    FieldErrors errors;
    errors.invalid("metadata.resourceVersion", 0, "must be specified for an update");
    Subject subject = call.subject();
    subject.kind = subject.resource;
    return invalid(subject, errors);
  }
  if (version.find_first_not_of("0123456789") != std::string_view::npos) {
    return answer({.code = 500, .message = "strconv.ParseUint: parsing \"" + std::string(version) + "\": invalid syntax"});
  }
  if (version != std::to_string(before.version())) return stale(call.subject());
  return std::nullopt;
}

Response replace(Call& call, Part part) {
  auto body = read_object(call);
  if (!body) return body.error();
  const ObjectPtr found = call.stored();
  if (auto refusal = check_body(call, *body, found.get())) return *refusal;
  if (!found && part == Part::kObject && call.kind->traits().create_on_update) return create_object(call, std::move(*body));
  call.kind->set_defaults(*body);
  return write_successor(call, part, [&](const Object& before) -> base::Result<Next, Response> {
    if (auto refusal = check_version(call, *body, before, true)) return *refusal;
    return Next{*body};
  });
}

}  // namespace

Response write_successor(Call& call, Part part, const Successor& successor) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const ObjectPtr before = call.stored();
    if (!before) return not_found(call.subject());
    auto made = successor(*before);
    if (!made) return made.error();
    Json now = std::move(made->tree);
    if (auto refusal = check_version(call, now, *before, false)) return *refusal;

    std::optional<Json> converted;
    if (call.kind->converted()) call.to_served(converted.emplace(before->tree()));
    const Json& was = converted ? *converted : before->tree();
    const std::optional<Json> asked = take_managed_fields(now);
    keep_identity(now, was);
    OwnersPtr owners = before->owners();
    if (made->owners) {
      owners = *made->owners;
    } else if (part != Part::kBinding) {
      owners = owners_of_update(call, was, now, asked, owners);
    }
    FieldErrors errors;
    if (part == Part::kStatus) {
      call.kind->prepare_status_update(now, was);
      call.kind->validate_status_update(now, was, errors);
    } else if (part == Part::kObject) {
      call.kind->prepare_update(now, was);
      call.kind->validate_update(now, was, errors);
    }
    if (!errors.empty()) {
      Subject subject = call.subject();
      subject.kind = text_of(now, "kind");
      return invalid(subject, errors);
    }

    call.to_stored(now);
    if (same_but_for_times(owners, before->owners()) && now == before->tree()) return call.show(*before);
    if (call.dry_run()) return call.show(std::move(now), owners);
    Storage& storage = call.context.storage();
    if (ends_life(*call.kind, now, *before)) {
      // Watches see it go as it was stored; the writer sees what it wrote.
      if (!storage.remove(call.kind->table(), before, call.writer())) continue;
      return call.show(std::move(now), owners);
    }
    const ObjectPtr object =
        storage.put(call.kind->table(), before->path(), std::move(now), std::move(owners), before, call.writer());
    if (object) return call.show(*object);
  }
  return stale(call.subject());
}

Response update(Call& call) { return replace(call, Part::kObject); }
Response update_status(Call& call) { return replace(call, Part::kStatus); }

Response finalize_namespace(Call& call) {
  auto body = read_tree(call, nullptr);
  if (!body) return body.error();
  const Json* wanted = member_at(*body, {"spec", "finalizers"});
  const Json finalizers = wanted != nullptr && wanted->is_array() ? *wanted : Json::array();
  return write_successor(call, Part::kBinding, [&](const Object& before) -> base::Result<Next, Response> {
    Json tree = before.tree();
    object_in(tree, "spec")["finalizers"] = finalizers;
    return Next{std::move(tree)};
  });
}

}  // namespace kruise::cluster
