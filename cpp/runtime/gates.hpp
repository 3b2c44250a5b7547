// Feature gates: a small value, read once at start, so that a plan that asks it stays a pure function.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kruise::runtime {

enum class Gate : std::uint8_t {
  kPodWebhook,
  kKruiseDaemon,
  kCloneSetShortHash,
  kKruisePodReadinessGate,
  kResourcesDeletionProtection,
  kPreDownloadImageForInPlaceUpdate,
  kCloneSetPartitionRollback,
  kDaemonWatchingPod,
  kPodUnavailableBudgetDeleteGate,
  kPodUnavailableBudgetUpdateGate,
  kWorkloadSpread,
  kTemplateNoDefaults,
  kInPlaceUpdateEnvFromMetadata,
  kStatefulSetAutoDeletePVC,
  kSidecarSetPatchPodMetadataDefaultsAllowed,
  kPreDownloadImageForDaemonSetUpdate,
  kPodProbeMarkerGate,
  kSidecarTerminator,
  kCloneSetEventHandlerOptimization,
  kPreparingUpdateAsUpdate,
  kImagePullJobGate,
  kResourceDistributionGate,
  kDeletionProtectionForCRDCascadingGate,
  kEnhancedLivenessProbe,
  kRecreatePodWhenChangeVCTInCloneSetGate,
  kStatefulSetStartOrdinal,
  kEnableExternalCerts,
  kPodIndexLabel,
  kStatefulSetAutoResizePVCGate,
  kForceDeleteTimeoutExpectationGate,
  kInPlaceWorkloadVerticalScaling,
  kEnablePodProbeMarkerOnServerless,
  kEnableSortSidecarContainerByName,
  kInPlacePodVerticalScaling,
};
inline constexpr std::size_t kGateCount = 34;

/// As typed on the command line.
[[nodiscard]] std::string_view name_of(Gate);

class Gates {
 public:
  /// Every gate at its default.
  Gates();

  [[nodiscard]] bool enabled(Gate gate) const { return on_[static_cast<std::size_t>(gate)]; }
  /// For tests and callers that build a set by hand; derives nothing.
  Gates& set(Gate gate, bool on) {
    on_.set(static_cast<std::size_t>(gate), on);
    return *this;
  }
  bool operator==(const Gates&) const = default;

  struct Input {
    std::string_view flag{};  // `A=true,B=false`; repeated flags joined by commas, the later item wins
    std::optional<std::string_view> custom_resource_enable{};  // the environment variable CUSTOM_RESOURCE_ENABLE
  };
  struct Parsed;
  /// The error is a sentence for the user.
  [[nodiscard]] static base::Result<Parsed, std::string> parse(const Input&);

 private:
  std::bitset<kGateCount> on_;
};

struct Gates::Parsed {
  Gates gates;
  /// What was not taken as typed: gates forced by others, old spellings, gates that AllAlpha leaves alone.
  std::vector<std::string> notes;
};

}  // namespace kruise::runtime
