// Labels, annotations, conditions and other words that are part of the wire
// contract (docs of OpenKruise: CloneSet).
#pragma once

#include <string_view>

namespace kruise::api {

inline constexpr std::string_view kLabelRevision = "controller-revision-hash";
inline constexpr std::string_view kLabelPodTemplateHash = "pod-template-hash";
inline constexpr std::string_view kLabelInstanceId = "apps.kruise.io/cloneset-instance-id";
inline constexpr std::string_view kLabelSpecifiedDelete = "apps.kruise.io/specified-delete";
inline constexpr std::string_view kLabelLifecycleState = "lifecycle.apps.kruise.io/state";
inline constexpr std::string_view kLabelExcludePreparingDelete = "apps.kruise.io/cloneset-scaling-exclude-preparing-delete";
inline constexpr std::string_view kLabelRevisionHash = "controller.kubernetes.io/hash";

inline constexpr std::string_view kAnnotationLifecycleTimestamp = "lifecycle.apps.kruise.io/timestamp";
inline constexpr std::string_view kAnnotationInPlaceState = "apps.kruise.io/inplace-update-state";
inline constexpr std::string_view kAnnotationInPlaceStateLegacy = "inplace-update-state";
inline constexpr std::string_view kAnnotationInPlaceGrace = "apps.kruise.io/inplace-update-grace";
inline constexpr std::string_view kAnnotationInPlaceGraceLegacy = "inplace-update-grace";
inline constexpr std::string_view kAnnotationRuntimeContainersMeta = "apps.kruise.io/runtime-containers-meta";
inline constexpr std::string_view kAnnotationPodDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
inline constexpr std::string_view kAnnotationClaimTemplateHash = "kruise.io/cloneset-volumeclaimtemplate-hash";

inline constexpr std::string_view kConditionReady = "Ready";
inline constexpr std::string_view kConditionContainersReady = "ContainersReady";
inline constexpr std::string_view kConditionInPlaceUpdateReady = "InPlaceUpdateReady";
inline constexpr std::string_view kConditionKruisePodReady = "KruisePodReady";

inline constexpr std::string_view kLifecyclePreparingNormal = "PreparingNormal";
inline constexpr std::string_view kLifecycleNormal = "Normal";
inline constexpr std::string_view kLifecyclePreparingUpdate = "PreparingUpdate";
inline constexpr std::string_view kLifecycleUpdating = "Updating";
inline constexpr std::string_view kLifecycleUpdated = "Updated";
inline constexpr std::string_view kLifecyclePreparingDelete = "PreparingDelete";

}  // namespace kruise::api
