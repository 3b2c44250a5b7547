#include "workload/readiness.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::HasSubstr;

PodBuilder gated(const std::string& message = {}, api::Tristate status = api::Tristate::kTrue) {
  auto p = pod("web-1").ready();
  p.fields.readiness_gates.emplace_back(api::kConditionKruisePodReady);
  p.condition(api::kConditionKruisePodReady, status);
  p.fields.conditions.back().message = message;
  return p;
}

/// The conditions that a hold, or its release, writes.
json written(const PodBuilder& builder, const ReadyHold& hold, bool on) {
  const auto p = builder.ptr();
  PodPatch patch(*p);
  on ? hold_ready(*p, hold, at(0), patch) : release_ready(*p, hold, at(0), patch);
  if (patch.empty()) return nullptr;
  const auto write = patch.write("x");
  EXPECT_EQ(write.subresource, "status");
  return json::parse(write.body)["status"]["conditions"];
}

TEST(ReadyHolds, TheFirstOneMakesThePodNotReady) {
  const json conditions = written(gated(), kPreDeleteHold, true);
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions[0]["type"], "KruisePodReady");
  EXPECT_EQ(conditions[0]["status"], "False");
  EXPECT_EQ(conditions[0]["message"], R"([{"userAgent":"Lifecycle","key":"preDeleteHook"}])");
  EXPECT_EQ(conditions[1]["type"], "Ready");
  EXPECT_EQ(conditions[1]["status"], "False");
  EXPECT_EQ(conditions[1]["reason"], "ReadinessGatesNotReady");
  EXPECT_THAT(conditions[1]["message"].get<std::string>(), HasSubstr("KruisePodReady"));
}

TEST(ReadyHolds, WithoutTheGateNothingIsWritten) {
  EXPECT_EQ(written(pod("web-1").ready(), kPreDeleteHold, true), nullptr);
  EXPECT_EQ(written(pod("web-1").ready(), kPreDeleteHold, false), nullptr);
}

TEST(ReadyHolds, AMissingConditionIsWrittenWithAStatus) {
  auto fresh = gated();
  fresh.drop_condition(api::kConditionKruisePodReady);
  EXPECT_EQ(written(fresh, kPreDeleteHold, true)[0]["status"], "False");
}

TEST(ReadyHolds, ANewPodHasNoneAndIsLetInWithItsOtherGate) {
  auto fresh = gated();
  fresh.drop_condition(api::kConditionKruisePodReady).drop_condition(api::kConditionInPlaceUpdateReady);
  const auto conditions = [](const PodBuilder& builder) {
    const auto p = builder.ptr();
    PodPatch patch(*p);
    set_in_place_ready(*p, at(0), patch);
    return json::parse(patch.write("x").body)["status"]["conditions"];
  };
  ASSERT_EQ(conditions(fresh).size(), 2U);
  EXPECT_EQ(conditions(fresh)[1]["type"], "KruisePodReady");
  EXPECT_EQ(conditions(fresh)[1]["status"], "True");
  // Somebody has written it: what it says stays.
  EXPECT_EQ(conditions(fresh.condition(api::kConditionKruisePodReady, api::Tristate::kFalse)).size(), 1U);
}

TEST(ReadyHolds, StandInOrderBesideThoseOfOthers) {
  const std::string others = R"([{"userAgent":"Zed","key":"z"},{"userAgent":"Agent","key":"a"}])";
  const json conditions = written(gated(others, api::Tristate::kFalse).not_ready(), kPreUpdateHold, true);
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0]["message"],
            R"([{"userAgent":"Agent","key":"a"},{"userAgent":"Lifecycle","key":"preUpdateHook"},{"userAgent":"Zed","key":"z"}])");
}

TEST(ReadyHolds, AreAddedOnceAndReleasedOnce) {
  const std::string mine = R"([{"userAgent":"Lifecycle","key":"preUpdateHook"}])";
  const auto held = gated(mine, api::Tristate::kFalse).not_ready();
  EXPECT_EQ(written(held, kPreUpdateHold, true), nullptr);
  const json released = written(held, kPreUpdateHold, false);
  EXPECT_EQ(released[0]["status"], "True");
  EXPECT_TRUE(released[0]["message"].is_null());
  EXPECT_EQ(released.size(), 1U);  // Ready is the kubelet's
  EXPECT_EQ(written(held, kPreDeleteHold, false), nullptr);
}

TEST(ReadyHolds, AnothersHoldKeepsThePodNotReady) {
  const std::string both = R"([{"userAgent":"Agent","key":"a"},{"userAgent":"Lifecycle","key":"preUpdateHook"}])";
  const json released = written(gated(both, api::Tristate::kFalse).not_ready(), kPreUpdateHold, false);
  EXPECT_EQ(released[0]["status"], "False");
  EXPECT_EQ(released[0]["message"], R"([{"userAgent":"Agent","key":"a"}])");
}

TEST(ReadyHolds, ReadyIsRecomputedWhereTheHoldStandsButReadyDoesNotFollow) {
  const std::string mine = R"([{"userAgent":"Lifecycle","key":"preDeleteHook"}])";
  const json conditions = written(gated(mine, api::Tristate::kFalse), kPreDeleteHold, true);
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0]["type"], "Ready");
}

TEST(ReadyHolds, AMessageOfAnotherFormHoldsNothing) {
  for (const std::string text : {"because", "{}", "[3]", "[{\"key\":7}]"}) {
    EXPECT_EQ(written(gated(text), kPreDeleteHold, true)[0]["status"], "False") << text;
  }
}

}  // namespace
}  // namespace kruise::workload
