#include "api/clone_set_conversion.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/decode_error.hpp"
#include "api/names.hpp"
#include "api/scheme.hpp"

namespace kruise::api {
namespace {

using nlohmann::json;

constexpr std::string_view kBeta = "apps.kruise.io/v1beta1";
constexpr const char* kOnDelete = "OnDelete";
constexpr const char* kRollingUpdate = "RollingUpdate";
constexpr std::array kPolicies = {"ReCreate", "InPlaceIfPossible", "InPlaceOnly"};

/// A field of v1beta1's inPlaceUpdateStrategy that is an annotation in v1alpha1.
struct PreDownload {
  const char* field;
  const char* annotation;
  bool is_count;  // a number; else a number or a percentage
};
constexpr std::array kPreDownloads = {
    PreDownload{"imagePreDownloadParallelism", "apps.kruise.io/image-predownload-parallelism", false},
    PreDownload{"imagePreDownloadTimeoutSeconds", "apps.kruise.io/image-predownload-timeout-seconds", true},
    PreDownload{"imagePreDownloadMinUpdatedReadyPods", "apps.kruise.io/image-predownload-min-updated-ready-pods", true}};

[[noreturn]] void fail_type(const std::string& path, const char* expected) {
  throw DecodeError(path, std::string("is no ") + expected);
}

/// An object inside another: absent and null are empty, any other type is a fault.
json take_object(json& parent, const char* name, const std::string& path) {
  const auto found = parent.find(name);
  if (found == parent.end() || found->is_null()) return json::object();
  if (!found->is_object()) fail_type(path.empty() ? name : path + "." + name, "object");
  json taken = std::move(*found);
  parent.erase(found);
  return taken;
}

void put_unless_empty(json& parent, const char* name, json object) {
  if (object.empty()) {
    parent.erase(name);
  } else {
    parent[name] = std::move(object);
  }
}

bool is_true(const json& object, const char* name, const std::string& path) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return false;
  if (!found->is_boolean()) fail_type(path + "." + name, "boolean");
  return found->get<bool>();
}

std::string text_of(const json& object, const char* name, const std::string& path) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_string()) fail_type(path + "." + name, "text");
  return found->get<std::string>();
}

std::string policy_of(const std::string& word) {
  for (const char* known : kPolicies) {
    if (word == known) return word;
  }
  return kPolicies.front();
}

std::optional<std::int32_t> count_of(const std::string& text) {
  std::int32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return count;
}

/// Where the metadata has annotations or labels; null otherwise.
const json* map_of(const json& object, const char* name) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return nullptr;
  const auto map = metadata->find(name);
  return map != metadata->end() && map->is_object() ? &*map : nullptr;
}

std::optional<std::string> value_of(const json* map, std::string_view key) {
  if (map == nullptr) return std::nullopt;
  const auto found = map->find(key);
  return found != map->end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

json annotated_pre_downloads(const json& object, json strategy) {
  const json* annotations = map_of(object, "annotations");
  for (const PreDownload& item : kPreDownloads) {
    const auto text = value_of(annotations, item.annotation);
    if (!text) continue;
    const auto count = count_of(*text);
    if (count) {
      strategy[item.field] = *count;
    } else if (!item.is_count) {
      strategy[item.field] = *text;
    } else {
      strategy.erase(item.field);  // it survives as an annotation only
    }
  }
  return strategy;
}

/// Moves the fields into annotations.
void annotate_pre_downloads(json& strategy, json& object) {
  json metadata = take_object(object, "metadata", "");
  json annotations = take_object(metadata, "annotations", "metadata");
  for (const PreDownload& item : kPreDownloads) {
    const auto found = strategy.find(item.field);
    if (found == strategy.end()) continue;
    if (!found->is_null()) annotations[item.annotation] = found->is_string() ? found->get<std::string>() : found->dump();
    strategy.erase(found);
  }
  put_unless_empty(metadata, "annotations", std::move(annotations));
  object["metadata"] = std::move(metadata);
}

/// Zero and null say nothing.
void drop_zeros(json& object) {
  for (auto it = object.begin(); it != object.end();) {
    it = it->is_null() || *it == 0 ? object.erase(it) : std::next(it);
  }
}

void to_beta(json& object) {
  json spec = take_object(object, "spec", "");
  json scale = take_object(spec, "scaleStrategy", "spec");
  const bool reuse = !is_true(scale, "disablePVCReuse", "spec.scaleStrategy");
  scale.erase("disablePVCReuse");
  scale["enablePVCReuse"] = reuse;
  if (value_of(map_of(object, "labels"), kLabelExcludePreparingDelete) == "true") scale["excludePreparingDelete"] = true;
  spec["scaleStrategy"] = std::move(scale);

  json rolling = take_object(spec, "updateStrategy", "spec");
  const std::string type = text_of(rolling, "type", "spec.updateStrategy");
  json update = json::object();
  if (type == kOnDelete) {
    update["type"] = kOnDelete;
  } else {
    update["type"] = kRollingUpdate;
    rolling.erase("type");
    rolling["podUpdatePolicy"] = policy_of(type);
    json in_place = take_object(rolling, "inPlaceUpdateStrategy", "spec.updateStrategy");
    put_unless_empty(rolling, "inPlaceUpdateStrategy", annotated_pre_downloads(object, std::move(in_place)));
    update["rollingUpdate"] = std::move(rolling);
  }
  spec["updateStrategy"] = std::move(update);
  object["spec"] = std::move(spec);
}

void to_alpha(json& object) {
  json spec = take_object(object, "spec", "");
  json scale = take_object(spec, "scaleStrategy", "spec");
  // Written even where it is the default of nothing said: false of one is true of the other.
  const bool reuse = is_true(scale, "enablePVCReuse", "spec.scaleStrategy");
  scale.erase("enablePVCReuse");
  scale["disablePVCReuse"] = !reuse;
  spec["scaleStrategy"] = std::move(scale);

  json update = take_object(spec, "updateStrategy", "spec");
  json old = json::object();
  if (text_of(update, "type", "spec.updateStrategy") == kOnDelete) {
    old["type"] = kOnDelete;
  } else {
    old = take_object(update, "rollingUpdate", "spec.updateStrategy");
    const std::string path = "spec.updateStrategy.rollingUpdate";
    old["type"] = policy_of(text_of(old, "podUpdatePolicy", path));
    old.erase("podUpdatePolicy");
    json in_place = take_object(old, "inPlaceUpdateStrategy", path);
    annotate_pre_downloads(in_place, object);
    drop_zeros(in_place);
    put_unless_empty(old, "inPlaceUpdateStrategy", std::move(in_place));
  }
  spec["updateStrategy"] = std::move(old);
  object["spec"] = std::move(spec);
}

}  // namespace

std::string convert_clone_set(std::string_view text, std::string_view api_version) {
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) fail_type("", "JSON object");
  const std::string stored = kCloneSets.api_version();
  const std::string from = text_of(object, "apiVersion", "");
  for (const std::string_view version : {std::string_view(from), api_version}) {
    if (version != kBeta && version != stored)
      throw DecodeError("apiVersion", "\"" + std::string(version) + "\" is not a version of CloneSet");
  }
  if (from == api_version) return std::string(text);
  from == kBeta ? to_alpha(object) : to_beta(object);
  object["apiVersion"] = api_version;
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace kruise::api
