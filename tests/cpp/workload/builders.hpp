// Pods in one line, for tables of tests:  pod("web-1").ready().revision("v2")
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "api/names.hpp"
#include "api/pod.hpp"
#include "patch/revision.hpp"

namespace kruise::testing {

/// The instant at which tests stand, and one counted from it in seconds.
inline base::Time at(std::int64_t seconds) { return *base::parse_time("2021-03-01T08:00:00Z") + std::chrono::seconds(seconds); }

class PodBuilder {
 public:
  explicit PodBuilder(std::string name) {
    fields.meta.name = std::move(name);
    fields.meta.ns = "default";
    fields.meta.uid = "uid-" + fields.meta.name;
    fields.meta.resource_version = "100";
    fields.meta.creation_timestamp = at(-1000);
    fields.node_name = "node-1";
    fields.phase = api::PodPhase::kRunning;
    fields.containers = {{"main", "nginx:1"}};
    fields.statuses = {{"main", "nginx:1", "id-nginx:1", "c-1", true, 0}};
    fields.readiness_gates = {std::string(api::kConditionInPlaceUpdateReady)};
    condition(api::kConditionContainersReady, api::Tristate::kTrue, -500);
    condition(api::kConditionInPlaceUpdateReady, api::Tristate::kTrue, -500);
    condition(api::kConditionReady, api::Tristate::kFalse, -500);
  }

  PodBuilder& condition(std::string_view type, api::Tristate status, std::int64_t since_s = -500) {
    drop_condition(type);
    fields.conditions.push_back({std::string(type), status, at(since_s), "", ""});
    return *this;
  }
  PodBuilder& drop_condition(std::string_view type) {
    std::erase_if(fields.conditions, [&](const auto& c) { return c.type == type; });
    return *this;
  }
  PodBuilder& ready(std::int64_t since_s = -500) { return condition(api::kConditionReady, api::Tristate::kTrue, since_s); }
  PodBuilder& not_ready() { return condition(api::kConditionReady, api::Tristate::kFalse); }
  PodBuilder& in_place_ready(bool is) {
    return condition(api::kConditionInPlaceUpdateReady, is ? api::Tristate::kTrue : api::Tristate::kFalse);
  }
  PodBuilder& label(std::string_view key, std::string_view value) {
    fields.meta.labels[std::string(key)] = value;
    return *this;
  }
  PodBuilder& annotation(std::string_view key, std::string_view value) {
    fields.meta.annotations[std::string(key)] = value;
    return *this;
  }
  PodBuilder& finalizer(std::string name) {
    fields.meta.finalizers.push_back(std::move(name));
    return *this;
  }
  PodBuilder& revision(std::string_view name) { return label(api::kLabelRevision, name); }
  PodBuilder& state(std::string_view word) { return label(api::kLabelLifecycleState, word); }
  PodBuilder& instance(std::string_view id) { return label(api::kLabelInstanceId, id); }
  PodBuilder& specified_delete() { return label(api::kLabelSpecifiedDelete, "true"); }
  PodBuilder& phase(api::PodPhase p) {
    fields.phase = p;
    return *this;
  }
  PodBuilder& node(std::string name) {
    fields.node_name = std::move(name);
    return *this;
  }
  PodBuilder& terminating() {
    fields.meta.deletion_timestamp = at(-5);
    return *this;
  }
  PodBuilder& created(std::int64_t s) {
    fields.meta.creation_timestamp = at(s);
    return *this;
  }
  PodBuilder& version(std::string v) {
    fields.meta.resource_version = std::move(v);
    return *this;
  }
  PodBuilder& restarts(std::int32_t n) {
    for (auto& s : fields.statuses) s.restart_count = n;
    return *this;
  }
  PodBuilder& no_gate() {
    fields.readiness_gates.clear();
    return drop_condition(api::kConditionInPlaceUpdateReady);
  }
  PodBuilder& image(std::string image) {
    fields.containers.at(0).image = std::move(image);
    return *this;
  }
  PodBuilder& status(std::string image, std::string image_id) {
    fields.statuses.at(0).image = std::move(image);
    fields.statuses.at(0).image_id = std::move(image_id);
    return *this;
  }
  /// One more container that runs, with its launch priority.
  PodBuilder& container(std::string name, std::string image, std::optional<std::int32_t> priority = {}) {
    fields.statuses.push_back({name, image, "id-" + image, "c-" + name, true, 0});
    fields.containers.push_back({std::move(name), std::move(image), {}, priority});
    return *this;
  }
  /// A variable of the container of that place that is taken from a label.
  PodBuilder& env_of_label(std::size_t container, std::string name, std::string key) {
    fields.containers.at(container).metadata_env.push_back({std::move(name), api::MetadataMap::kLabels, std::move(key)});
    return *this;
  }
  /// The node agent tells that all containers run with what the pod says now.
  PodBuilder& runtime_meta() {
    std::string text = R"({"containers":[)";
    for (const auto& container : fields.containers) {
      const auto status = std::ranges::find(fields.statuses, container.name, &api::PodFields::ContainerStatus::name);
      const auto value_of = [&](api::MetadataMap map, std::string_view key) -> std::string_view {
        const auto& values = map == api::MetadataMap::kLabels ? fields.meta.labels : fields.meta.annotations;
        const auto found = values.find(key);
        return found == values.end() ? std::string_view() : found->second;
      };
      if (text.back() == '}') text += ',';
      text += R"({"name":")" + container.name + R"(","containerID":")" + status->container_id +
              R"(","restartCount":0,"hashes":{"plainHash":)" +
              std::to_string(patch::container_hash(container.name, container.image)) + R"(,"extractedEnvFromMetadataHash":)" +
              std::to_string(patch::metadata_env_hash(container.metadata_env, value_of)) + "}}";
    }
    return annotation(api::kAnnotationRuntimeContainersMeta, text + "]}");
  }
  PodBuilder& owner(api::OwnerReference reference) {
    fields.meta.owners.push_back(std::move(reference));
    return *this;
  }

  [[nodiscard]] api::PodPtr ptr() const { return std::make_shared<const api::Pod>(fields); }
  [[nodiscard]] api::Pod value() const { return api::Pod(fields); }
  operator api::PodPtr() const { return ptr(); }  // NOLINT: reads as the pod it is

  api::PodFields fields;
};

inline PodBuilder pod(std::string name) { return PodBuilder(std::move(name)); }

}  // namespace kruise::testing
