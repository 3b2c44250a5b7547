#include "cluster/sim/pod_state.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "base/hash.hpp"
#include "base/json_writer.hpp"
#include "patch/revision.hpp"

namespace kruise::cluster::sim {
namespace {

using base::JsonWriter;

std::string hex64(std::string_view seed) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::uint64_t state = base::fnv1a_64(seed);
  while (out.size() < 64) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    for (int shift = 60; shift >= 32; shift -= 4) out += kHex[(state >> static_cast<unsigned>(shift)) & 15U];
  }
  return out;
}

void write_condition(JsonWriter& w, std::string_view type, const PodState::Verdict& verdict, KnownCondition& known,
                     const std::string& now) {
  const std::string_view status = verdict.ready ? "True" : "False";
  if (known.status != status) known = {std::string(status), now};
  if (known.since.empty()) known.since = now;
  w.begin_object().key("type").string(type).key("status").string(status).key("lastTransitionTime").string(known.since);
  // Null, because a merge leaves what is not named.
  w.key("reason");
  verdict.reason.empty() ? w.null() : w.string(verdict.reason);
  w.key("message");
  verdict.message.empty() ? w.null() : w.string(verdict.message);
  w.key("lastProbeTime").null().end_object();
}

void write_ended(JsonWriter& w, const ContainerState::Ended& ended) {
  w.begin_object().key("exitCode").integer(ended.exit_code).key("reason").string(ended.exit_code == 0 ? "Completed" : "Error");
  w.key("startedAt").string(ended.started_at).key("finishedAt").string(ended.finished_at);
  w.key("containerID").string(ended.container_id).end_object();
}

void write_container(JsonWriter& w, const PodState& pod, const ContainerState& container, const std::string& now) {
  const bool dead = pod.finished();
  w.begin_object().key("name").string(container.name).key("state").begin_object();
  if (dead && container.running()) {
    w.key("terminated");
    write_ended(w, {container.container_id, container.started_at, now, pod.phase == "Failed" ? 137 : 0});
  } else if (container.running()) {
    w.key("running").begin_object().key("startedAt").string(container.started_at).end_object();
  } else {
    w.key("waiting").begin_object().key("reason").string(container.waiting_reason);
    if (!container.waiting_message.empty()) w.key("message").string(container.waiting_message);
    w.end_object();
  }
  w.end_object().key("lastState").begin_object();
  if (container.ended) {
    w.key("terminated");
    write_ended(w, *container.ended);
  }
  w.end_object().key("ready").boolean(container.ready && !dead).key("started").boolean(container.running() && !dead);
  w.key("restartCount").integer(container.restart_count);
  w.key("image").string(container.image.empty() ? container.wanted_image : container.image);
  w.key("imageID").string(container.image_id);
  if (!container.container_id.empty()) w.key("containerID").string(container.container_id);
  w.end_object();
}

void write_init_container(JsonWriter& w, const PodState& pod, const std::pair<std::string, std::string>& container) {
  const std::string id = container_id_of(pod.uid, container.first, 0);
  w.begin_object().key("name").string(container.first).key("state").begin_object().key("terminated");
  write_ended(w, {id, pod.start_time, pod.start_time, 0});
  w.end_object().key("lastState").begin_object().end_object().key("ready").boolean(true).key("started").boolean(false);
  w.key("restartCount").integer(0).key("image").string(container.second).key("imageID").string(image_id_of(container.second));
  w.key("containerID").string(id).end_object();
}

/// What a node agent tells of the containers.
std::string runtime_meta(const PodState& pod) {
  JsonWriter w;
  w.begin_object().key("containers").begin_array();
  for (const auto& container : pod.containers) {
    if (container.container_id.empty()) continue;
    w.begin_object().key("name").string(container.name).key("containerID").string(container.container_id);
    w.key("restartCount").integer(container.restart_count).key("hashes").begin_object();
    w.key("plainHash").integer(patch::container_hash(container.name, container.image));
    w.key("extractedEnvFromMetadataHash").integer(container.env_hash).end_object().end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

}  // namespace

bool ContainerState::start(std::string_view pod_uid, std::string id_of_image, const std::string& now) {
  const bool again = !container_id.empty();
  end(0, now, waiting_reason);
  if (again) ++restart_count;
  phase = Phase::kRunning;
  image = wanted_image;
  env_hash = wanted_env_hash;
  image_id = std::move(id_of_image);
  container_id = container_id_of(pod_uid, name, restart_count);
  started_at = now;
  pull_failures = 0;
  return again;
}

void ContainerState::end(int exit_code, const std::string& now, std::string_view why) {
  if (running()) ended = {container_id, started_at, now, exit_code};
  phase = Phase::kWaiting;
  waiting_reason = std::string(why);
  waiting_message.clear();
  ready = false;
}

void ContainerState::fail_pull(const std::string& now) {
  const bool first = pull_failures++ == 0;
  end(0, now, first ? "ErrImagePull" : "ImagePullBackOff");
  waiting_message = (first ? "failed to pull and unpack image \"" : "Back-off pulling image \"") + wanted_image + "\"";
}

PodState::PodState(const PodRecord& record)
    : ns(record.ns),
      name(record.name),
      uid(record.uid),
      gates(record.readiness_gates),
      ip(record.pod_ip),
      start_time(record.start_time),
      reported(!record.pod_ip.empty()) {
  if (!record.phase.empty()) phase = record.phase;
  for (const auto& container : record.init_containers) init_containers.emplace_back(container.name, container.image);
  for (const auto& container : record.containers) {
    ContainerState& state = containers.emplace_back();
    state.name = container.name;
    state.wanted_image = container.image;
    const auto known = std::ranges::find(record.statuses, container.name, &PodRecord::ContainerStatus::name);
    if (known == record.statuses.end() || known->container_id.empty()) continue;
    state.image = known->image;
    state.image_id = known->image_id;
    state.container_id = known->container_id;
    state.started_at = known->started_at;
    state.restart_count = known->restart_count;
    state.ready = known->ready;
    if (known->running) state.phase = ContainerState::Phase::kRunning;
  }
}

void PodState::see(const PodRecord& record) {
  const auto known = [&](std::string_view type) {
    const auto* condition = record.condition(type);
    return condition == nullptr ? KnownCondition() : KnownCondition{condition->status, condition->since};
  };
  gate_status.clear();
  for (const auto& gate : gates) {
    if (const auto* condition = record.condition(gate)) gate_status.emplace_back(gate, condition->status);
  }
  seen = {record.version, known("ContainersReady"), known("Ready")};
  adopt_seen();
  deleting = record.deleting;
}

void PodState::see_metadata(const PodRecord& record) {
  if (!record.has_metadata_env() || std::ranges::find(gates, api::kConditionInPlaceUpdateReady) == gates.end()) return;
  const auto value_of = [&](api::MetadataMap map, std::string_view key) -> std::string_view {
    const auto& pairs = map == api::MetadataMap::kLabels ? record.labels : record.annotations;
    const auto found = std::ranges::find(pairs, key, [](const auto& pair) { return std::string_view(pair.first); });
    return found == pairs.end() ? std::string_view() : found->second;
  };
  for (const auto& container : record.containers) {
    const auto state = std::ranges::find(containers, container.name, &ContainerState::name);
    if (state == containers.end()) continue;
    const bool first = state->wanted_env_hash == 0;
    state->wanted_env_hash = patch::metadata_env_hash(container.metadata_env, value_of);
    if (first && !state->container_id.empty()) state->env_hash = state->wanted_env_hash;
  }
}

bool PodState::is_outdated(const ContainerState& container) const {
  if (container.image != container.wanted_image) return true;
  return container.env_hash != container.wanted_env_hash &&
         std::ranges::find(gate_status, std::pair<std::string, std::string>(api::kConditionInPlaceUpdateReady, "False")) !=
             gate_status.end();
}

void PodState::adopt_seen() {
  if (flushing || seen.version < written_version) return;
  containers_ready = seen.containers_ready;
  ready = seen.ready;
}

bool PodState::all_ready() const {
  return !containers.empty() && std::ranges::all_of(containers, [](const ContainerState& c) { return c.ready; });
}

PodState::Verdict PodState::containers_verdict() const {
  if (phase == "Succeeded") return {false, "PodCompleted", {}};
  if (finished()) return {false, "PodFailed", {}};
  std::string unready;
  for (const auto& container : containers) {
    if (!container.ready) unready += (unready.empty() ? "" : " ") + container.name;
  }
  if (unready.empty()) return {true, {}, {}};
  return {false, "ContainersNotReady", "containers with unready status: [" + unready + "]"};
}

PodState::Verdict PodState::verdict() const {
  Verdict verdict = containers_verdict();
  if (!verdict.ready) return verdict;
  for (const auto& gate : gates) {
    const auto found = std::ranges::find(gate_status, gate, [](const auto& pair) { return std::string_view(pair.first); });
    if (found != gate_status.end() && found->second == "True") continue;
    if (!verdict.message.empty()) verdict.message += ", ";
    verdict.message += found == gate_status.end()
                           ? "corresponding condition of pod readiness gate \"" + gate + "\" does not exist."
                           : "the status of pod readiness gate \"" + gate + "\" is not \"True\", but " + found->second;
  }
  if (verdict.message.empty()) return verdict;
  return {false, "ReadinessGatesNotReady", verdict.message};
}

std::string status_patch(PodState& pod, const std::string& now) {
  JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("uid").string(pod.uid);
  if (std::ranges::any_of(pod.containers, [](const ContainerState& c) { return c.env_hash != 0; })) {
    w.key("annotations").begin_object();
    w.key(api::kAnnotationRuntimeContainersMeta).string(runtime_meta(pod)).end_object();
  }
  w.end_object();
  w.key("status").begin_object().key("phase").string(pod.phase);
  if (!pod.reason.empty()) w.key("reason").string(pod.reason);
  w.key("hostIP")
      .string(pod.host_ip)
      .key("hostIPs")
      .begin_array()
      .begin_object()
      .key("ip")
      .string(pod.host_ip)
      .end_object()
      .end_array();
  w.key("podIP").string(pod.ip).key("podIPs").begin_array().begin_object().key("ip").string(pod.ip).end_object().end_array();
  w.key("startTime").string(pod.start_time);
  w.key("conditions").begin_array();
  write_condition(w, "Initialized", {true, {}, {}}, pod.initialized, now);
  write_condition(w, "ContainersReady", pod.containers_verdict(), pod.containers_ready, now);
  write_condition(w, "Ready", pod.verdict(), pod.ready, now);
  w.end_array();
  if (!pod.init_containers.empty()) {
    w.key("initContainerStatuses").begin_array();
    for (const auto& container : pod.init_containers) write_init_container(w, pod, container);
    w.end_array();
  }
  w.key("containerStatuses").begin_array();
  for (const auto& container : pod.containers) write_container(w, pod, container, now);
  w.end_array().end_object().end_object();
  return std::move(w).text();
}

std::string container_id_of(std::string_view pod_uid, std::string_view container, std::int64_t restart_count) {
  return "containerd://" + hex64(std::string(pod_uid) + "/" + std::string(container) + "/" + std::to_string(restart_count));
}

std::string image_id_of(std::string_view image) {
  std::string_view name = image.substr(0, image.find('@'));
  const auto slash = name.rfind('/');
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) name = name.substr(0, colon);
  return std::string(name) + "@sha256:" + hex64(image);
}

}  // namespace kruise::cluster::sim
