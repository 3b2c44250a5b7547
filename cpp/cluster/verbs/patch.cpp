#include "patch/json_patch.hpp"

#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"
#include "patch/merge_patch.hpp"
#include "patch/strategic.hpp"

namespace kruise::cluster {
namespace {

enum class Form : std::uint8_t { kJson, kMerge, kStrategic, kApply };

std::optional<Form> form_of(const Call& call) {
  const std::string_view type = std::string_view(call.request.content_type).substr(0, call.request.content_type.find(';'));
  if (type == "application/json-patch+json") return Form::kJson;
  if (type == "application/merge-patch+json") return Form::kMerge;
  if (type == "application/strategic-merge-patch+json" && !call.kind->custom()) return Form::kStrategic;
  if (type == "application/apply-patch+yaml") return Form::kApply;
  return std::nullopt;
}

Response refused(const Call& call, const patch::Error& error) {
  if (error.code == 422) {
    return answer({.code = 422,
                   .reason = "Invalid",
                   .message = "the server rejected our request due to an error in our request",
                   .name = {},
                   .group = {},
                   .kind = {},
                   .uid = {},
                   .causes = {},
                   .retry_after_s = 0});
  }
  static_cast<void>(call);
  return answer({.code = error.code,
                 .reason = error.reason,
                 .message = error.message,
                 .name = {},
                 .group = {},
                 .kind = {},
                 .uid = {},
                 .causes = {},
                 .retry_after_s = 0});
}

Response unreadable(const std::string& shown, const std::string& why) {
  FieldErrors errors;
  errors.invalid("patch", shown, why);
  return invalid(Subject{}, errors);
}

/// The patched tree back in the kind's own form.
base::Result<Json, Response> conformed(Call& call, Json tree, const std::vector<std::string>& duplicates) {
  std::vector<std::string> unknown;
  if (!tree.is_object()) return unreadable(json_text(tree), "the patched object is no object");
  if (text_of(tree, "kind") != call.kind->names().kind || text_of(tree, "apiVersion") != call.kind->names().api_version()) {
    return bad_request("the patch changes the object's kind or apiVersion");
  }
  const auto shown = [&] { return json_text(tree); };
  if (const auto error = call.kind->coerce(tree, unknown)) return unreadable(shown(), *error);
  if (const auto error = judge_strictly(call, unknown, duplicates)) return unreadable(shown(), *error);
  object_in(tree, "metadata");
  if (const auto name = text_at(tree, {"metadata", "name"}); !name.empty() && name != call.info.name) {
    return bad_request("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                       call.info.name + ")");
  }
  call.kind->set_defaults(tree);
  return tree;
}

}  // namespace

Response patch(Call& call) {
  const auto form = form_of(call);
  if (!form) {
    std::string accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    if (!call.kind->custom())
      accepted =
          "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
          "application/apply-patch+yaml";
    return unsupported_media_type("the body of the request was in an unknown format - accepted media types include: " + accepted);
  }
  if (*form == Form::kApply) return apply(call);
  std::vector<std::string> duplicates;
  auto body = parse_json(call.request.body, &duplicates);
  if (!body) return bad_request(body.error());
  if (*form != Form::kJson && !body->is_object()) return bad_request("the patch must be a JSON object");

  const Part part = call.info.subresource == "status" ? Part::kStatus : Part::kObject;
  return write_successor(call, part, [&](const Object& before) -> base::Result<Json, Response> {
    Json tree = before.tree();
    call.to_served(tree);
    switch (*form) {
      case Form::kJson:
        if (const auto error = patch::json_patch::apply(tree, *body)) return refused(call, *error);
        break;
      case Form::kStrategic:
        if (const auto error = patch::strategic::apply(tree, *body, call.kind->merge_type())) return refused(call, *error);
        break;
      default:
        patch::merge_patch::apply(tree, *body);
        break;
    }
    return conformed(call, std::move(tree), duplicates);
  });
}

}  // namespace kruise::cluster
