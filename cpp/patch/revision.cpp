#include "patch/revision.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/names.hpp"
#include "base/hash.hpp"
#include "base/printed_hash.hpp"
#include "patch/canonical.hpp"
#include "patch/template_form.hpp"
#include "patch/tree.hpp"

namespace kruise::patch {
namespace {

using nlohmann::json;

constexpr std::int32_t kOldestLevel = 16;     // OpenKruise 0.8
constexpr std::int32_t kAnnotatedLevel = 28;  // OpenKruise 1.7, the first that records the hash of claim templates

const api::TypeInfo& template_type() {
  static const api::TypeInfo* const kType = api::part_type("core_v1.PodTemplateSpec");
  return *kType;
}

base::Result<json, Error> template_tree(std::string_view text) {
  if (text.empty() || text == "null") return json::object();
  auto tree = parse_tree(text);
  if (tree.ok() && !tree->is_object())
    return Error::malformed("a template is an object, this is " + std::string(tree->type_name()));
  return tree;
}

}  // namespace

base::Result<std::string, Error> revision_data(std::string_view template_text) {
  auto tree = template_tree(template_text);
  if (!tree) return tree.error();
  normalise(*tree, template_type());
  (*tree)["$patch"] = "replace";
  json data;
  data["spec"]["template"] = std::move(*tree);
  return canonical_text(data);
}

base::Result<std::string, Error> template_of_revision(std::string_view data) {
  auto tree = parse_tree(data);
  if (!tree) return tree.error();
  const json::json_pointer place("/spec/template");
  if (!tree->is_object() || !tree->contains(place) || !tree->at(place).is_object())
    return Error::malformed("revision data without spec.template");
  json& found = tree->at(place);
  found.erase("$patch");
  return tree_text(found);
}

std::string revision_hash(std::string_view data, std::int32_t collision_count) {
  const std::uint32_t hash = base::fnv1_32(std::to_string(collision_count), base::fnv1_32(data));
  std::string name = std::to_string(hash);
  for (char& digit : name) digit = "456789bcdf"[digit - '0'];
  return name;
}

std::optional<std::int32_t> writer_level(const api::StringMap& annotations) {
  if (annotations.contains(kAnnotationRevisionForm)) return {};
  return annotations.contains(api::kAnnotationClaimTemplateHash) ? kAnnotatedLevel : kOldestLevel;
}

bool same_template(std::string_view stored, std::string_view current, std::optional<std::int32_t> level) {
  if (stored == current) return true;
  auto old = template_tree(stored);
  auto now = template_tree(current);
  if (!old || !now) return false;
  normalise(*old, template_type());
  normalise(*now, template_type());
  if (*old == *now) return true;
  if (level) drop_newer_than(*now, *old, template_type(), *level);
  fill_template_defaults(*old);
  fill_template_defaults(*now);
  return *old == *now;
}

std::uint32_t container_hash(std::string_view name, std::string_view image) {
  return base::printed_bytes_hash(canonical_text({{"image", image}, {"name", name}}));
}

std::uint32_t metadata_env_hash(std::span<const api::PodFields::MetadataEnv> variables, const MetadataValue& value_of) {
  // The injection of sidecars changes these without changing the container.
  constexpr std::array<std::string_view, 2> kIgnored{"SIDECARSET_VERSION", "SIDECARSET_VERSION_ALT"};
  std::vector<const api::PodFields::MetadataEnv*> sorted;
  for (const auto& variable : variables) {
    if (std::ranges::find(kIgnored, variable.name) == kIgnored.end()) sorted.push_back(&variable);
  }
  std::ranges::stable_sort(sorted, {}, &api::PodFields::MetadataEnv::name);
  json list = sorted.empty() ? json() : json::array();
  for (const auto* variable : sorted) {
    json& item = list.emplace_back(json{{"name", variable->name}});
    if (const auto value = value_of(variable->map, variable->key); !value.empty()) item["value"] = value;
  }
  return base::printed_bytes_hash(canonical_text(list));
}

base::Result<std::string, Error> claim_templates_hash(std::string_view text) {
  if (text.empty() || text == "null") return std::string();
  auto claims = parse_tree(text);
  if (!claims) return claims.error();
  const auto is_object = [](const json& claim) { return claim.is_object(); };
  if (!claims->is_array() || !std::all_of(claims->begin(), claims->end(), is_object))
    return Error::malformed("claim templates are a list of objects");
  if (claims->empty()) return std::string();
  static const api::TypeInfo* const kClaim = api::part_type("core_v1.PersistentVolumeClaim");
  // Of a claim only its name and its spec count.
  json counted = json::array();
  for (auto& claim : *claims) {
    json& one = counted.emplace_back(json::object());
    if (const auto meta = claim.find("metadata"); meta != claim.end() && meta->is_object() && meta->contains("name")) {
      one["metadata"]["name"] = std::move((*meta)["name"]);
    }
    if (const auto spec = claim.find("spec"); spec != claim.end()) one["spec"] = std::move(*spec);
    normalise(one, *kClaim);
  }
  const auto name_of = [](const json& claim) { return claim["metadata"].value("name", json("")); };
  std::stable_sort(counted.begin(), counted.end(), [&](const json& a, const json& b) { return name_of(a) < name_of(b); });
  std::string listed = "[";
  for (const auto& claim : counted) listed += (listed.size() > 1 ? "," : "") + declared_text(claim, kClaim);
  return std::to_string(base::printed_bytes_hash(listed + "]"));
}

}  // namespace kruise::patch
