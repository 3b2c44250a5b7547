#include <algorithm>
#include <charconv>
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

bool is_namespaces(const Kind& kind) { return kind.names().plural == "namespaces" && kind.names().group.empty(); }

/// Those that every cluster has; clients rely on them.
bool is_immortal(const Kind& kind, std::string_view name) {
  return is_namespaces(kind) && (name == "default" || name == "kube-system" || name == "kube-public");
}

std::optional<Response> check_preconditions(const Kind& kind, const Subject& subject, const Object& object, const Json& options) {
  Subject by_kind = subject;
  by_kind.resource = subject.kind;
  const auto uid = text_at(options, {"preconditions", "uid"});
  const auto stored = text_at(object.tree(), {"metadata", "uid"});
  const auto version = text_at(options, {"preconditions", "resourceVersion"});
  const std::string stored_version = std::to_string(object.version());
  if (is_namespaces(kind)) {  // judged by a rule of their own, in other words
    const auto refusal = [&](const std::string& what, std::string_view wanted, std::string_view found) {
      return conflict(subject, "Precondition failed: " + what + " in precondition: " + std::string(wanted) + ", " + what +
                                   " in object meta: " + std::string(found));
    };
    if (!uid.empty() && uid != stored) return refusal("UID", uid, stored);
    if (!version.empty() && version != stored_version) return refusal("ResourceVersion", version, stored_version);
    return std::nullopt;
  }
  if (!uid.empty() && uid != stored) {
    return conflict(by_kind, "the UID in the precondition (" + std::string(uid) + ") does not match the UID in record (" +
                                 std::string(stored) + "). The object might have been deleted and then recreated");
  }
  if (!version.empty() && version != stored_version) {
    return conflict(by_kind, "the ResourceVersion in the precondition (" + std::string(version) +
                                 ") does not match the ResourceVersion in record (" + stored_version +
                                 "). The object might have been modified");
  }
  return std::nullopt;
}

std::optional<std::int64_t> asked_grace(const Json& options) {
  const Json* grace = member(options, "gracePeriodSeconds");
  if (grace == nullptr || !grace->is_number_integer()) return std::nullopt;
  const auto seconds = grace->get<std::int64_t>();
  return seconds < 0 ? 1 : seconds;
}

/// What a pod gets at first: nothing when no kubelet can be running it.
std::int64_t first_grace(const Json& pod, const Json& options) {
  const auto phase = text_at(pod, {"status", "phase"});
  if (text_at(pod, {"spec", "nodeName"}).empty() || phase == "Succeeded" || phase == "Failed") return 0;
  const auto own = integer_of(pod.at("spec"), "terminationGracePeriodSeconds", kGraceSecondsDefault);
  return asked_grace(options).value_or(std::max<std::int64_t>(own, 0));
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

/// What a deletion makes of an object.
struct Ending {
  std::optional<Json> marked;  // with its deletion begun or hastened; nothing when it stays as it is
  bool gone = false;           // then it goes
};

void set_deletion(Json& metadata, base::Time at, std::int64_t grace) {
  metadata["deletionTimestamp"] = base::format_time(at);
  metadata["deletionGracePeriodSeconds"] = grace;
}

void count_generation(Json& metadata) {
  if (const auto generation = integer_of(metadata, "generation", 0); generation > 0) metadata["generation"] = generation + 1;
}

/// The deletion of what ends gracefully; false: nothing but finalizers keeps it any longer.
bool end_gracefully(Json& now, const Json& options, base::Time time) {
  Json& metadata = now["metadata"];
  if (member(metadata, "deletionTimestamp") == nullptr) {
    const std::int64_t grace = first_grace(now, options);
    set_deletion(metadata, time + std::chrono::seconds(grace), grace);
    count_generation(metadata);
    return grace > 0;
  }
  const std::int64_t period = integer_of(metadata, "deletionGracePeriodSeconds", 0);
  if (period == 0) return false;
  const auto asked = asked_grace(options);
  if (!asked || *asked >= period) return true;  // it may only be shortened
  const base::Time until = base::parse_time(text_of(metadata, "deletionTimestamp")).value_or(time);
  set_deletion(metadata, until - std::chrono::seconds(period - *asked), *asked);
  return *asked > 0;
}

Ending ending_of(const Call& call, const Object& object, const Json& options) {
  Json now = object.tree();
  Json& metadata = now["metadata"];
  Json finalizers = wanted_finalizers(metadata, options);
  bool held = !finalizers.empty();
  if (held) {
    metadata["finalizers"] = std::move(finalizers);
  } else {
    metadata.erase("finalizers");
  }
  const bool deleting = member(metadata, "deletionTimestamp") != nullptr;
  if (call.kind->keeps_while_deleting(object.tree())) {
    held = true;
    if (!deleting) {
      metadata["deletionTimestamp"] = base::format_time(call.now);
      call.kind->prepare_deletion(now);
    }
  } else if (call.kind->traits().ends_gracefully) {
    held = end_gracefully(now, options, call.now) || held;
  } else if (!held) {
    return {.marked = std::nullopt, .gone = true};
  } else if (!deleting) {
    set_deletion(metadata, call.now, 0);
    count_generation(metadata);
  }
  Ending ending{.marked = std::nullopt, .gone = !held};
  if (now != object.tree()) ending.marked = std::move(now);
  return ending;
}

/// A body that cannot be read is the server's error here, as in the original.
Response unreadable_options(const std::string& why) {
  return answer({.code = 500, .message = "couldn't get version/kind; json parse error: " + why});
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Result<Json, Response> read_options(Call& call) {
  Json options = Json::object();
  if (!call.request.body.empty()) {
    auto tree = read_tree(call, nullptr);
    if (!tree && tree.error().code != 400) return tree.error();
    if (!tree) return unreadable_options("the body is cut or is no object");
    options = std::move(*tree);
  }
  if (const auto grace = call.info.query.get("gracePeriodSeconds"); !grace.empty()) {
    const auto seconds = whole_number(grace);
    if (!seconds) return bad_request("strconv.ParseInt: parsing \"" + std::string(grace) + "\": invalid syntax");
    options["gracePeriodSeconds"] = *seconds;
  }
  if (const auto policy = call.info.query.get("propagationPolicy"); !policy.empty()) options["propagationPolicy"] = policy;
  const auto policy = text_of(options, "propagationPolicy");
  if (!policy.empty() && policy != "Orphan" && policy != "Background" && policy != "Foreground") {
    FieldErrors errors;
    errors.not_supported("propagationPolicy", std::string(policy), {"Foreground", "Background", "Orphan", "nil"});
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
    if (auto refusal = check_preconditions(*call.kind, subject, *object, options)) return *refusal;
    if (is_immortal(*call.kind, object->name())) return forbidden(subject, "this namespace may not be deleted");
    Ending ending = ending_of(call, *object, options);
    const bool dry = asks_dry_run(call, options);
    if (dry && ending.marked) return call.show(std::move(*ending.marked), object->owners());
    if (ending.marked) {
      object = storage.put(call.kind->table(), path, std::move(*ending.marked), object->owners(), object, call.writer());
      if (!object) continue;
    }
    if (!ending.gone) return call.show(*object);
    if (!dry) {
      object = storage.remove(call.kind->table(), object, call.writer());
      if (!object) continue;
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
  w.key("metadata").begin_object().key("resourceVersion").string(std::to_string(listing.version));
  if (call.kind->custom()) w.key("continue").string("");
  w.end_object();
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
