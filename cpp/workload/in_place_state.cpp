#include "workload/in_place_state.hpp"

#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>

#include "api/names.hpp"
#include "base/json_writer.hpp"

namespace kruise::workload {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

/// There may be thousands of annotations to read in one plan: the parser keeps its buffers.
simdjson::simdjson_result<element> parse_json(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size());
}

/// Absent, null and foreign types read as nothing: the members that matter are checked by their readers.
std::optional<element> member(const object& o, std::string_view name) {
  element value;
  if (o.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

std::string text_member(const object& o, std::string_view name) {
  const auto value = member(o, name);
  std::string_view text;
  return value && value->get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::map<std::string, std::string, std::less<>> text_map(const object& o, std::string_view name) {
  std::map<std::string, std::string, std::less<>> map;
  object members;
  if (const auto value = member(o, name); value && value->get(members) == simdjson::SUCCESS) {
    for (const auto& [key, v] : members) {
      std::string_view text;
      if (v.get(text) == simdjson::SUCCESS) map.emplace(key, text);
    }
  }
  return map;
}

std::vector<std::string> text_list(const object& o, std::string_view name) {
  std::vector<std::string> list;
  simdjson::dom::array items;
  if (const auto value = member(o, name); value && value->get(items) == simdjson::SUCCESS) {
    for (const auto item : items) {
      std::string_view text;
      if (item.get(text) == simdjson::SUCCESS) list.emplace_back(text);
    }
  }
  return list;
}

bool has_members(const object& o, std::string_view name) {
  object members;
  const auto value = member(o, name);
  return value && value->get(members) == simdjson::SUCCESS && members.size() > 0;
}

void write_text_map(base::JsonWriter& w, std::string_view name, const std::map<std::string, std::string, std::less<>>& map) {
  if (map.empty()) return;
  w.key(name).begin_object();
  for (const auto& [key, value] : map) w.key(key).string(value);
  w.end_object();
}

void write_list(base::JsonWriter& w, std::string_view name, const std::vector<std::string>& list) {
  w.key(name).begin_array();
  for (const auto& item : list) w.string(item);
  w.end_array();
}

std::map<std::string, ReferredMetadata, std::less<>> referred_map(const object& o, std::string_view name) {
  std::map<std::string, ReferredMetadata, std::less<>> map;
  object members;
  if (const auto value = member(o, name); value && value->get(members) == simdjson::SUCCESS) {
    for (const auto& [container, v] : members) {
      object referred;
      if (v.get(referred) == simdjson::SUCCESS)
        map.emplace(container, ReferredMetadata{text_map(referred, "labels"), text_map(referred, "annotations")});
    }
  }
  return map;
}

void write_referred_map(base::JsonWriter& w, std::string_view name,
                        const std::map<std::string, ReferredMetadata, std::less<>>& map) {
  if (map.empty()) return;
  w.key(name).begin_object();
  for (const auto& [container, referred] : map) {
    w.key(container).begin_object();
    write_text_map(w, "annotations", referred.annotations);
    write_text_map(w, "labels", referred.labels);
    w.end_object();
  }
  w.end_object();
}

bool flag_member(const object& o, std::string_view name) {
  bool flag = false;
  const auto value = member(o, name);
  return value && value->get(flag) == simdjson::SUCCESS && flag;
}

std::string to_base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(3 * (text.size() / 4) + 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  if (static_cast<std::size_t>(n) < padding) return std::nullopt;
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

std::optional<std::string_view> first_of(const api::Pod& pod, std::string_view key, std::string_view legacy_key) {
  auto text = pod.annotation(key);
  if (!text) text = pod.annotation(legacy_key);
  return text && !text->empty() ? text : std::nullopt;
}

}  // namespace

std::string InPlaceState::text() const {
  base::JsonWriter w;
  w.begin_object();
  if (!batches.empty()) {
    w.key("containerBatchesRecord").begin_array();
    for (const auto& batch : batches) {
      w.begin_object();
      write_list(w, "containers", batch.containers);
      w.key("timestamp").string(batch.timestamp).end_object();
    }
    w.end_array();
  }
  w.key("lastContainerStatuses").begin_object();
  for (const auto& [name, before] : last_container_statuses) {
    w.key(name).begin_object();
    if (!before.container_id.empty()) w.key("containerID").string(before.container_id);
    w.key("imageID").string(before.image_id).end_object();
  }
  w.end_object();
  write_text_map(w, "nextContainerImages", next_container_images);
  write_referred_map(w, "nextContainerRefMetadata", next_referred_metadata);
  if (!containers_required_ready.empty()) {
    w.key("preCheckBeforeNext").begin_object();
    write_list(w, "containersRequiredReady", containers_required_ready);
    w.end_object();
  }
  w.key("revision").string(revision);
  if (update_env_from_metadata) w.key("updateEnvFromMetadata").boolean(true);
  if (update_images) w.key("updateImages").boolean(true);
  if (update_timestamp) w.key("updateTimestamp").string(base::format_time(*update_timestamp));
  w.end_object();
  return std::move(w).text();
}

base::Result<InPlaceState, std::string> InPlaceState::parse(std::string_view text) {
  object root;
  if (parse_json(text).get(root) != simdjson::SUCCESS) return std::string("is no JSON object");
  InPlaceState state;
  state.revision = text_member(root, "revision");
  if (const auto time = text_member(root, "updateTimestamp"); !time.empty()) {
    state.update_timestamp = base::parse_time(time);
    if (!state.update_timestamp) return "updateTimestamp \"" + time + "\" is no time";
  }
  if (const auto value = member(root, "lastContainerStatuses")) {
    object statuses;
    if (value->get(statuses) != simdjson::SUCCESS) return std::string("lastContainerStatuses is no object");
    for (const auto& [name, v] : statuses) {
      object status;
      if (v.get(status) != simdjson::SUCCESS) return std::string("lastContainerStatuses holds no objects");
      state.last_container_statuses[std::string(name)] = {text_member(status, "imageID"), text_member(status, "containerID")};
    }
  }
  state.update_images = flag_member(root, "updateImages");
  state.update_env_from_metadata = flag_member(root, "updateEnvFromMetadata");
  state.next_container_images = text_map(root, "nextContainerImages");
  state.next_referred_metadata = referred_map(root, "nextContainerRefMetadata");
  state.has_next_resources = has_members(root, "nextContainerResources");
  object check;
  if (const auto value = member(root, "preCheckBeforeNext"); value && value->get(check) == simdjson::SUCCESS) {
    state.containers_required_ready = text_list(check, "containersRequiredReady");
  }
  simdjson::dom::array records;
  if (const auto value = member(root, "containerBatchesRecord"); value && value->get(records) == simdjson::SUCCESS) {
    for (const auto item : records) {
      object record;
      if (item.get(record) == simdjson::SUCCESS)
        state.batches.push_back({text_member(record, "timestamp"), text_list(record, "containers")});
    }
  }
  return state;
}

std::string InPlaceGrace::text() const {
  base::JsonWriter w;
  w.begin_object();
  write_text_map(w, "containerImages", container_images);
  write_referred_map(w, "containerRefMetadata", referred_metadata);
  if (grace_seconds != 0) w.key("graceSeconds").integer(grace_seconds);
  if (!metadata.empty()) w.key("metaDataPatch").string(to_base64(metadata.text()));
  w.key("revision").string(revision);
  if (!referred_metadata.empty()) w.key("updateEnvFromMetadata").boolean(true);
  w.end_object();
  return std::move(w).text();
}

base::Result<InPlaceGrace, std::string> InPlaceGrace::parse(std::string_view text) {
  object root;
  if (parse_json(text).get(root) != simdjson::SUCCESS) return std::string("is no JSON object");
  InPlaceGrace grace;
  grace.revision = text_member(root, "revision");
  grace.container_images = text_map(root, "containerImages");
  grace.referred_metadata = referred_map(root, "containerRefMetadata");
  if (const auto value = member(root, "graceSeconds")) {
    if (value->get(grace.grace_seconds) != simdjson::SUCCESS) return std::string("graceSeconds is no integer");
  }
  if (const auto encoded = text_member(root, "metaDataPatch"); !encoded.empty()) {
    const auto bytes = from_base64(encoded);
    if (!bytes) return std::string("metaDataPatch is no base64");
    auto patch = MetadataPatch::parse(*bytes);
    if (!patch.ok()) return "metaDataPatch: " + patch.error();
    grace.metadata = std::move(*patch);
  }
  return grace;
}

std::optional<std::string_view> in_place_state_text(const api::Pod& pod) {
  return first_of(pod, api::kAnnotationInPlaceState, api::kAnnotationInPlaceStateLegacy);
}

std::optional<std::string_view> in_place_grace_text(const api::Pod& pod) {
  return first_of(pod, api::kAnnotationInPlaceGrace, api::kAnnotationInPlaceGraceLegacy);
}

}  // namespace kruise::workload
