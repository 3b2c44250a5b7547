#include "runtime/gates.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace kruise::runtime {
namespace {

enum class Stage : std::uint8_t { kAlpha, kBeta };

struct GateInfo {
  Gate gate;
  std::string_view name;
  bool on;
  Stage stage;
};

constexpr auto kAlpha = Stage::kAlpha;
constexpr auto kBeta = Stage::kBeta;
constexpr std::array<GateInfo, kGateCount> kTable{{
    {Gate::kPodWebhook, "PodWebhook", true, kBeta},
    {Gate::kKruiseDaemon, "KruiseDaemon", true, kBeta},
    {Gate::kCloneSetShortHash, "CloneSetShortHash", false, kAlpha},
    {Gate::kKruisePodReadinessGate, "KruisePodReadinessGate", false, kAlpha},
    {Gate::kResourcesDeletionProtection, "ResourcesDeletionProtection", false, kBeta},
    {Gate::kPreDownloadImageForInPlaceUpdate, "PreDownloadImageForInPlaceUpdate", false, kAlpha},
    {Gate::kCloneSetPartitionRollback, "CloneSetPartitionRollback", false, kAlpha},
    {Gate::kDaemonWatchingPod, "DaemonWatchingPod", true, kBeta},
    {Gate::kPodUnavailableBudgetDeleteGate, "PodUnavailableBudgetDeleteGate", true, kBeta},
    {Gate::kPodUnavailableBudgetUpdateGate, "PodUnavailableBudgetUpdateGate", false, kAlpha},
    {Gate::kWorkloadSpread, "WorkloadSpread", true, kBeta},
    {Gate::kTemplateNoDefaults, "TemplateNoDefaults", false, kAlpha},
    {Gate::kInPlaceUpdateEnvFromMetadata, "InPlaceUpdateEnvFromMetadata", true, kBeta},
    {Gate::kStatefulSetAutoDeletePVC, "StatefulSetAutoDeletePVC", true, kBeta},
    {Gate::kSidecarSetPatchPodMetadataDefaultsAllowed, "SidecarSetPatchPodMetadataDefaultsAllowed", false, kAlpha},
    {Gate::kPreDownloadImageForDaemonSetUpdate, "PreDownloadImageForDaemonSetUpdate", false, kAlpha},
    {Gate::kPodProbeMarkerGate, "PodProbeMarkerGate", true, kBeta},
    {Gate::kSidecarTerminator, "SidecarTerminator", false, kAlpha},
    {Gate::kCloneSetEventHandlerOptimization, "CloneSetEventHandlerOptimization", false, kAlpha},
    {Gate::kPreparingUpdateAsUpdate, "PreparingUpdateAsUpdate", false, kAlpha},
    {Gate::kImagePullJobGate, "ImagePullJobGate", false, kAlpha},
    {Gate::kResourceDistributionGate, "ResourceDistributionGate", false, kAlpha},
    {Gate::kDeletionProtectionForCRDCascadingGate, "DeletionProtectionForCRDCascadingGate", false, kAlpha},
    {Gate::kEnhancedLivenessProbe, "EnhancedLivenessProbe", false, kAlpha},
    {Gate::kRecreatePodWhenChangeVCTInCloneSetGate, "RecreatePodWhenChangeVCTInCloneSetGate", false, kAlpha},
    {Gate::kStatefulSetStartOrdinal, "StatefulSetStartOrdinal", false, kAlpha},
    {Gate::kEnableExternalCerts, "EnableExternalCerts", false, kAlpha},
    {Gate::kPodIndexLabel, "PodIndexLabel", true, kBeta},
    {Gate::kStatefulSetAutoResizePVCGate, "StatefulSetAutoResizePVCGate", false, kAlpha},
    {Gate::kForceDeleteTimeoutExpectationGate, "ForceDeleteTimeoutExpectationGate", false, kAlpha},
    {Gate::kInPlaceWorkloadVerticalScaling, "InPlaceWorkloadVerticalScaling", false, kAlpha},
    {Gate::kEnablePodProbeMarkerOnServerless, "EnablePodProbeMarkerOnServerless", false, kAlpha},
    {Gate::kEnableSortSidecarContainerByName, "EnableSortSidecarContainerByName", false, kAlpha},
    {Gate::kInPlacePodVerticalScaling, "InPlacePodVerticalScaling", false, kAlpha},
}};
static_assert(
    [] {
      for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable[i].gate) != i) return false;
      }
      return true;
    }(),
    "the table is in the order of the enumeration");

/// Names found in published tables; the reference exits on them.
constexpr std::array<std::pair<std::string_view, Gate>, 2> kOtherSpellings{{
    {"EnhancedLivenessProbeGate", Gate::kEnhancedLivenessProbe},
    {"ForceDeleteTimeoutExpectationFeatureGate", Gate::kForceDeleteTimeoutExpectationGate},
}};

/// Useless and harmful without preparations outside the cluster: on only when named.
constexpr std::array kNotByAllAlpha{Gate::kEnableExternalCerts, Gate::kTemplateNoDefaults};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n\r") - first + 1);
}

std::optional<bool> parse_go_bool(std::string_view text) {
  for (const auto* word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const auto* word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::optional<Gate> find_gate(std::string_view name) {
  for (const GateInfo& info : kTable) {
    if (info.name == name) return info.gate;
  }
  return std::nullopt;
}

/// What the flag says, item by item; the later wins.
struct Named {
  std::map<Gate, bool> gates;
  std::optional<bool> all_alpha;
  std::optional<bool> all_beta;
};

std::optional<std::string> read_item(std::string_view item, Named& named, std::vector<std::string>& notes) {
  const auto equals = item.find('=');
  if (equals == std::string_view::npos) return "missing bool value for feature gate: " + std::string(item);
  const std::string_view name = trim(item.substr(0, equals));
  const std::string_view text = trim(item.substr(equals + 1));
  auto gate = find_gate(name);
  for (const auto& [spelling, meant] : kOtherSpellings) {
    if (name != spelling) continue;
    gate = meant;
    notes.push_back("feature gate " + std::string(spelling) + " is spelled " + std::string(name_of(meant)));
  }
  if (!gate && name != "AllAlpha" && name != "AllBeta") return "unrecognized feature gate: " + std::string(name);
  const auto on = parse_go_bool(text);
  if (!on) return "invalid value of feature gate " + std::string(name) + ": \"" + std::string(text) + "\" is not a boolean";
  if (gate) {
    named.gates[*gate] = *on;
  } else {
    (name == "AllAlpha" ? named.all_alpha : named.all_beta) = on;
  }
  return std::nullopt;
}

void apply_stages(Gates& gates, const Named& named, std::vector<std::string>& notes) {
  for (const GateInfo& info : kTable) {
    const auto& all = info.stage == Stage::kAlpha ? named.all_alpha : named.all_beta;
    if (!all || named.gates.contains(info.gate)) continue;
    if (*all && std::find(kNotByAllAlpha.begin(), kNotByAllAlpha.end(), info.gate) != kNotByAllAlpha.end()) {
      notes.push_back("AllAlpha leaves " + std::string(info.name) + " off, which needs preparations; name it to switch it on");
      continue;
    }
    gates.set(info.gate, *all);
  }
}

void force(Gates& gates, Gate gate, bool on, Gate because, std::vector<std::string>& notes) {
  if (gates.enabled(gate) == on) return;
  gates.set(gate, on);
  notes.push_back("feature gate " + std::string(name_of(gate)) + " is forced " + (on ? "on" : "off") + " because " +
                  std::string(name_of(because)) + " is " + (gates.enabled(because) ? "on" : "off"));
}

void derive(Gates& gates, std::vector<std::string>& notes) {
  if (!gates.enabled(Gate::kPodWebhook)) {
    for (const Gate gate :
         {Gate::kKruisePodReadinessGate, Gate::kPodUnavailableBudgetDeleteGate, Gate::kPodUnavailableBudgetUpdateGate,
          Gate::kWorkloadSpread, Gate::kSidecarSetPatchPodMetadataDefaultsAllowed, Gate::kEnhancedLivenessProbe,
          Gate::kEnablePodProbeMarkerOnServerless}) {
      force(gates, gate, false, Gate::kPodWebhook, notes);
    }
  }
  if (!gates.enabled(Gate::kKruiseDaemon)) {
    for (const Gate gate : {Gate::kPreDownloadImageForInPlaceUpdate, Gate::kPreDownloadImageForDaemonSetUpdate,
                            Gate::kDaemonWatchingPod, Gate::kInPlaceUpdateEnvFromMetadata, Gate::kPodProbeMarkerGate,
                            Gate::kSidecarTerminator, Gate::kImagePullJobGate, Gate::kEnhancedLivenessProbe}) {
      force(gates, gate, false, Gate::kKruiseDaemon, notes);
    }
  }
  for (const Gate gate : {Gate::kPreDownloadImageForInPlaceUpdate, Gate::kPreDownloadImageForDaemonSetUpdate}) {
    if (gates.enabled(gate)) force(gates, Gate::kImagePullJobGate, true, gate, notes);
  }
  if (!gates.enabled(Gate::kResourcesDeletionProtection)) {
    force(gates, Gate::kDeletionProtectionForCRDCascadingGate, false, Gate::kResourcesDeletionProtection, notes);
  }
}

/// The items of CUSTOM_RESOURCE_ENABLE are compared as they are, blanks included.
bool lists_sidecar_set(std::string_view kinds) {
  while (true) {
    const auto comma = kinds.find(',');
    if (kinds.substr(0, comma) == "SidecarSet") return true;
    if (comma == std::string_view::npos) return false;
    kinds.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string_view name_of(Gate gate) { return kTable.at(static_cast<std::size_t>(gate)).name; }

Gates::Gates() {
  for (const GateInfo& info : kTable) set(info.gate, info.on);
}

base::Result<Gates::Parsed, std::string> Gates::parse(const Input& input) {
  Parsed parsed;
  const auto& enabled_kinds = input.custom_resource_enable;
  if (enabled_kinds && !enabled_kinds->empty() && !lists_sidecar_set(*enabled_kinds)) parsed.gates.set(Gate::kPodWebhook, false);
  Named named;
  for (std::string_view rest = input.flag; !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string_view item = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (item.empty()) continue;
    if (auto error = read_item(item, named, parsed.notes)) return *error;
  }
  apply_stages(parsed.gates, named, parsed.notes);
  for (const auto& [gate, on] : named.gates) parsed.gates.set(gate, on);
  derive(parsed.gates, parsed.notes);
  return parsed;
}

}  // namespace kruise::runtime
