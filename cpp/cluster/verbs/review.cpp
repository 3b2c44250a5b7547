#include <nlohmann/json.hpp>

#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

/// Everybody is this user: nothing asks for credentials.
Json user_info() { return {{"username", "kruise-admin"}, {"groups", Json::array({"system:masters", "system:authenticated"})}}; }

Json rules() {
  const Json all = Json::array({"*"});
  return {{"resourceRules", Json::array({{{"verbs", all}, {"apiGroups", all}, {"resources", all}}})},
          {"nonResourceRules", Json::array({{{"verbs", all}, {"nonResourceURLs", all}}})},
          {"incomplete", false}};
}

}  // namespace

Response review(Call& call) {
  auto tree = read_object(call);
  if (!tree) return tree.error();
  const std::string& kind = call.kind->names().kind;
  if (kind == "SelfSubjectReview") {
    (*tree)["status"] = {{"userInfo", user_info()}};
  } else if (kind == "TokenReview") {
    (*tree)["status"] = {{"authenticated", true}, {"user", user_info()}};
  } else if (kind == "SelfSubjectRulesReview") {
    (*tree)["status"] = rules();
  } else {
    (*tree)["status"] = {{"allowed", true}};
  }
  return ok_json(json_text(*tree), 201);
}

}  // namespace kruise::cluster
