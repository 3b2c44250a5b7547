#include "patch/json_patch.hpp"

#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/ownership.hpp"
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

Response unreadable(const std::string& shown, const std::string& why) {
  FieldErrors errors;
  errors.invalid("patch", shown, why);
  return invalid(Subject{}, errors);
}

/// The patched tree back in the kind's own form. Complaints show it as the patch left it, which is made anew for them.
base::Result<Next, Response> conformed(Call& call, Json tree, const std::vector<std::string>& duplicates,
                                       const std::function<Json()>& patched_again) {
  std::vector<std::string> unknown;
  if (!tree.is_object()) return unreadable(json_text(tree), "the patched object is no object");
  if (text_of(tree, "kind") != call.kind->names().kind || text_of(tree, "apiVersion") != call.kind->names().api_version()) {
    return bad_request("the patch changes the object's kind or apiVersion");
  }
  keep_owner_reset(tree);
  if (const auto error = call.kind->coerce(tree, unknown)) return unreadable(json_text(patched_again()), *error);
  if (const auto error = judge_strictly(call, unknown, duplicates)) return unreadable(json_text(patched_again()), *error);
  object_in(tree, "metadata");
  if (const auto name = text_at(tree, {"metadata", "name"}); !name.empty() && name != call.info.name) {
    return bad_request("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                       call.info.name + ")");
  }
  call.kind->set_defaults(tree);
  return Next{std::move(tree)};
}

base::Result<Json, Response> patched(const Call& call, const Object& before, Form form, const Json& body) {
  Json tree = before.tree();
  call.to_served(tree);
  // Few patches name the owners, and writing them out is dear.
  if (call.request.body.find("managedFields") != std::string::npos) show_managed_fields(tree, before.owners());
  if (form == Form::kMerge) {
    patch::merge_patch::apply(tree, body);
    return tree;
  }
  const auto error =
      form == Form::kJson ? patch::json_patch::apply(tree, body) : patch::strategic::apply(tree, body, call.kind->merge_type());
  if (error) return refused(*error);
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
    if (!call.kind->custom()) return unsupported_media_type("415: Unsupported Media Type");
    return unsupported_media_type("the body of the request was in an unknown format - accepted media types include: " + accepted);
  }
  if (*form == Form::kApply) return apply(call);
  std::vector<std::string> duplicates;
  auto body = parse_json(call.request.body, &duplicates);
  if (!body) return bad_request(*form == Form::kStrategic ? body.error() : "error decoding patch: " + body.error());
  if (body->is_object() == (*form == Form::kJson)) {
    return bad_request(std::string("error decoding patch: a patch of this type is ") +
                       (*form == Form::kJson ? "a list of operations" : "an object"));
  }

  const Part part = call.info.subresource == "status" ? Part::kStatus : Part::kObject;
  return write_successor(call, part, [&](const Object& before) -> base::Result<Next, Response> {
    auto tree = patched(call, before, *form, *body);
    if (!tree) return tree.error();
    return conformed(call, std::move(*tree), duplicates, [&] { return *patched(call, before, *form, *body); });
  });
}

}  // namespace kruise::cluster
