#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/selection.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr int kAttemptsMax = 100;
constexpr std::int64_t kGraceSecondsDefault = 30;

std::optional<Response> check_preconditions(const Call& call, const Subject& subject, const Object& object, const Json& options) {
  static_cast<void>(call);
  const auto uid = text_at(options, {"preconditions", "uid"});
  const auto stored = text_at(object.tree(), {"metadata", "uid"});
  if (!uid.empty() && uid != stored) {
    return conflict(subject, "Precondition failed: UID in precondition: " + std::string(uid) +
                                 ", UID in object meta: " + std::string(stored));
  }
  const auto version = text_at(options, {"preconditions", "resourceVersion"});
  if (!version.empty() && version != std::to_string(object.version())) {
    return conflict(subject, "Precondition failed: ResourceVersion in precondition: " + std::string(version) +
                                 ", ResourceVersion in object meta: " + std::to_string(object.version()));
  }
  return std::nullopt;
}

/// Only pods end gracefully: those that a kubelet may be running.
std::int64_t grace_seconds(const Call& call, const Json& pod, const Json& options) {
  if (call.kind->names().plural != "pods" || !call.kind->names().group.empty()) return 0;
  const auto phase = text_at(pod, {"status", "phase"});
  if (text_at(pod, {"spec", "nodeName"}).empty() || phase == "Succeeded" || phase == "Failed") return 0;
  const auto own = integer_of(pod.at("spec"), "terminationGracePeriodSeconds", kGraceSecondsDefault);
  return std::max<std::int64_t>(integer_of(options, "gracePeriodSeconds", own), 0);
}

/// Finalizers as the propagation policy wants them.
Json wanted_finalizers(const Json& metadata, const Json& options) {
  Json finalizers = Json::array();
  const Json* old = member(metadata, "finalizers");
  if (old != nullptr) finalizers = *old;
  std::string policy(text_of(options, "propagationPolicy"));
  if (const Json* orphan = member(options, "orphanDependents"); orphan != nullptr && orphan->is_boolean()) {
    policy = orphan->get<bool>() ? "Orphan" : "Background";
  }
  if (policy.empty()) return finalizers;
  Json kept = Json::array();
  for (const Json& finalizer : finalizers) {
    if (finalizer != "orphan" && finalizer != "foregroundDeletion") kept.push_back(finalizer);
  }
  if (policy == "Orphan") kept.push_back("orphan");
  if (policy == "Foreground") kept.push_back("foregroundDeletion");
  return kept;
}

/// The object with its deletion begun, or changed; nothing when it stays as it is.
std::optional<Json> marked(const Call& call, const Object& object, const Json& finalizers, std::int64_t grace) {
  Json now = object.tree();
  Json& metadata = now["metadata"];
  if (finalizers.empty()) {
    metadata.erase("finalizers");
  } else {
    metadata["finalizers"] = finalizers;
  }
  const Json* period = member(metadata, "deletionGracePeriodSeconds");
  const bool deleting = member(metadata, "deletionTimestamp") != nullptr;
  if (!deleting || (period != nullptr && period->get<std::int64_t>() > grace)) {
    metadata["deletionTimestamp"] = base::format_time(call.now + std::chrono::seconds(grace));
    metadata["deletionGracePeriodSeconds"] = grace;
    if (!deleting && integer_of(metadata, "generation", 0) > 0)
      metadata["generation"] = integer_of(metadata, "generation", 0) + 1;
    if (!deleting && call.kind->names().plural == "namespaces" && call.kind->names().group.empty())
      object_in(now, "status")["phase"] = "Terminating";
  }
  if (now == object.tree()) return std::nullopt;
  return now;
}

base::Result<Json, Response> read_options(Call& call) {
  Json options = Json::object();
  if (!call.request.body.empty()) {
    auto tree = read_tree(call, nullptr);
    if (!tree) return tree.error();
    options = std::move(*tree);
  }
  if (const auto grace = call.info.query.get("gracePeriodSeconds"); !grace.empty()) {
    auto number = parse_json(grace);
    if (number && number->is_number_integer()) options["gracePeriodSeconds"] = *number;
  }
  if (const auto policy = call.info.query.get("propagationPolicy"); !policy.empty()) options["propagationPolicy"] = policy;
  const auto policy = text_of(options, "propagationPolicy");
  if (!policy.empty() && policy != "Orphan" && policy != "Background" && policy != "Foreground") {
    FieldErrors errors;
    errors.not_supported("propagationPolicy", std::string(policy), {"Foreground", "Background", "Orphan", ""});
    return invalid({.group = "meta.k8s.io", .resource = {}, .kind = "DeleteOptions", .name = {}, .uid = {}}, errors);
  }
  return options;
}

bool asks_dry_run(const Call& call, const Json& options) {
  const Json* values = member(options, "dryRun");
  return call.dry_run() || (values != nullptr && values->is_array() && std::ranges::find(*values, Json("All")) != values->end());
}

}  // namespace

Response remove(Call& call) {
  auto options = read_options(call);
  if (!options) return options.error();
  return remove_object(call, call.path(call.info.name), *options);
}

Response remove_object(Call& call, const std::string& path, const Json& options) {
  Storage& storage = call.context.storage();
  const Subject subject = call.subject(path.substr(path.find('/') + 1));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ObjectPtr object = storage.get(call.kind->table(), path);
    if (!object) return not_found(subject);
    if (auto refusal = check_preconditions(call, subject, *object, options)) return *refusal;
    const Json& metadata = object->tree().at("metadata");
    const Json finalizers = wanted_finalizers(metadata, options);
    const std::int64_t grace = grace_seconds(call, object->tree(), options);
    const bool dry = asks_dry_run(call, options);
    const bool held = !finalizers.empty() || grace > 0 || call.kind->keeps_while_deleting(object->tree());
    if (held) {
      auto now = marked(call, *object, finalizers, grace);
      if (!now) return call.show(*object);
      if (dry) return call.show(std::move(*now));
      const ObjectPtr next = storage.put(call.kind->table(), path, std::move(*now), object, call.writer());
      if (!next) continue;
      return call.show(*next);
    }
    if (!dry) {
      const ObjectPtr last = storage.remove(call.kind->table(), object, call.writer());
      if (!last) continue;
      object = last;
    }
    if (call.kind->traits().returns_deleted) return call.show(*object);
    Subject gone = subject;
    gone.uid = text_at(object->tree(), {"metadata", "uid"});
    return deleted(gone);
  }
  return stale(subject);
}

Response remove_collection(Call& call) {
  auto options = read_options(call);
  if (!options) return options.error();
  auto selection = Selection::from(call.kind, call.info);
  if (!selection) return selection.error();
  const auto listing = call.context.storage().list(call.kind->table(), {.prefix = selection->prefix(), .start = {}, .at = {}});
  base::JsonWriter w;
  w.begin_object().key("kind").string(call.kind->names().list_kind).key("apiVersion").string(call.kind->names().api_version());
  w.key("metadata").begin_object().key("resourceVersion").string(std::to_string(listing.version)).end_object();
  w.key("items").begin_array();
  for (const auto& object : listing.objects) {
    if (!selection->matches(*object)) continue;
    const Response each = remove_object(call, object->path(), *options);
    if (each.code >= 400 && each.code != 404) return each;
    w.raw(object->text());
  }
  w.end_array().end_object();
  return ok_json(std::move(w).text());
}

}  // namespace kruise::cluster
