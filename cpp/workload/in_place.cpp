#include "workload/in_place.hpp"

#include "api/names.hpp"
#include "workload/image_reference.hpp"
#include "workload/readiness.hpp"
#include "workload/runtime_meta.hpp"

namespace kruise::workload {
namespace {

/// A node's report can lag behind for as long as it takes to see a patch and restart a container. After that a container that was
/// restarted runs what it was told to, whatever name or ID its image reads.
constexpr std::chrono::seconds kReportSettles{60};

/// What the last batch in the state does, for people.
std::string purpose_of(const InPlaceState& state, const std::map<std::string, std::string, std::less<>>& images) {
  std::string changed;
  std::string restarted;
  if (!state.batches.empty()) {
    for (const auto& name : state.batches.back().containers) {
      const auto image = images.find(name);
      image == images.end() ? restarted += " " + name : changed += " " + name + "=" + image->second;
    }
  }
  std::string text = changed.empty() ? std::string() : "update image" + changed;
  if (!restarted.empty()) text += (text.empty() ? "update env of" : ", env of") + restarted;
  return text.empty() ? "update metadata" : text;
}

/// Adds what an update before was still to change, where this one does not change it otherwise.
void add_unfinished(const api::Pod& pod, const InPlaceTemplate& wanted, InPlaceChange& change) {
  const auto text = in_place_state_text(pod);
  if (!text) return;
  const auto state = InPlaceState::parse(*text);
  if (!state || !state->has_next()) return;
  for (const auto& [name, unused] : state->next_container_images) {
    if (const auto image = wanted.images.find(name); image != wanted.images.end()) change.images.emplace(name, image->second);
  }
  for (const auto& [name, referred] : state->next_referred_metadata) {
    for (const auto& [key, value] : referred.labels) change.metadata.labels.try_emplace(key, value);
    for (const auto& [key, value] : referred.annotations) change.metadata.annotations.try_emplace(key, value);
  }
}

/// What the pod has already restarts nothing.
void drop_present(const api::Pod& pod, MetadataPatch& metadata) {
  std::erase_if(metadata.labels, [&](const auto& change) { return change.second && pod.label(change.first) == *change.second; });
  std::erase_if(metadata.annotations,
                [&](const auto& change) { return change.second && pod.annotation(change.first) == *change.second; });
}

/// A pod without the gate is never restarted for its variables: its metadata changes and they stay what they were.
std::map<std::string, ReferredMetadata, std::less<>> take_referred(const api::Pod& pod, MetadataPatch& metadata,
                                                                   const TemplateEnv& env) {
  if (!pod.has_readiness_gate(api::kConditionInPlaceUpdateReady)) return {};
  return take_referred(metadata, env);
}

runtime::Chain not_ready_then(const api::Pod& pod, const PodPatch& change, std::string purpose, base::Time now) {
  runtime::Chain chain;
  PodPatch not_ready(pod);
  set_in_place_not_ready(pod, now, not_ready);
  if (!not_ready.empty()) chain.push_back(not_ready.write("set InPlaceUpdateReady=False"));
  chain.push_back(change.write(std::move(purpose)));
  if (chain.size() > 1) {
    chain.back().resource_version.clear();
    chain.back().version_of_previous = true;
  }
  return chain;
}

void set_target(const InPlaceTarget& target, base::Time now, PodPatch& patch) {
  patch.set_label(api::kLabelRevision, target.revision_label);
  patch.set_label(api::kLabelPodTemplateHash, revision_hash(target.revision));
  patch.set_state(LifecycleState::kUpdating, now);
}

void remove_grace(PodPatch& patch) {
  patch.remove_annotation(api::kAnnotationInPlaceGrace).remove_annotation(api::kAnnotationInPlaceGraceLegacy);
}

void set_state_annotation(const InPlaceState& state, PodPatch& patch) {
  patch.set_annotation(api::kAnnotationInPlaceState, state.text()).remove_annotation(api::kAnnotationInPlaceStateLegacy);
}

/// The grace period ends, goes on, or was for another revision.
InPlaceProgress refresh_grace(const api::Pod& pod, std::string_view text, base::Time now, PodPatch& patch) {
  const auto failed = [](std::string why) {
    return InPlaceProgress{.completeness = {.complete = false}, .in_grace = true, .error = std::move(why)};
  };
  const auto grace = InPlaceGrace::parse(text);
  if (!grace.ok()) return failed("annotation " + std::string(api::kAnnotationInPlaceGrace) + " " + grace.error());
  if (!same_revision(grace->revision, revision_of(pod))) {
    remove_grace(patch);
    return {.completeness = {.complete = false, .why = "its grace period was for revision " + grace->revision}};
  }
  const auto state_text = in_place_state_text(pod);
  if (!state_text) return failed("has a grace period but no annotation " + std::string(api::kAnnotationInPlaceState));
  auto state = InPlaceState::parse(*state_text);
  if (!state.ok()) return failed("annotation " + std::string(api::kAnnotationInPlaceState) + " " + state.error());

  const base::Time due = state->update_timestamp.value_or(now) + std::chrono::seconds(grace->grace_seconds);
  if (state->update_timestamp && due > now) {
    const auto rest = std::chrono::ceil<std::chrono::seconds>(due - now);
    return {.completeness = {.complete = false, .why = "grace period ends in " + std::to_string(rest.count()) + " s"},
            .in_grace = true,
            .wait = rest};
  }
  patch.merge(grace->metadata);
  apply_batch(pod, {grace->container_images, grace->referred_metadata}, now, *state, patch);
  set_state_annotation(*state, patch);
  remove_grace(patch);
  return {.completeness = {.complete = false, .why = "its grace period is over, the change is applied"},
          .in_grace = true,
          .purpose = "end grace period"};
}

/// The containers run what they were told to, and others are still to be told.
InPlaceProgress refresh_batch(const api::Pod& pod, InPlaceState state, base::Time now, PodPatch& patch) {
  ContainerChanges rest{state.next_container_images, state.next_referred_metadata};
  if (rest.empty())
    return {.completeness = {.complete = false, .why = "another manager is to change the resources of its containers"}};
  for (const auto& name : state.containers_required_ready) {
    const auto status = pod.status(name);
    if (pod.container(name) != nullptr && (!status || !status->ready))
      return {.completeness = {.complete = false, .why = "container " + name + " is to be ready before others are changed"}};
  }
  apply_batch(pod, std::move(rest), now, state, patch);
  set_state_annotation(state, patch);
  return {.completeness = {.complete = false, .why = "its next containers are changed"}, .purpose = "next containers"};
}

/// "nginx:1" and "nginx:2" are certainly not the same; two digests or an ID tell nothing.
bool surely_other_image(std::string_view reported, std::string_view wanted) {
  const std::string a = normalized_image(reported);
  const std::string b = normalized_image(wanted);
  if (a == b || a.find('@') != std::string::npos || b.find('@') != std::string::npos) return false;
  const auto repository = [](const std::string& image) { return std::string_view(image).substr(0, image.rfind(':')); };
  return repository(a) == repository(b);
}

/// When the containers were last told to change; the start of the update lies before its grace period.
base::Time changed_at(const InPlaceState& state) {
  if (!state.batches.empty()) {
    if (const auto time = base::parse_time(state.batches.back().timestamp)) return *time;
  }
  return state.update_timestamp.value_or(base::Time{});
}

/// Whether the containers run what they have been told to so far.
Completeness batch_complete(const api::Pod& pod, const InPlaceState& state, base::Time now) {
  if (state.update_env_from_metadata && pod.has_readiness_gate(api::kConditionInPlaceUpdateReady)) {
    if (auto why = lacks_new_env(pod); !why.empty()) return {.complete = false, .why = std::move(why)};
  }
  if (state.last_container_statuses.empty() || runs_its_spec(pod)) return {};
  const base::Time settled = changed_at(state) + kReportSettles;
  const bool is_settled = settled <= now;
  for (const auto& [name, before] : state.last_container_statuses) {
    const auto status = pod.status(name);
    const auto image = pod.image(name);
    if (!image) continue;  // not a container of this pod any more
    if (!status) return {.complete = false, .why = "container " + name + " has no status"};
    if (status->image_id != before.image_id) {
      // Another ID, but of the image before last: the node has not seen the newest change yet.
      if (is_settled || !surely_other_image(status->image, *image)) continue;
    } else {
      if (same_image(status->image, *image)) continue;
      const std::string container_id = status->container_id.text();
      const bool restarted = !before.container_id.empty() && !container_id.empty() && before.container_id != container_id;
      if (!restarted)
        return {.complete = false,
                .why = "container " + name + " still runs the image of before (" + std::string(status->image) + ")"};
      if (is_settled) continue;
    }
    return {.complete = false,
            .why = "container " + name + " reports image " + std::string(status->image) + " instead of " + std::string(*image),
            .recheck = settled - now};
  }
  return {};
}

}  // namespace

runtime::Chain start_in_place(const api::Pod& pod, const InPlaceChange& given, const InPlaceTarget& target, base::Time now) {
  InPlaceChange change = given;
  add_unfinished(pod, target.wanted, change);
  auto referred = take_referred(pod, change.metadata, target.wanted.env);
  InPlaceState state{.revision = target.revision, .update_timestamp = now};
  PodPatch patch(pod);
  set_target(target, now, patch);
  std::string purpose;
  if (target.grace_seconds > 0) {
    const InPlaceGrace grace{.revision = target.revision,
                             .container_images = change.images,
                             .referred_metadata = std::move(referred),
                             .metadata = change.metadata,
                             .grace_seconds = target.grace_seconds};
    patch.set_annotation(api::kAnnotationInPlaceGrace, grace.text()).remove_annotation(api::kAnnotationInPlaceGraceLegacy);
    purpose = "start grace period of " + std::to_string(target.grace_seconds) + " s";
  } else {
    patch.merge(change.metadata);
    apply_batch(pod, {change.images, std::move(referred)}, now, state, patch);
    remove_grace(patch);
    purpose = purpose_of(state, change.images);
  }
  set_state_annotation(state, patch);
  return not_ready_then(pod, patch, std::move(purpose), now);
}

runtime::Chain overtake_grace(const api::Pod& pod, const InPlaceGrace& grace, const InPlaceChange& change,
                              const InPlaceTarget& target, base::Time now) {
  std::map<std::string, std::string, std::less<>> images;
  const auto want = [&](const std::string& name) {
    const auto wanted = target.wanted.images.find(name);
    const auto present = pod.image(name);
    if (wanted != target.wanted.images.end() && present && *present != wanted->second) images.emplace(name, wanted->second);
  };
  for (const auto& [name, image] : grace.container_images) want(name);
  for (const auto& [name, image] : change.images) want(name);

  MetadataPatch metadata = grace.metadata;
  for (const auto& [name, referred] : grace.referred_metadata) {
    for (const auto& [key, value] : referred.labels) metadata.labels.insert_or_assign(key, value);
    for (const auto& [key, value] : referred.annotations) metadata.annotations.insert_or_assign(key, value);
  }
  metadata.then(change.metadata);
  drop_present(pod, metadata);
  auto referred = take_referred(pod, metadata, target.wanted.env);
  InPlaceState state{.revision = target.revision, .update_timestamp = now};
  PodPatch patch(pod);
  set_target(target, now, patch);
  patch.merge(metadata);
  apply_batch(pod, {images, std::move(referred)}, now, state, patch);
  remove_grace(patch);
  set_state_annotation(state, patch);
  return not_ready_then(pod, patch, purpose_of(state, images), now);
}

InPlaceProgress refresh_in_place(const api::Pod& pod, base::Time now, PodPatch& patch) {
  if (const auto grace = in_place_grace_text(pod)) return refresh_grace(pod, *grace, now, patch);
  // Nothing more can follow for a pod in service whose condition stands: its annotation need not be read.
  const bool waits_for_us = lacks_in_place_ready(pod);
  if (!waits_for_us && in_service(lifecycle_state(pod))) return {};

  InPlaceProgress progress;
  if (const auto text = in_place_state_text(pod)) {
    auto state = InPlaceState::parse(*text);
    if (!state.ok()) {
      return {.completeness = {.complete = false},
              .error = "annotation " + std::string(api::kAnnotationInPlaceState) + " " + state.error()};
    }
    progress.completeness = batch_complete(pod, *state, now);
    if (!progress.completeness.complete) return progress;
    if (state->has_next()) return refresh_batch(pod, std::move(*state), now, patch);
  }
  // Before it has a node no pod can be ready; then state and condition are one write.
  if (waits_for_us && !pod.node().empty()) set_in_place_ready(pod, now, patch);
  return progress;
}

Completeness containers_complete(const api::Pod& pod, const InPlaceState& state, base::Time now) {
  if (state.has_next()) return {.complete = false, .why = "containers of later batches are still to be changed"};
  return batch_complete(pod, state, now);
}

}  // namespace kruise::workload
