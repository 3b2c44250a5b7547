#include "controllers/invariants.hpp"

#include <algorithm>
#include <cmath>

namespace kruise::testing {
namespace {

using nlohmann::json;

std::string label(const json& pod, const std::string& key) {
  const auto labels = pod["metadata"].value("labels", json::object());
  return labels.value(key, std::string());
}

std::string condition(const json& pod, const char* type) {
  const auto status = pod.value("status", json::object());
  const auto conditions = status.value("conditions", json::array());
  for (const auto& c : conditions) {
    if (c["type"] == type) return c["status"];
  }
  return "";
}

bool available(const json& pod) {
  const auto state = label(pod, "lifecycle.apps.kruise.io/state");
  const auto in_place = condition(pod, "InPlaceUpdateReady");
  return is_active_member(pod) && condition(pod, "Ready") == "True" && (in_place.empty() || in_place == "True") &&
         (state.empty() || state == "Normal");
}

std::int64_t amount(const json& value, std::int64_t total, bool up) {
  if (value.is_number()) return value.get<std::int64_t>();
  const double exact = std::stod(value.get<std::string>()) * static_cast<double>(total) / 100.0;
  return static_cast<std::int64_t>(up ? std::ceil(exact) : std::floor(exact));
}

/// A percentage other than 100 % leaves one pod to move.
std::int64_t partition_of(const json& update, std::int64_t replicas) {
  const json written = update.value("partition", json(0));
  std::int64_t kept = amount(written, replicas, true);
  if (written.is_string() && written != "100%" && kept == replicas && replicas > 1) --kept;
  return std::min(kept, replicas);
}

}  // namespace

bool is_active_member(const json& pod) {
  const auto phase = pod.value("status", json::object()).value("phase", std::string());
  if (pod["metadata"].contains("deletionTimestamp") || phase == "Failed" || phase == "Succeeded") return false;
  const auto owners = pod["metadata"].value("ownerReferences", json::array());
  return std::any_of(owners.begin(), owners.end(),
                     [](const json& o) { return o["kind"] == "CloneSet" && o.value("controller", false); });
}

void Invariants::see(const cluster::StorageEvent& event) {
  if (event.plural == "clonesets" && event.type != "DELETED") set_ = json::parse(event.after);
  const bool ours = event.user_agent.starts_with("kruise-manager");
  if (ours) ++writes[std::string(event.type) + " " + std::string(event.plural)];
  if (event.plural != "pods") return;
  const std::string name(event.name);
  const json before = event.before.empty() ? json() : json::parse(event.before);
  const json after = event.type == "DELETED" ? json() : json::parse(event.after);
  if (ours && !set_.is_null()) judge(event, before, after);
  if (after.is_null()) {
    pods_.erase(name);
  } else {
    pods_[name] = after;
  }
}

bool Invariants::matches_selector(const json& pod) const {
  const json wanted = set_["spec"]["selector"].value("matchLabels", json::object());
  for (const auto& item : wanted.items()) {
    if (label(pod, item.key()) != item.value().get_ref<const std::string&>()) return false;
  }
  return true;
}

void Invariants::judge(const cluster::StorageEvent& event, const json& before, const json& after) {
  const json& spec = set_["spec"];
  const json update = spec.value("updateStrategy", json::object());
  const std::int64_t replicas = spec.value("replicas", 1);
  const std::int64_t surge = update.value("paused", false) ? 0 : amount(update.value("maxSurge", json(0)), replicas, true);
  const std::int64_t budget = amount(update.value("maxUnavailable", json("20%")), replicas, surge == 0);
  const std::int64_t partition = partition_of(update, replicas);
  const std::string wanted = set_.value("status", json::object()).value("updateRevision", std::string());
  std::int64_t all = 0, unavailable = 0, old = 0;
  for (const auto& [name, pod] : pods_) {
    if (!is_active_member(pod)) continue;
    ++all;
    unavailable += available(pod) ? 0 : 1;
    old += label(pod, "controller-revision-hash") == wanted ? 0 : 1;
  }
  const auto violated = [&](const std::string& what) {
    violations.push_back(what + ": " + std::string(event.name) + " at version " + std::to_string(event.resource_version) +
                         ", replicas " + std::to_string(replicas) + ", present " + std::to_string(all) + ", unavailable " +
                         std::to_string(unavailable) + ", budget " + std::to_string(budget) + ", old " + std::to_string(old) +
                         ", partition " + std::to_string(partition));
  };
  if (event.type == "ADDED" && all + 1 > replicas + surge) violated("created beyond replicas and surge");
  if (before.is_null()) return;
  // Pods above replicas add to the budget, missing ones use it.
  if (available(before) && (after.is_null() || !available(after)) && unavailable >= budget + all - replicas)
    violated("made unavailable beyond the budget");
  if (after.is_null()) return;
  const bool moved = label(before, "controller-revision-hash") != wanted && label(after, "controller-revision-hash") == wanted;
  if (moved && is_active_member(before) && old <= partition) violated("updated beyond the partition");
  const bool goes = after["metadata"].contains("deletionTimestamp");
  if (is_active_member(before) && !is_active_member(after) && !goes && matches_selector(after)) violated("lost its owner");
}

}  // namespace kruise::testing
