#include "controllers/cloneset/instance_ids.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "api/names.hpp"
#include "workload/pod_state.hpp"

namespace kruise::controllers::cloneset {
namespace {

constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
constexpr std::size_t kIdLength = 5;

std::string random_id(base::Random& random) {
  std::string id;
  for (std::size_t i = 0; i < kIdLength; ++i) id += kAlphabet[random.below(kAlphabet.size())];
  return id;
}

std::string id_of(const api::Claim& claim) {
  const auto found = claim.meta.labels.find(api::kLabelInstanceId);
  return found == claim.meta.labels.end() ? std::string() : found->second;
}

}  // namespace

std::vector<std::string> free_instance_ids(const std::vector<api::PodPtr>& pods, const std::vector<api::ClaimPtr>& claims) {
  std::set<std::string> ids;
  for (const auto& claim : claims) {
    if (claim->meta.deletion_timestamp) continue;
    if (auto id = id_of(*claim); !id.empty()) ids.insert(std::move(id));
  }
  if (ids.empty()) return {};
  for (const auto& pod : pods) {
    if (!workload::is_active(*pod)) continue;
    if (const auto id = pod->label(api::kLabelInstanceId)) ids.erase(std::string(*id));
  }
  return {ids.begin(), ids.end()};
}

std::vector<InstanceId> choose_instance_ids(std::string_view name, const Observed& observed, std::size_t count,
                                            base::Random& random) {
  const std::string prefix = std::string(name) + "-";
  std::unordered_map<std::string_view, const api::Pod*> by_name;
  std::unordered_set<std::string> taken;
  for (const auto& pod : observed.pods) {
    by_name.emplace(pod->name(), pod.get());
    if (const auto id = pod->label(api::kLabelInstanceId)) taken.insert(std::string(*id));
  }
  for (const auto& pod : observed.foreign_pods) by_name.emplace(pod->name(), pod.get());
  for (const auto& claim : observed.claims) taken.insert(id_of(*claim));

  std::vector<InstanceId> chosen;
  for (auto& id : free_instance_ids(observed.pods, observed.claims)) {
    if (chosen.size() == count) break;
    const auto holder = by_name.find(prefix + id);
    const bool terminating = holder != by_name.end() && holder->second->deletion().has_value();
    // A finished pod that nobody removes, or a stranger, would hold the name for ever.
    if (holder != by_name.end() && !terminating) continue;
    chosen.push_back({std::move(id), terminating});
  }
  while (chosen.size() < count) {
    std::string id = random_id(random);
    if (by_name.contains(prefix + id) || !taken.insert(id).second) continue;
    chosen.push_back({std::move(id)});
  }
  std::ranges::sort(chosen, {}, &InstanceId::id);
  return chosen;
}

std::string with_ids_masked(std::string_view text, std::string_view set_name) {
  const std::string prefix = std::string(set_name) + "-";
  std::string masked;
  while (true) {
    const auto at = text.find(prefix);
    if (at == std::string_view::npos) return masked += text;
    masked += text.substr(0, at + prefix.size());
    text.remove_prefix(at + prefix.size());
    const auto end = std::min(text.find_first_not_of(kAlphabet), text.size());
    if (end != kIdLength) continue;
    masked += '*';
    text.remove_prefix(kIdLength);
  }
}

}  // namespace kruise::controllers::cloneset
