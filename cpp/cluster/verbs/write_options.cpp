#include <nlohmann/json.hpp>

#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr std::size_t kManagerBytesMax = 128;

/// The type that the query of such a request is read as; empty where it is judged elsewhere.
std::string_view options_kind(std::string_view method) {
  if (method == "POST") return "CreateOptions";
  if (method == "PUT") return "UpdateOptions";
  return method == "PATCH" ? "PatchOptions" : "";
}

}  // namespace

std::optional<Response> judge_write_options(const Call& call) {
  const std::string_view kind = options_kind(call.request.method);
  if (kind.empty()) return std::nullopt;
  const Query& query = call.info.query;
  const bool apply = call.request.content_type.starts_with("application/apply-patch");
  FieldErrors errors;
  if (kind == "PatchOptions") {
    if (!apply && query.has("force")) errors.forbidden("force", "may not be specified for non-apply patch");
    if (apply && query.get("fieldManager").empty()) errors.required("fieldManager", "is required for apply patch");
  }
  if (query.get("fieldManager").size() > kManagerBytesMax) errors.too_long("fieldManager", kManagerBytesMax);
  if (const auto dry = query.get("dryRun"); !dry.empty() && dry != "All")
    errors.not_supported("dryRun", Json::array({dry}), {"All"});
  const auto mode = query.get("fieldValidation");
  if (!mode.empty() && mode != "Ignore" && mode != "Strict" && mode != "Warn")
    errors.not_supported("fieldValidation", mode, {"", "Ignore", "Strict", "Warn"});
  if (errors.empty()) return std::nullopt;
  return invalid({.group = "meta.k8s.io", .resource = {}, .kind = std::string(kind), .name = {}, .uid = {}}, errors);
}

}  // namespace kruise::cluster
