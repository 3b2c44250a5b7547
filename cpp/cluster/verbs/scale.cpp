#include <nlohmann/json.hpp>

#include "api/selector.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/scale_owners.hpp"
#include "cluster/verbs/verbs.hpp"
#include "cluster/yaml_text.hpp"
#include "patch/json_patch.hpp"
#include "patch/merge_patch.hpp"

namespace kruise::cluster {
namespace {

const Json* at_path(const Json& tree, std::string_view path) {
  const Json* at = &tree;
  while (at != nullptr && !path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    at = member(*at, path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return at;
}

void set_path(Json& tree, std::string_view path, Json value) {
  Json* at = &tree;
  while (true) {
    const std::size_t end = std::min(path.find('.'), path.size());
    if (end == path.size()) break;
    at = &object_in(*at, path.substr(0, end));
    path.remove_prefix(end + 1);
  }
  (*at)[std::string(path)] = std::move(value);
}

/// A LabelSelector object as the text that scale carries.
std::string selector_text(const Json* selector) {
  if (selector == nullptr || !selector->is_object()) return {};
  api::LabelSelector wire;
  if (const Json* labels = member(*selector, "matchLabels")) {
    for (const auto& [key, value] : labels->items())
      wire.match_labels.emplace(key, value.is_string() ? value.get<std::string>() : std::string());
  }
  if (const Json* expressions = member(*selector, "matchExpressions")) {
    for (const Json& e : *expressions) {
      api::LabelSelector::Requirement requirement{std::string(text_of(e, "key")), std::string(text_of(e, "operator")), {}};
      if (const Json* values = member(e, "values")) requirement.values = values->get<std::vector<std::string>>();
      wire.match_expressions.push_back(std::move(requirement));
    }
  }
  const auto parsed = api::Selector::from(wire);
  return parsed ? parsed->text() : std::string();
}

Json scale_of(const Kind& kind, const Json& tree) {
  const ScalePaths paths = kind.scale_paths();
  const Json& metadata = tree.at("metadata");
  Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
  for (const std::string_view name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    copy_member(object_in(scale, "metadata"), metadata, name);
  }
  object_in(scale, "spec");
  object_in(scale, "status")["replicas"] = 0;
  if (const Json* replicas = at_path(tree, paths.spec_replicas); replicas != nullptr && *replicas != 0)
    scale["spec"]["replicas"] = *replicas;
  if (const Json* replicas = at_path(tree, paths.status_replicas)) scale["status"]["replicas"] = *replicas;
  const std::string selector = paths.selector.empty() && !kind.custom() ? selector_text(member_at(tree, {"spec", "selector"}))
                               : paths.selector.empty()                 ? std::string()
                               : at_path(tree, paths.selector) != nullptr && at_path(tree, paths.selector)->is_string()
                                   ? at_path(tree, paths.selector)->get<std::string>()
                                   : std::string();
  if (!selector.empty()) scale["status"]["selector"] = selector;
  return scale;
}

Json served(const Call& call, const Object& object) {
  Json tree = object.tree();
  call.to_served(tree);
  return tree;
}

/// What a request makes of the scale, and who owns the count then.
struct WantedScale {
  Json scale;
  OwnersPtr owners;  // of the whole object
};

base::Result<Json, Response> changed_scale(Call& call, const Object& before) {
  std::vector<std::string> duplicates;
  auto body = parse_json(call.request.body, &duplicates);
  if (!body) return bad_request(body.error());
  if (call.request.method == "PUT") return std::move(*body);
  Json scale = scale_of(*call.kind, served(call, before));
  const std::string_view type = std::string_view(call.request.content_type).substr(0, call.request.content_type.find(';'));
  if (type == "application/json-patch+json") {
    if (const auto error = patch::json_patch::apply(scale, std::move(*body))) return refused(*error);
  } else if (type == "application/merge-patch+json" ||
             (type == "application/strategic-merge-patch+json" && !call.kind->custom())) {
    patch::merge_patch::apply(scale, std::move(*body));
  } else {
    return unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  }
  return scale;
}

bool is_apply(const Call& call) { return call.request.content_type.starts_with("application/apply-patch"); }

base::Result<WantedScale, Response> wanted_scale(Call& call, const Object& before) {
  const Json scale = scale_of(*call.kind, served(call, before));
  ScaleOwners owners(call, before.owners());
  if (is_apply(call)) {
    auto config = parse_yaml(call.request.body);
    if (!config || !config->is_object())
      return bad_request("error decoding YAML: " + (config ? std::string("the patch must be an object") : config.error()));
    auto applied = owners.apply(scale, *config, call.info.query.flag("force"));
    if (!applied) return applied.error();
    return WantedScale{.scale = std::move(*applied), .owners = owners.of_object()};
  }
  auto wanted = changed_scale(call, before);
  if (!wanted) return wanted.error();
  owners.update(scale, *wanted);
  return WantedScale{.scale = std::move(*wanted), .owners = owners.of_object()};
}

}  // namespace

Response scale(Call& call) {
  const auto show = [&](const Json& tree) { return ok_json(json_text(scale_of(*call.kind, tree))); };
  if (call.request.method == "GET") {
    const ObjectPtr object = call.stored();
    return object ? show(served(call, *object)) : not_found(call.subject());
  }
  Response response = write_successor(call, Part::kObject, [&](const Object& before) -> base::Result<Next, Response> {
    auto wanted = wanted_scale(call, before);
    if (!wanted) return wanted.error();
    Json tree = served(call, before);
    if (const Json* count = member_at(wanted->scale, {"spec", "replicas"}); count != nullptr && !count->is_number_integer())
      return bad_request("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is no integer");
    const std::int64_t replicas = integer_of(wanted->scale.value("spec", Json::object()), "replicas", 0);
    if (replicas < 0 && !call.kind->custom()) {  // a custom kind judges itself
      FieldErrors errors;
      errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
      Subject subject = call.subject();
      subject.group = "autoscaling";
      subject.kind = "Scale";
      return invalid(subject, errors);
    }
    set_path(tree, call.kind->scale_paths().spec_replicas, replicas);
    if (const auto version = text_at(wanted->scale, {"metadata", "resourceVersion"}); !version.empty())
      tree["metadata"]["resourceVersion"] = std::string(version);
    std::vector<std::string> unknown;
    if (const auto error = call.kind->coerce(tree, unknown)) return bad_request(*error);
    return Next{.tree = std::move(tree), .owners = std::move(wanted->owners)};
  });
  if (response.code >= 400) return response;
  const auto tree = parse_json(response.body);
  return tree ? show(*tree) : response;
}

}  // namespace kruise::cluster
