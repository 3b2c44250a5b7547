#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

Response success(int code) { return answer({.code = code}); }

/// A scheduler's decision: sets the node once.
Response bind(Call& call) {
  auto body = read_tree(call, nullptr);
  if (!body) return body.error();
  const std::string node(text_at(*body, {"target", "name"}));
  if (node.empty()) {
    FieldErrors errors;
    errors.required("target.name", "");
    Subject subject = call.subject();
    subject.kind = "Binding";
    return invalid(subject, errors);
  }
  Subject binding = call.subject();
  binding.resource = "pods/binding";
  const Json annotations = body->value("metadata", Json::object()).value("annotations", Json::object());
  Response response = write_successor(call, Part::kBinding, [&](const Object& before) -> base::Result<Next, Response> {
    Json tree = before.tree();
    if (member(tree["metadata"], "deletionTimestamp") != nullptr) {
      return conflict(binding, "pod " + call.info.name + " is being deleted, cannot be assigned to a host");
    }
    if (const auto has = text_at(tree, {"spec", "nodeName"}); !has.empty()) {
      return conflict(binding, "pod " + call.info.name + " is already assigned to node \"" + std::string(has) + "\"");
    }
    tree["spec"]["nodeName"] = node;
    for (const auto& [key, value] : annotations.items()) object_in(tree["metadata"], "annotations")[key] = value;
    Json condition = {{"type", "PodScheduled"},
                      {"status", "True"},
                      {"lastTransitionTime", base::format_time(call.now)},
                      {"lastProbeTime", nullptr}};
    Json& conditions = object_in(tree, "status")["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    for (Json& known : conditions) {
      if (text_of(known, "type") != "PodScheduled") continue;
      known = condition;
      return Next{std::move(tree)};
    }
    conditions.push_back(std::move(condition));
    return Next{std::move(tree)};
  });
  return response.code < 400 ? success(201) : response;
}

/// No budgets are judged here: an eviction is a deletion.
Response evict(Call& call) {
  Json options = Json::object();
  if (!call.request.body.empty()) {
    auto body = read_tree(call, nullptr);
    if (!body) return body.error();
    options = body->value("deleteOptions", Json::object());
  }
  Response response = remove_object(call, call.path(call.info.name), options);
  return response.code < 400 ? success(201) : response;
}

}  // namespace

Response pod_subresource(Call& call) {
  const std::string& what = call.info.subresource;
  if (what == "binding" && call.request.method == "POST") return bind(call);
  if (what == "eviction" && call.request.method == "POST") return evict(call);
  if (what == "binding" || what == "eviction") return method_not_supported();
  constexpr std::string_view kOfContainers[] = {"attach", "ephemeralcontainers", "exec", "log", "portforward", "proxy", "resize"};
  if (std::ranges::find(kOfContainers, what) == std::end(kOfContainers)) return no_such_resource();
  if (!call.stored()) return not_found(call.subject());
  if (what == "log") {
    return bad_request("pod \"" + call.info.name + "\" runs on a simulated node: its containers are pretended and write no logs");
  }
  return bad_request("pod \"" + call.info.name + "\" runs on a simulated node: its containers are pretended, " + what +
                     " is not possible");
}

}  // namespace kruise::cluster
