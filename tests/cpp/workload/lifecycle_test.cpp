#include "workload/lifecycle.hpp"

#include <gtest/gtest.h>

#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using testing::pod;
using testing::PodBuilder;
using State = LifecycleState;

const Hook kHook{.labels_handler = {{"hold", "true"}}, .finalizers_handler = {"example.com/hold"}};

PodBuilder free_pod() { return pod("web-1").ready(); }
PodBuilder half_hooked() { return free_pod().label("hold", "true"); }
PodBuilder fully_hooked() { return half_hooked().finalizer("example.com/hold"); }

TEST(LifecycleTest, ReleaseMeansNoMarkLeftReturnMeansEveryMarkBack) {
  EXPECT_FALSE(is_hooked(kHook, free_pod().value()));
  EXPECT_TRUE(is_hooked(kHook, half_hooked().value()));
  EXPECT_TRUE(is_hooked(kHook, fully_hooked().value()));
  EXPECT_TRUE(is_hooked(kHook, free_pod().finalizer("example.com/hold").value()));
  EXPECT_FALSE(is_hooked(kHook, free_pod().label("hold", "false").value()));
  EXPECT_FALSE(is_all_hooked(kHook, free_pod().value()));
  EXPECT_FALSE(is_all_hooked(kHook, half_hooked().value()));
  EXPECT_TRUE(is_all_hooked(kHook, fully_hooked().value()));
  EXPECT_EQ(holding_mark(kHook, half_hooked().value()), "label hold=true");
  EXPECT_EQ(holding_mark(kHook, fully_hooked().value()), "finalizer example.com/hold");
}

TEST(LifecycleTest, EmptyHooksHoldNothingAndAbsentOnesAreNeither) {
  EXPECT_FALSE(is_hooked(Hook{}, fully_hooked().value()));
  EXPECT_TRUE(is_all_hooked(Hook{}, free_pod().value()));
  EXPECT_FALSE(is_hooked(std::nullopt, fully_hooked().value()));
  EXPECT_FALSE(is_all_hooked(std::nullopt, fully_hooked().value()));
}

// CloneSet §6.9.
TEST(LifecycleTest, AListedLabelWithEmptyValueMustBePresent) {
  const Hook hook{.labels_handler = {{"hold", ""}}, .finalizers_handler = {}};
  EXPECT_TRUE(is_hooked(hook, free_pod().label("hold", "").value()));
  EXPECT_FALSE(is_hooked(hook, free_pod().value()));
  EXPECT_FALSE(is_all_hooked(hook, free_pod().value()));
}

struct Case {
  const char* what;
  PodBuilder pod;
  std::optional<Lifecycle> lifecycle;
  LifecycleFacts facts;
  std::optional<State> expected;
};

// CloneSet §18.2; §26, 1.9: Normal before scheduling raced with the binding.
TEST(LifecycleTest, TransitionsByThemselves) {
  const std::optional<Lifecycle> none;
  const Lifecycle update{.pre_delete = {}, .in_place_update = kHook, .pre_normal = {}};
  const Lifecycle normal{.pre_delete = {}, .in_place_update = {}, .pre_normal = kHook};
  const Lifecycle only_delete{.pre_delete = kHook, .in_place_update = {}, .pre_normal = {}};
  const auto in = [](PodBuilder b, std::string_view state) { return b.state(state); };
  const Case cases[] = {
      {"created, scheduled", in(free_pod(), api::kLifecyclePreparingNormal), none, {}, State::kNormal},
      {"created, without a node", in(free_pod().node(""), api::kLifecyclePreparingNormal), none, {}, {}},
      {"created, hook not given", in(half_hooked(), api::kLifecyclePreparingNormal), normal, {}, {}},
      {"created, hook given", in(fully_hooked(), api::kLifecyclePreparingNormal), normal, {}, State::kNormal},
      {"created, other hooks only", in(free_pod(), api::kLifecyclePreparingNormal), update, {}, State::kNormal},
      {"waiting to be updated", in(half_hooked(), api::kLifecyclePreparingUpdate), update, {.at_target = false}, {}},
      {"rolled back while waiting, hook untouched",
       in(fully_hooked(), api::kLifecyclePreparingUpdate),
       update,
       {.at_target = true},
       State::kNormal},
      {"rolled back while waiting, partly released",
       in(half_hooked(), api::kLifecyclePreparingUpdate),
       update,
       {.at_target = true},
       State::kUpdated},
      {"rolled back while waiting, hooks gone",
       in(half_hooked(), api::kLifecyclePreparingUpdate),
       none,
       {.at_target = true},
       State::kNormal},
      {"updating", in(free_pod(), api::kLifecycleUpdating), update, {.complete = false}, {}},
      {"updated, hook to come back", in(free_pod(), api::kLifecycleUpdating), update, {}, State::kUpdated},
      {"updated, hook half back", in(half_hooked(), api::kLifecycleUpdating), update, {}, State::kUpdated},
      {"updated, hook back", in(fully_hooked(), api::kLifecycleUpdating), update, {}, State::kNormal},
      {"updated, no hooks", in(free_pod(), api::kLifecycleUpdating), none, {}, State::kNormal},
      {"updated, other hooks only: one pass in Updated",
       in(free_pod(), api::kLifecycleUpdating),
       only_delete,
       {},
       State::kUpdated},
      {"Updated, waits", in(half_hooked(), api::kLifecycleUpdated), update, {}, {}},
      {"Updated, hook back", in(fully_hooked(), api::kLifecycleUpdated), update, {}, State::kNormal},
      {"Updated, hook removed from the set", in(free_pod(), api::kLifecycleUpdated), only_delete, {}, State::kNormal},
      {"Updated, hooks removed from the set", in(free_pod(), api::kLifecycleUpdated), none, {}, State::kNormal},
      {"preparing to be deleted", in(half_hooked(), api::kLifecyclePreparingDelete), only_delete, {}, {}},
      {"in service", in(free_pod(), api::kLifecycleNormal), update, {}, {}},
      {"from before the feature", free_pod(), update, {}, {}},
      {"a word we don't know", in(free_pod(), "Sleeping"), update, {}, {}},
  };
  for (const Case& c : cases) EXPECT_EQ(next_state(c.pod.value(), c.lifecycle, c.facts), c.expected) << c.what;
}

}  // namespace
}  // namespace kruise::workload
