#include "api/schema.hpp"

#include <algorithm>

#include "api/generated/core_schema.hpp"

namespace kruise::api {

const FieldInfo* TypeInfo::field(std::string_view wanted) const {
  const auto found = std::ranges::find(fields, wanted, &FieldInfo::name);
  return found == fields.end() ? nullptr : &*found;
}

const TypeInfo* core_type(std::string_view group, std::string_view version, std::string_view kind) {
  const auto found = std::ranges::find_if(core_kinds(), [&](const CoreKind& k) {
    return k.kind == kind && k.group == group && (version.empty() || k.version == version);
  });
  return found == core_kinds().end() ? nullptr : found->type;
}

const TypeInfo* part_type(std::string_view go_name) {
  std::string_view package;
  if (const auto dot = go_name.find('.'); dot != std::string_view::npos) {
    package = go_name.substr(0, dot);
    go_name.remove_prefix(dot + 1);
  }
  // Rank: core, then meta, then the others in order of their names (that of the
  // list).
  const TypeInfo* best = nullptr;
  const auto rank = [](const TypeInfo* t) { return t->package == "core_v1" ? 0 : t->package == "meta_v1" ? 1 : 2; };
  for (const TypeInfo* type : core_parts()) {
    if (type->name != go_name || (!package.empty() && type->package != package)) continue;
    if (best == nullptr || rank(type) < rank(best)) best = type;
  }
  return best;
}

std::span<const CoreKind> core_kinds() { return generated::kCoreKinds; }
std::span<const TypeInfo* const> core_parts() { return generated::kCoreParts; }

std::string_view default_pull_policy(std::string_view image) {
  constexpr std::string_view kIfNotPresent = "IfNotPresent";
  const auto at = image.find('@');
  const std::string_view named = image.substr(0, at);
  const auto slash = named.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? named : named.substr(slash + 1);
  const auto colon = last.find(':');
  const std::string_view repository = last.substr(0, colon);
  // What is no image reference has no tag to judge by.
  if (repository.empty() || repository.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") != std::string_view::npos)
    return kIfNotPresent;
  if (colon == std::string_view::npos) return at == std::string_view::npos ? "Always" : kIfNotPresent;
  return last.substr(colon + 1) == "latest" ? "Always" : kIfNotPresent;
}

}  // namespace kruise::api
