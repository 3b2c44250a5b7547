#include "workload/template.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/schema.hpp"
#include "base/hash.hpp"
#include "patch/revision.hpp"
#include "patch/template_form.hpp"
#include "patch/tree.hpp"

namespace kruise::workload {
namespace {

using nlohmann::json;

const api::TypeInfo& template_type() {
  static const api::TypeInfo* const kType = api::part_type("core_v1.PodTemplateSpec");
  return *kType;
}

const json& member(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::optional<std::string> text_of(const json& value) {
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

MetadataPatch::Changes changed_keys(const json& before, const json& after) {
  MetadataPatch::Changes changes;
  const auto value = [](const json& map, const std::string& key) { return text_of(member(map, key.c_str())); };
  if (before.is_object()) {
    for (const auto& [key, unused] : before.items()) {
      if (!value(after, key)) changes[key] = std::nullopt;
    }
  }
  if (after.is_object()) {
    for (const auto& [key, unused] : after.items()) {
      const auto wanted = value(after, key);
      if (wanted && wanted != value(before, key)) changes[key] = wanted;
    }
  }
  return changes;
}

std::vector<std::string> texts(const json& list) {
  std::vector<std::string> result;
  if (!list.is_array()) return result;
  for (const auto& item : list) {
    if (const auto text = text_of(item)) result.push_back(*text);
  }
  return result;
}

MetadataPatch metadata_change(const json& before, const json& after) {
  MetadataPatch patch;
  patch.labels = changed_keys(member(before, "labels"), member(after, "labels"));
  patch.annotations = changed_keys(member(before, "annotations"), member(after, "annotations"));
  const auto old_finalizers = texts(member(before, "finalizers"));
  const auto new_finalizers = texts(member(after, "finalizers"));
  if (old_finalizers != new_finalizers) {
    const auto lacks = [](const std::vector<std::string>& list, const std::string& name) {
      return std::ranges::find(list, name) == list.end();
    };
    std::ranges::copy_if(new_finalizers, std::back_inserter(patch.finalizers_added),
                         [&](const auto& n) { return lacks(old_finalizers, n); });
    std::ranges::copy_if(old_finalizers, std::back_inserter(patch.finalizers_removed),
                         [&](const auto& n) { return lacks(new_finalizers, n); });
    patch.finalizers_order = new_finalizers;
  }
  return patch;
}

/// Path of the first difference, for people.
std::string first_difference(const json& a, const json& b, const std::string& path) {
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const auto other = b.find(key);
      if (other == b.end()) return path + "." + key;
      if (value != *other) return first_difference(value, *other, path + "." + key);
    }
    for (const auto& [key, value] : b.items()) {
      if (!a.contains(key)) return path + "." + key;
    }
  }
  if (a.is_array() && b.is_array()) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (a[i] != b[i]) return first_difference(a[i], b[i], path + "[" + std::to_string(i) + "]");
    }
  }
  return path;
}

/// Takes the images that may differ out of both and notes the new ones.
void blank_images(json& before, json& after, std::map<std::string, std::string, std::less<>>& changed) {
  if (!before.is_array() || !after.is_array() || before.size() != after.size()) return;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto name = text_of(member(after[i], "name"));
    const auto old_image = text_of(member(before[i], "image"));
    const auto new_image = text_of(member(after[i], "image"));
    if (!name || name != text_of(member(before[i], "name")) || !old_image || !new_image || old_image->empty() ||
        new_image->empty())
      continue;
    if (*old_image != *new_image) changed.emplace(*name, *new_image);
    before[i].erase("image");
    after[i].erase("image");
  }
}

std::vector<api::PodFields::MetadataEnv> metadata_env_of(const json& container) {
  std::vector<api::PodFields::MetadataEnv> variables;
  for (const auto& variable : member(container, "env")) {
    const auto name = text_of(member(variable, "name"));
    const auto path = text_of(member(member(member(variable, "valueFrom"), "fieldRef"), "fieldPath"));
    const auto key = name && path ? api::metadata_key_of(*path) : std::nullopt;
    if (key) variables.push_back({*name, key->map, std::string(key->key)});
  }
  return variables;
}

json filled(json normal) {
  patch::fill_template_defaults(normal);
  return normal;
}

}  // namespace

Template::Template() = default;
Template::~Template() = default;

base::Result<TemplatePtr, std::string> Template::parse(std::string text) {
  auto tree = text.empty() || text == "null" ? base::Result<json, patch::Error>(json::object()) : patch::parse_tree(text);
  if (!tree) return tree.error().message;
  if (!tree->is_object()) return std::string("is no object");
  auto data = patch::revision_data(text);
  if (!data) return data.error().message;

  std::shared_ptr<Template> result(new Template);
  result->text_ = std::move(text);
  result->revision_data_ = std::move(*data);
  result->tree_ = std::make_unique<json>(std::move(*tree));
  result->normal_ = std::make_unique<json>(*result->tree_);
  patch::normalise(*result->normal_, template_type());
  result->full_ = std::make_unique<json>(filled(*result->normal_));
  const json& labels = member(member(*result->tree_, "metadata"), "labels");
  if (labels.is_object()) {
    for (const auto& [key, value] : labels.items()) {
      if (const auto label = text_of(value)) result->labels_.emplace(key, *label);
    }
  }
  const json& spec = member(*result->tree_, "spec");
  for (const auto& constraint : member(spec, "topologySpreadConstraints")) {
    if (const auto key = text_of(member(constraint, "topologyKey"))) result->topology_keys_.push_back(*key);
  }
  const json& containers = member(spec, "containers");
  result->has_containers_ = containers.is_array() && !containers.empty();
  if (containers.is_array()) {
    for (const auto& container : containers) {
      const auto name = text_of(member(container, "name"));
      const auto image = text_of(member(container, "image"));
      if (name && image) result->images_.emplace(*name, *image);
      if (auto variables = metadata_env_of(container); name && !variables.empty())
        result->metadata_env_.emplace(*name, std::move(variables));
    }
  }
  return TemplatePtr(std::move(result));
}

bool Template::same_as(const Template& stored, std::optional<std::int32_t> level) const {
  if (*normal_ == *stored.normal_ || *full_ == *stored.full_) return true;
  if (!level) return false;
  json now = *normal_;
  patch::drop_newer_than(now, *stored.normal_, template_type(), *level);
  return filled(std::move(now)) == *stored.full_;
}

base::Result<InPlaceChange, std::string> Template::change_from(const Template& stored, std::optional<std::int32_t> level) const {
  json before = *stored.full_;
  json after = *full_;
  if (level) {
    after = *normal_;
    patch::drop_newer_than(after, *stored.normal_, template_type(), *level);
    after = filled(std::move(after));
  }
  InPlaceChange change;
  change.metadata = metadata_change(member(*stored.normal_, "metadata"), member(*normal_, "metadata"));
  json& old_spec = before["spec"];
  json& new_spec = after["spec"];
  blank_images(old_spec["containers"], new_spec["containers"], change.images);
  if (old_spec != new_spec) return first_difference(old_spec, new_spec, "spec") + " differs";
  return change;
}

base::Result<TemplatePtr, std::string> TemplateCache::of_text(std::string_view text) {
  return find_or_parse(Source::kTemplate, text);
}

base::Result<TemplatePtr, std::string> TemplateCache::of_revision(const api::Revision& revision) {
  return find_or_parse(Source::kRevisionData, revision.data.text);
}

base::Result<TemplatePtr, std::string> TemplateCache::find_or_parse(Source source, std::string_view text) {
  const std::uint64_t hash = base::fnv1a_64(text) + (source == Source::kTemplate ? 0 : 1);
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(hash);
    if (found != entries_.end() && found->second.source == source && found->second.key == text) return found->second.parsed;
  }
  std::string template_text(text);
  if (source == Source::kRevisionData) {
    auto inner = patch::template_of_revision(text);
    if (!inner) return inner.error().message;
    template_text = std::move(*inner);
  }
  auto parsed = Template::parse(std::move(template_text));
  if (!parsed) return parsed.error();
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kTemplatesMax) entries_.clear();
  entries_.insert_or_assign(hash, Entry{source, std::string(text), *parsed});
  return *parsed;
}

}  // namespace kruise::workload
