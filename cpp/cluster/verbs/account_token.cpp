#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/base64.hpp"
#include "cluster/builtin/pod_validation.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr std::int64_t kSecondsUsual = 3600;
constexpr std::string_view kIssuer = "https://kubernetes.default.svc";
constexpr std::string_view kGroup = "authentication.k8s.io";

std::optional<Response> refusal(const Call& call, const Json& request, std::int64_t seconds) {
  const std::string kind(text_of(request, "kind"));
  if (!kind.empty() && kind != "TokenRequest") {
    return bad_request(kind + " in version \"" + std::string(text_of(request, "apiVersion")) +
                       "\" cannot be handled as a TokenRequest: unknown conversion");
  }
  if (auto refused = refuse_other_namespace(call, object_of(request, "metadata"))) return refused;
  Subject subject{.group = std::string(kGroup), .resource = "", .kind = "TokenRequest", .name = "", .uid = ""};
  FieldErrors errors;
  if (const auto name = text_at(request, {"metadata", "name"}); !name.empty() && name != call.info.name) {
    subject.name = call.info.name;
    errors.invalid("metadata.name", name, "must match the service account name if specified");
    return invalid(subject, errors);
  }
  validate_token_seconds(seconds, "spec.expirationSeconds", errors);
  if (!errors.empty()) return invalid(subject, errors);
  return std::nullopt;
}

/// The object that a token is bound to has to be there.
std::optional<Response> refuse_bound(const Call& call, const Json& bound) {
  const std::string kind(text_of(bound, "kind")), name(text_of(bound, "name"));
  const std::string_view plural = kind == "Pod" ? "pods" : kind == "Secret" ? "secrets" : kind == "Node" ? "nodes" : "";
  if (plural.empty() || text_of(bound, "apiVersion") != "v1")
    return bad_request("cannot bind token to object of type /" + std::string(text_of(bound, "apiVersion")) + ", Kind=" + kind);
  if (name.empty()) return bad_request("Name parameter required.");
  const KindPtr of = call.context.catalog()->find("", "v1", plural);
  const ObjectPtr object = call.context.storage().get(of->table(), of->names().namespaced ? call.info.ns + "/" + name : name);
  if (object) return std::nullopt;
  return not_found({.group = "", .resource = std::string(plural), .kind = kind, .name = name, .uid = ""});
}

std::string url_base64(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

/// A JSON web token without a signature: this server takes any credentials, so nobody is to take its word for them.
std::string unsigned_token(const Call& call, const Json& account, const Json& audiences, std::int64_t from, std::int64_t until) {
  const Json who = {{"name", call.info.name}, {"uid", text_at(account, {"metadata", "uid"})}};
  const Json claims = {{"aud", audiences},
                       {"exp", until},
                       {"iat", from},
                       {"iss", kIssuer},
                       {"kubernetes.io", {{"namespace", call.info.ns}, {"serviceaccount", who}}},
                       {"nbf", from},
                       {"sub", "system:serviceaccount:" + call.info.ns + ":" + call.info.name}};
  return url_base64(R"({"alg":"none","typ":"JWT"})") + "." + url_base64(json_text(claims)) + ".";
}

}  // namespace

Response account_token(Call& call) {
  if (call.request.method != "POST") return method_not_supported();
  auto request = read_tree(call, nullptr);
  if (!request) return request.error();
  const Json spec = object_of(*request, "spec");
  const std::int64_t seconds = integer_of(spec, "expirationSeconds", kSecondsUsual);
  if (auto refused = refusal(call, *request, seconds)) return *refused;
  const ObjectPtr account = call.stored();
  if (!account) return not_found(call.subject());
  const Json* bound = member(spec, "boundObjectRef");
  if (bound != nullptr) {
    if (auto refused = refuse_bound(call, *bound)) return *refused;
  }
  const Json* wanted = member(spec, "audiences");
  const Json audiences = wanted != nullptr && !wanted->empty() ? *wanted : Json::array({kIssuer});
  const std::int64_t from = std::chrono::floor<std::chrono::seconds>(call.now).time_since_epoch().count();
  Json answer = {{"kind", "TokenRequest"}, {"apiVersion", std::string(kGroup) + "/v1"}};
  answer["metadata"] = {
      {"name", call.info.name}, {"namespace", call.info.ns}, {"creationTimestamp", base::format_time(call.now)}};
  copy_member(answer["metadata"], account->tree().at("metadata"), "uid");
  answer["spec"] = {{"audiences", audiences}, {"expirationSeconds", seconds}, {"boundObjectRef", bound ? *bound : Json()}};
  answer["status"] = {{"token", unsigned_token(call, account->tree(), audiences, from, from + seconds)},
                      {"expirationTimestamp", base::format_time(call.now + std::chrono::seconds(seconds))}};
  return ok_json(json_text(answer), 201);
}

}  // namespace kruise::cluster
