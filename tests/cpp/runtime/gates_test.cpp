#include "runtime/gates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::runtime {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Case {
  const char* name;
  const char* flag;
  const char* kinds;  // CUSTOM_RESOURCE_ENABLE
  std::vector<Gate> on;
  std::vector<Gate> off;
};

class GatesTable : public testing::TestWithParam<Case> {};

TEST_P(GatesTable, Holds) {
  const auto& c = GetParam();
  const auto parsed = Gates::parse({c.flag, c.kinds == nullptr ? std::nullopt : std::optional<std::string_view>(c.kinds)});
  ASSERT_TRUE(parsed.ok()) << parsed.error();
  for (const Gate gate : c.on) EXPECT_TRUE(parsed->gates.enabled(gate)) << name_of(gate);
  for (const Gate gate : c.off) EXPECT_FALSE(parsed->gates.enabled(gate)) << name_of(gate);
}

INSTANTIATE_TEST_SUITE_P(
    Flags, GatesTable,
    testing::Values(
        Case{"empty is defaults",
             "",
             nullptr,
             {Gate::kPodWebhook, Gate::kKruiseDaemon, Gate::kWorkloadSpread, Gate::kPodIndexLabel},
             {Gate::kCloneSetShortHash, Gate::kResourcesDeletionProtection}},
        Case{"blanks and Go booleans",
             " CloneSetShortHash = T , PodIndexLabel=0,",
             nullptr,
             {Gate::kCloneSetShortHash},
             {Gate::kPodIndexLabel}},
        Case{"the later item wins", "CloneSetShortHash=true,CloneSetShortHash=false", nullptr, {}, {Gate::kCloneSetShortHash}},
        Case{"AllAlpha spares what is named, before it or after",
             "CloneSetShortHash=false,AllAlpha=true,SidecarTerminator=false",
             nullptr,
             {Gate::kPreparingUpdateAsUpdate, Gate::kImagePullJobGate},
             {Gate::kCloneSetShortHash, Gate::kSidecarTerminator}},
        Case{"AllAlpha leaves out what breaks an installation",
             "AllAlpha=true",
             nullptr,
             {},
             {Gate::kEnableExternalCerts, Gate::kTemplateNoDefaults, Gate::kDeletionProtectionForCRDCascadingGate}},
        Case{"named it is on", "AllAlpha=true,EnableExternalCerts=true", nullptr, {Gate::kEnableExternalCerts}, {}},
        Case{"AllBeta",
             "AllBeta=false,PodWebhook=true",
             nullptr,
             {Gate::kPodWebhook},
             {Gate::kKruiseDaemon, Gate::kPodIndexLabel}},
        Case{"PodWebhook off overrides what is named",
             "PodWebhook=false,WorkloadSpread=true,KruisePodReadinessGate=true",
             nullptr,
             {},
             {Gate::kWorkloadSpread, Gate::kKruisePodReadinessGate, Gate::kPodUnavailableBudgetDeleteGate}},
        Case{"KruiseDaemon off",
             "KruiseDaemon=false,PreDownloadImageForInPlaceUpdate=true,ImagePullJobGate=true",
             nullptr,
             {},
             {Gate::kPreDownloadImageForInPlaceUpdate, Gate::kImagePullJobGate, Gate::kInPlaceUpdateEnvFromMetadata}},
        Case{"pre-download forces its jobs on",
             "PreDownloadImageForDaemonSetUpdate=true,ImagePullJobGate=false",
             nullptr,
             {Gate::kImagePullJobGate},
             {}},
        Case{"cascading protection needs protection",
             "DeletionProtectionForCRDCascadingGate=true",
             nullptr,
             {},
             {Gate::kDeletionProtectionForCRDCascadingGate}},
        Case{"both protections",
             "DeletionProtectionForCRDCascadingGate=true,ResourcesDeletionProtection=true",
             nullptr,
             {Gate::kDeletionProtectionForCRDCascadingGate},
             {}},
        Case{"old spellings",
             "EnhancedLivenessProbeGate=true,ForceDeleteTimeoutExpectationFeatureGate=true",
             nullptr,
             {Gate::kEnhancedLivenessProbe, Gate::kForceDeleteTimeoutExpectationGate},
             {}},
        Case{"kinds without SidecarSet", "", "CloneSet,DaemonSet", {}, {Gate::kPodWebhook, Gate::kWorkloadSpread}},
        Case{"kinds are not trimmed", "", "CloneSet, SidecarSet", {}, {Gate::kPodWebhook}},
        Case{"kinds with SidecarSet", "", "CloneSet,SidecarSet", {Gate::kPodWebhook}, {}},
        Case{"no kinds", "", "", {Gate::kPodWebhook}, {}},
        Case{"the flag wins over kinds", "PodWebhook=true", "CloneSet", {Gate::kPodWebhook}, {}}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

TEST(Gates, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Gates::parse({"Nonsense=true"}).error(), "unrecognized feature gate: Nonsense");
  EXPECT_THAT(Gates::parse({"PodWebhook"}).error(), HasSubstr("missing bool value for feature gate: PodWebhook"));
  EXPECT_THAT(Gates::parse({"PodWebhook=yes"}).error(), HasSubstr("PodWebhook: \"yes\""));
}

TEST(Gates, SaysWhatItForces) {
  const auto parsed = Gates::parse({"PodWebhook=false"});
  EXPECT_THAT(parsed->notes, Contains("feature gate WorkloadSpread is forced off because PodWebhook is off"));
}

}  // namespace
}  // namespace kruise::runtime
