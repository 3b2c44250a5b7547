#include "cluster/fields/fields_v1.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"

namespace kruise::cluster::fields {
namespace {

constexpr int kDepthMax = 200;
constexpr std::string_view kSelf = ".";

/// A key in the one form that equal keys share; absent when it is none.
std::optional<std::string> own_form(const std::string& key) {
  if (key.size() < 2 || key[1] != ':') return std::nullopt;
  const std::string_view rest = std::string_view(key).substr(2);
  switch (key[0]) {
    case 'f':
      return key;
    case 'i':
      if (rest.empty() || rest.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
      return key;
    case 'k':
    case 'v': {
      const auto value = parse_json(rest);
      if (!value || (key[0] == 'k' && !value->is_object())) return std::nullopt;
      return key.substr(0, 2) + json_text(*value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<FieldSetPtr> parse_at(const Json& tree, int depth) {
  if (!tree.is_object() || depth > kDepthMax) return std::nullopt;
  std::vector<FieldSet::Entry> entries;
  for (const auto& [name, value] : tree.items()) {
    if (name == kSelf) continue;  // the entry above is told by whoever holds it
    auto key = own_form(name);
    auto below = parse_at(value, depth + 1);
    if (!key || !below) return std::nullopt;
    entries.push_back({std::move(*key), value.empty() || value.contains(kSelf), std::move(*below)});
  }
  std::ranges::sort(entries, {}, &FieldSet::Entry::key);
  return make_set(std::move(entries));
}

}  // namespace

void append_fields_v1(std::string& out, const FieldSetPtr& set) {
  out += '{';
  bool first = true;
  if (set) {
    for (const auto& entry : set->entries()) {
      if (!first) out += ',';
      first = false;
      base::append_json_string(out, entry.key);
      out += ':';
      const std::size_t begin = out.size();
      append_fields_v1(out, entry.below);
      // Something below, and the path itself too.
      if (entry.member && entry.below) out.insert(begin + 1, "\".\":{},");
    }
  }
  out += '}';
}

std::string fields_v1(const FieldSetPtr& set) {
  std::string out;
  append_fields_v1(out, set);
  return out;
}

std::optional<FieldSetPtr> parse_fields_v1(const Json& tree) { return parse_at(tree, 0); }

}  // namespace kruise::cluster::fields
