#include "patch/merge_patch.hpp"

#include <nlohmann/json.hpp>

#include "patch/tree.hpp"

namespace kruise::patch::merge_patch {

using nlohmann::json;

void apply(json& target, json patch) {
  if (!patch.is_object()) {
    target = std::move(patch);
    return;
  }
  if (!target.is_object()) target = json::object();
  for (auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
    } else if (value.is_object()) {
      apply(target[key], std::move(value));
    } else {
      target[key] = std::move(value);
    }
  }
}

json diff(const json& from, const json& to) {
  if (!to.is_object() || !from.is_object()) return to;
  json patch = json::object();
  for (const auto& [key, value] : from.items()) {
    const auto kept = to.find(key);
    if (kept == to.end() || (kept->is_null() && !value.is_null())) patch[key] = nullptr;
  }
  for (const auto& [key, value] : to.items()) {
    if (value.is_null()) continue;
    const auto old = from.find(key);
    if (old == from.end() || !old->is_object() || !value.is_object()) {
      if (old == from.end() || *old != value) patch[key] = value;
    } else if (json inner = diff(*old, value); !inner.empty()) {
      patch[key] = std::move(inner);
    }
  }
  return patch;
}

base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch) {
  auto tree = parse_tree(target);
  if (!tree) return tree.error();
  auto change = parse_tree(patch);
  if (!change) return change.error();
  apply(*tree, std::move(*change));
  return tree_text(*tree);
}

base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to) {
  const auto old = parse_tree(from);
  if (!old) return old.error();
  const auto wanted = parse_tree(to);
  if (!wanted) return wanted.error();
  return tree_text(diff(*old, *wanted));
}

}  // namespace kruise::patch::merge_patch
