#include "workload/runtime_meta.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "api/names.hpp"
#include "patch/revision.hpp"

namespace kruise::workload {
namespace {

struct Reported {
  std::string name;
  std::string container_id;
  std::optional<std::uint64_t> plain_hash;
  std::optional<std::uint64_t> env_hash;
};

/// Empty when there is no report, or none that can be read.
std::vector<Reported> report_of(const api::Pod& pod) {
  thread_local simdjson::dom::parser parser;
  std::vector<Reported> report;
  const auto text = pod.annotation(api::kAnnotationRuntimeContainersMeta);
  simdjson::dom::array entries;
  if (!text || parser.parse(text->data(), text->size()).at_key("containers").get(entries) != simdjson::SUCCESS) return report;
  for (const auto entry : entries) {
    Reported& item = report.emplace_back();
    std::string_view value;
    if (entry.at_key("name").get(value) == simdjson::SUCCESS) item.name = value;
    if (entry.at_key("containerID").get(value) == simdjson::SUCCESS) item.container_id = value;
    std::uint64_t hash = 0;
    if (entry.at_pointer("/hashes/plainHash").get(hash) == simdjson::SUCCESS) item.plain_hash = hash;
    if (entry.at_pointer("/hashes/extractedEnvFromMetadataHash").get(hash) == simdjson::SUCCESS) item.env_hash = hash;
  }
  return report;
}

/// The entry that speaks of the start that the container's status speaks of; null when there is none.
const Reported* entry_of(const std::vector<Reported>& report, const api::Pod& pod, std::string_view container) {
  const auto status = pod.status(container);
  const auto found = std::ranges::find(report, container, &Reported::name);
  if (!status || found == report.end() || found->container_id != status->container_id.text()) return nullptr;
  return &*found;
}

}  // namespace

bool runs_its_spec(const api::Pod& pod) {
  const auto report = report_of(pod);
  const auto containers = pod.containers();
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const auto& [name, image, env, priority] = containers[i];
    const Reported* entry = entry_of(report, pod, name);
    if (entry == nullptr || !entry->plain_hash) return false;
    // Kubelets before 1.31 restart a container when anything in it differs, and agents hash as they do.
    if (entry->plain_hash != patch::container_hash(name, image) && entry->plain_hash != pod.container_hash(i)) return false;
  }
  return !containers.empty();
}

std::string lacks_new_env(const api::Pod& pod) {
  const auto report = report_of(pod);
  const auto value_of = [&](api::MetadataMap map, std::string_view key) {
    return (map == api::MetadataMap::kLabels ? pod.label(key) : pod.annotation(key)).value_or("");
  };
  for (const auto& container : pod.containers()) {
    if (container.metadata_env.empty()) continue;
    const Reported* entry = entry_of(report, pod, container.name);
    if (entry == nullptr || !entry->env_hash)
      return "the node agent has not told which variables container " + container.name + " runs with";
    if (entry->env_hash != patch::metadata_env_hash(container.metadata_env, value_of))
      return "container " + container.name + " still runs with the variables of before";
  }
  return {};
}

}  // namespace kruise::workload
