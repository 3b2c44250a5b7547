// Server-side apply. Ownership is kept for those who apply; other writers leave it as it is.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time.hpp"
#include "cluster/field_set.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"
#include "cluster/yaml_text.hpp"

namespace kruise::cluster {
namespace {

struct Applied {
  std::string manager;
  std::string subresource;
  Json config;
  Json fields;
};

TypeNode root_of(const Kind& kind) { return kind.custom() ? TypeNode::custom(kind.schema()) : TypeNode::core(kind.merge_type()); }

/// What names an object, or belongs to the server, is never owned.
Json ownable(const Json& config) {
  Json rest = config;
  rest.erase("apiVersion");
  rest.erase("kind");
  if (auto metadata = rest.find("metadata"); metadata != rest.end()) {
    for (const char* name : {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink",
                             "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
      metadata->erase(name);
    }
    if (metadata->empty()) rest.erase(metadata);
  }
  return rest;
}

bool is_own_entry(const Json& entry, const Applied& applied) {
  return text_of(entry, "manager") == applied.manager && text_of(entry, "operation") == "Apply" &&
         text_of(entry, "subresource") == applied.subresource;
}

Json entry_of(const Call& call, const Applied& applied) {
  Json entry = {
      {"manager", applied.manager},          {"operation", "Apply"},     {"apiVersion", call.kind->names().api_version()},
      {"time", base::format_time(call.now)}, {"fieldsType", "FieldsV1"}, {"fieldsV1", applied.fields}};
  if (!applied.subresource.empty()) entry["subresource"] = applied.subresource;
  return entry;
}

struct Contested {
  std::string who;  // "a" using apps/v1
  std::vector<std::string> fields;
};

/// An owner as conflicts name it: who does not apply is told apart by version and time.
std::string manager_of(const Json& entry) {
  std::string text = "\"" + std::string(text_of(entry, "manager")) + "\"";
  if (const auto subresource = text_of(entry, "subresource"); !subresource.empty())
    text += " with subresource \"" + std::string(subresource) + "\"";
  if (text_of(entry, "operation") != "Update") return text;
  text += " using " + std::string(text_of(entry, "apiVersion"));
  if (const auto time = text_of(entry, "time"); !time.empty()) text += " at " + std::string(time);
  return text;
}

Response conflicts(const std::vector<Contested>& contested) {
  std::vector<client::Cause> causes;
  std::string message;
  for (const auto& one : contested) {
    for (const auto& field : one.fields) causes.push_back({"FieldManagerConflict", "conflict with " + one.who, field});
    if (!message.empty()) message += '\n';
    if (one.fields.size() == 1) {
      message += "conflict with " + one.who + ": " + one.fields.front();
    } else {
      message += "conflicts with " + one.who + ":";
      for (const auto& field : one.fields) message += "\n- " + field;
    }
  }
  const std::string count = std::to_string(causes.size()) + (causes.size() == 1 ? " conflict: " : " conflicts: ");
  return answer(
      {.code = 409, .reason = "Conflict", .message = "Apply failed with " + count + message, .causes = std::move(causes)});
}

/// The list of owners after this apply; `contested` fields are taken from those who held them.
Json owners_after(const Call& call, const Json& before, const Applied& applied, const std::vector<Contested>& contested) {
  Json owners = Json::array();
  bool found = false;
  for (const Json& entry : before) {
    if (is_own_entry(entry, applied)) {
      found = true;
      // An unchanged set keeps its time, so that applying the same again changes nothing.
      const bool same_fields = entry.value("fieldsV1", Json::object()) == applied.fields &&
                               text_of(entry, "apiVersion") == call.kind->names().api_version();
      owners.push_back(same_fields ? entry : entry_of(call, applied));
      continue;
    }
    Json kept = entry;
    if (!contested.empty()) {
      kept["fieldsV1"] = fields_without(entry.value("fieldsV1", Json::object()), applied.fields);
      if (kept["fieldsV1"].empty()) continue;
    }
    owners.push_back(std::move(kept));
  }
  if (!found) owners.push_back(entry_of(call, applied));
  return owners;
}

base::Result<Json, Response> applied_to(Call& call, const Object& before, const Applied& applied, bool force) {
  Json tree = before.tree();
  call.to_served(tree);
  const TypeNode type = root_of(*call.kind);
  const Json* known = member_at(tree, {"metadata", "managedFields"});
  const Json owners = known != nullptr ? *known : Json::array();
  const Json config = ownable(applied.config);

  Json kept = applied.fields;  // by whom ever
  Json given_up = Json::object();
  std::vector<Contested> contested;
  for (const Json& entry : owners) {
    const Json fields = entry.value("fieldsV1", Json::object());
    if (is_own_entry(entry, applied)) {
      given_up = fields_without(fields, applied.fields);
      continue;
    }
    kept.merge_patch(fields);
    auto differing = differing_fields(applied.fields, fields, tree, config, type);
    if (!differing.empty()) contested.push_back({manager_of(entry), std::move(differing)});
  }
  if (!contested.empty() && !force) return conflicts(contested);
  remove_fields(tree, fields_without(given_up, kept), type);
  merge_fields(tree, config, type);
  object_in(tree, "metadata")["managedFields"] = owners_after(call, owners, applied, contested);
  copy_member(tree["metadata"], applied.config.value("metadata", Json::object()), "resourceVersion");
  std::vector<std::string> unknown;
  if (const auto error = call.kind->coerce(tree, unknown)) return bad_request(*error);
  call.kind->set_defaults(tree);
  return tree;
}

Response wrong_type(const Json& config) {
  const std::string version(text_of(config, "apiVersion"));
  return bad_request("invalid object type: " + (version.find('/') == std::string::npos ? "/" + version : version) +
                     ", Kind=" + std::string(text_of(config, "kind")));
}

std::optional<Response> check_config(const Call& call, const Json& config) {
  if (text_of(config, "apiVersion").empty() || text_of(config, "kind").empty()) {
    return wrong_type(config);
  }
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
  Applied applied;
  applied.manager = call.info.query.get("fieldManager");
  applied.subresource = call.info.subresource;
  auto config = parse_yaml(call.request.body);
  if (!config || !config->is_object())
    return bad_request("error decoding YAML: " + (config ? std::string("the patch must be an object") : config.error()));
  if (auto refusal = check_config(call, *config)) return *refusal;

  // Brought into the kind's form first, so that what is owned is what is stored; defaults stay nobody's.
  Json typed = *config;
  std::vector<std::string> unknown;
  if (const auto error = call.kind->coerce(typed, unknown)) return bad_request(*error);
  if (const auto error = judge_strictly(call, unknown, {})) return bad_request("failed to create typed patch object: " + *error);
  for (const auto& path : unknown) {
    if (path.find('.') == std::string::npos) config->erase(path);
  }
  applied.fields = fields_of(ownable(*config), root_of(*call.kind));
  applied.config = std::move(*config);

  const Part part = call.info.subresource == "status" ? Part::kStatus : Part::kObject;
  if (!call.stored() && part == Part::kObject) {
    if (!text_at(applied.config, {"metadata", "resourceVersion"}).empty()) return not_found(call.subject());
    object_in(typed, "metadata")["name"] = call.info.name;
    typed["metadata"]["managedFields"] = Json::array({entry_of(call, applied)});
    return create_object(call, std::move(typed));
  }
  const bool force = call.info.query.flag("force");
  return write_successor(call, part, [&](const Object& before) { return applied_to(call, before, applied, force); });
}

}  // namespace kruise::cluster
