// Server-side apply of an object or its status.
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/fields/compare.hpp"
#include "cluster/fields/conformity.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/ownership.hpp"
#include "cluster/verbs/verbs.hpp"
#include "cluster/yaml_text.hpp"

namespace kruise::cluster {
namespace {

/// What kubectl's own apply keeps, by which its objects are taken over.
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::size_t kAnnotationBytesMax = std::size_t{256} * 1024;

bool is_kubectl(const fields::Write& write) { return write.manager == "kubectl"; }

/// The fields that kubectl's own apply set and that still are as it left them: kubectl may change them.
fields::FieldSetPtr settled_before(const fields::Write& write, const Json& live) {
  const auto text = text_at(live, {"metadata", "annotations", kLastApplied});
  const auto last = parse_json(text);
  if (text.empty() || !last || text_of(*last, "apiVersion") != write.api_version) return nullptr;
  const fields::Changes since = fields::compare(*last, live, write.type);
  return fields::subtract(fields::fields_of(*last, write.type),
                          fields::unite(fields::unite(since.modified, since.added), since.removed));
}

/// Conflicts without those fields; none left means that the configuration may be forced.
std::vector<fields::Conflict> without(std::vector<fields::Conflict> conflicts, const fields::FieldSetPtr& allowed) {
  for (auto& conflict : conflicts) conflict.fields = fields::subtract(conflict.fields, allowed);
  std::erase_if(conflicts, [](const fields::Conflict& conflict) { return !conflict.fields; });
  return conflicts;
}

/// The annotation of kubectl's own apply follows what kubectl applies here, so that either way of applying goes on from the
/// other.
void keep_last_applied(Json& tree, const Json& config) {
  if (text_at(tree, {"metadata", "annotations", kLastApplied}).empty()) return;
  Json kept = config;
  if (const auto metadata = kept.find("metadata"); metadata != kept.end() && metadata->contains("annotations"))
    (*metadata)["annotations"].erase(kLastApplied);
  Json& annotations = tree["metadata"]["annotations"];
  annotations[kLastApplied] = json_text(kept) + "\n";
  std::size_t bytes = 0;
  for (const auto& [name, value] : annotations.items())
    bytes += name.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  if (bytes > kAnnotationBytesMax) annotations.erase(kLastApplied);
}

base::Result<fields::Applied, Response> applied_to(const fields::Write& write, const Kind& kind, const Json& live,
                                                   const Json& config, const OwnersPtr& owners, bool force) {
  auto outcome = fields::apply(write, live, kind.zero(), config, list_of(owners), force);
  if (auto* conflicts = std::get_if<1>(&outcome)) {
    if (!is_kubectl(write)) return conflicts_answer(*conflicts);
    const auto left = without(*conflicts, settled_before(write, live));
    if (!left.empty()) return conflicts_answer(left);
    outcome = fields::apply(write, live, kind.zero(), config, list_of(owners), true);
  }
  return std::get<fields::Applied>(std::move(outcome));
}

base::Result<Next, Response> successor_of(Call& call, const Object& before, const Json& config, bool force) {
  Json live = before.tree();
  call.to_served(live);
  const fields::Write write = write_of(call);
  auto applied = applied_to(write, *call.kind, live, config, before.owners(), force);
  if (!applied) return applied.error();
  Next next{.tree = applied->tree ? std::move(*applied->tree) : std::move(live), .owners = owners_of(std::move(applied->owners))};
  if (is_kubectl(write)) keep_last_applied(next.tree, config);
  std::vector<std::string> unknown;
  if (const auto error = call.kind->coerce(next.tree, unknown)) return bad_request(*error);
  call.kind->set_defaults(next.tree);
  return next;
}

Response wrong_type(const Json& config) {
  const std::string version(text_of(config, "apiVersion"));
  return bad_request("invalid object type: " + (version.find('/') == std::string::npos ? "/" + version : version) +
                     ", Kind=" + std::string(text_of(config, "kind")));
}

std::optional<Response> check_config(const Call& call, const Json& config) {
  if (text_of(config, "kind") != call.kind->names().kind || text_of(config, "apiVersion") != call.kind->names().api_version()) {
    return wrong_type(config);
  }
  const auto name = text_at(config, {"metadata", "name"});
  if (!name.empty() && name != call.info.name) {
    return bad_request("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                       call.info.name + ")");
  }
  if (!empty_value(member_at(config, {"metadata", "managedFields"}))) return bad_request("metadata.managedFields must be nil");
  return std::nullopt;
}

}  // namespace

Response apply(Call& call) {
  auto config = parse_yaml(call.request.body);
  if (!config || !config->is_object())
    return bad_request("error decoding YAML: " + (config ? std::string("the patch must be an object") : config.error()));
  if (auto refusal = check_config(call, *config)) return *refusal;

  if (auto refusal = check_form(*config, call.kind->field_type())) return *refusal;
  Json typed = *config;
  std::vector<std::string> unknown;
  if (const auto error = call.kind->coerce(typed, unknown)) return bad_request(*error);

  const bool force = call.info.query.flag("force");
  const Part part = call.info.subresource == "status" ? Part::kStatus : Part::kObject;
  if (!call.stored() && part == Part::kObject) {
    if (!text_at(*config, {"metadata", "resourceVersion"}).empty()) return not_found(call.subject());
    auto applied = applied_to(write_of(call), *call.kind, call.kind->zero(), *config, nullptr, force);
    if (!applied) return applied.error();
    object_in(typed, "metadata")["name"] = call.info.name;
    return create_object(call, std::move(typed), owners_of(std::move(applied->owners)));
  }
  return write_successor(call, part, [&](const Object& before) { return successor_of(call, before, *config, force); });
}

}  // namespace kruise::cluster
