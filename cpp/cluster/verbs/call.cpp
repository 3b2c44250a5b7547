#include "cluster/verbs/call.hpp"

#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/protobuf_body.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/ownership.hpp"
#include "cluster/view.hpp"
#include "cluster/yaml_text.hpp"

namespace kruise::cluster {
namespace {

bool has_type(std::string_view content_type, std::string_view wanted) {
  return content_type.substr(0, content_type.find(';')) == wanted;
}

/// The type of a body must be the path's; where it is left out it is filled in.
std::optional<std::string> settle_type(Json& tree, const Kind& kind) {
  const std::string api_version = kind.names().api_version();
  const std::string said_kind(text_of(tree, "kind"));
  const std::string said_version(text_of(tree, "apiVersion"));
  if ((!said_kind.empty() && said_kind != kind.names().kind) || (!said_version.empty() && said_version != api_version)) {
    const std::string said = said_version.empty() ? api_version : said_version;
    const auto slash = said.find('/');
    const std::string version = slash == std::string::npos ? said : said.substr(slash + 1);
    if (kind.custom() && said_version == api_version) return std::nullopt;  // judged with the rest of the object
    if (kind.custom()) {
      return "the API version in the data (" + said + ") does not match the expected API version (" + api_version + ")";
    }
    return said_kind + " in version \"" + version + "\" cannot be handled as a " + kind.names().kind + ": no kind \"" +
           said_kind + "\" is registered for version \"" + said + "\"";
  }
  tree["kind"] = kind.names().kind;
  tree["apiVersion"] = api_version;
  return std::nullopt;
}

/// A body that does not even say what it is; its beginning is shown.
Response unrecognized(const Call& call, const std::string& why) {
  constexpr std::size_t kShownBytes = 30;
  const std::string& body = call.request.body;
  const std::string shown = body.empty() ? "<empty>" : body.size() > kShownBytes ? body.substr(0, kShownBytes) + " ..." : body;
  return bad_request("the object provided is unrecognized (must be of type " + call.kind->names().kind + "): " + why + " (" +
                     shown + ")");
}

}  // namespace

Subject Call::subject(std::string_view name) const {
  const KindNames& n = kind->names();
  return {.group = n.group, .resource = n.plural, .kind = n.kind, .name = std::string(name), .uid = {}};
}

std::string Call::path(std::string_view name) const {
  if (!kind->names().namespaced) return std::string(name);
  std::string path = info.ns;
  return path.append("/").append(name);
}

std::string Call::storage_key() const {
  const KindNames& n = kind->names();
  std::string place = kind->custom() ? n.group + "/" + n.plural : n.plural;
  if (n.group.empty() && n.plural == "nodes") place = "minions";
  if (n.group.empty() && n.plural == "services") place = "services/specs";
  return "/registry/" + place + "/" + path(info.name);
}

Response Call::show(const Object& object, int code) const {
  const auto view = View::of(request.accept, kind, info.query, now);
  if (!view) return view.error();
  Response response = ok_json(view->answer(object), code);
  response.warnings = warnings;
  return response;
}

Response Call::show(Json tree, const OwnersPtr& owners, int code) const {
  to_stored(tree);
  const std::string name(text_at(tree, {"metadata", "name"}));
  return show(Object(path(name), 0, tree, EventType::kAdded, owners), code);
}

void Call::to_served(Json& tree) const { kind->to_served(tree); }
void Call::to_stored(Json& tree) const { kind->to_stored(tree); }

std::optional<Response> refuse_other_namespace(const Call& call, const Json& metadata) {
  const auto said = text_of(metadata, "namespace");
  if (said.empty() || said == call.info.ns) return std::nullopt;
  return bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

base::Result<Json, Response> read_tree(Call& call, std::vector<std::string>* duplicates) {
  const std::string_view type = call.request.content_type;
  const bool json = type.empty() || has_type(type, "application/json");
  if (json || has_type(type, "application/yaml")) {
    auto tree = json ? parse_json(call.request.body, duplicates) : parse_yaml(call.request.body);
    if (!tree) return unrecognized(call, "couldn't get version/kind; json parse error: " + tree.error());
    if (!tree->is_object()) return unrecognized(call, "couldn't get version/kind; json parse error: the body is no object");
    return std::move(*tree);
  }
  if (has_type(type, "application/vnd.kubernetes.protobuf") && !call.kind->custom()) {
    auto tree = parse_protobuf_body(call.request.body);
    if (!tree) return bad_request(tree.error());
    return std::move(*tree);
  }
  return unsupported_media_type(
      "the body of the request was in an unknown format - accepted media types include: application/json, "
      "application/yaml, application/vnd.kubernetes.protobuf");
}

std::optional<std::string> judge_strictly(Call& call, const std::vector<std::string>& unknown,
                                          const std::vector<std::string>& duplicates) {
  const std::string_view policy = call.info.query.get("fieldValidation");
  if (policy == "Ignore" || (unknown.empty() && duplicates.empty())) return std::nullopt;
  std::vector<std::string> findings;
  findings.reserve(duplicates.size() + unknown.size());
  for (const auto& field : duplicates) findings.push_back("duplicate field \"" + field + "\"");
  for (const auto& field : unknown) findings.push_back("unknown field \"" + field + "\"");
  if (policy != "Strict") {
    call.warnings.insert(call.warnings.end(), findings.begin(), findings.end());
    return std::nullopt;
  }
  std::string text = "strict decoding error: ";
  for (std::size_t i = 0; i < findings.size(); ++i) text += (i > 0 ? ", " : "") + findings[i];
  return text;
}

base::Result<Json, Response> read_object(Call& call) {
  std::vector<std::string> duplicates;
  auto tree = read_tree(call, &duplicates);
  if (!tree) return tree.error();
  if (call.kind->custom() && text_of(*tree, "kind").empty())
    return unrecognized(call, "Object 'Kind' is missing in '" + call.request.body + "'");
  if (const auto error = settle_type(*tree, *call.kind)) return bad_request(*error);
  const KindNames& n = call.kind->names();
  const std::string as = n.kind + " in version \"" + n.version + "\" cannot be handled as a " + n.kind + ": ";
  std::vector<std::string> unknown;
  keep_owner_reset(*tree);
  if (const auto error = call.kind->coerce(*tree, unknown)) return bad_request(as + *error);
  if (const auto error = judge_strictly(call, unknown, duplicates)) return bad_request(as + *error);
  object_in(*tree, "metadata");
  return std::move(*tree);
}

Response refused(const patch::Error& error) {
  const bool invalid = error.code == 422;  // the original says no more about these
  return answer({.code = error.code,
                 .reason = error.reason,
                 .message = invalid ? "the server rejected our request due to an error in our request" : error.message});
}

}  // namespace kruise::cluster
