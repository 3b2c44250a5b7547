#include "runtime/controller_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/log.hpp"
#include "client/request.hpp"
#include "held_client.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// Plans what the test says.
struct ToldReconciler final : Reconciler {
  std::function<Plan(const api::Key&)> plan = [](const api::Key&) { return Plan{}; };
  std::set<std::string> gone;
  std::vector<std::string> observed;

  std::string name() const override { return "cloneset-controller"; }
  ObjectReference reference(const api::Key& key) const override { return {&api::kCloneSets, key, "u", "1"}; }
  std::optional<PlanFunction> observe(const api::Key& key) override {
    observed.push_back(key.name);
    if (gone.contains(key.name)) return std::nullopt;
    return [this, key](const Context&) { return plan(key); };
  }
};

struct NoVersions final : Versions {
  std::optional<std::uint64_t> reached_version = 10;
  std::optional<std::uint64_t> reached(const api::Resource&) const override { return reached_version; }
  std::optional<Seen> object(const api::Resource&, const api::Key&) const override { return {}; }
  std::uint64_t lists(const api::Resource&) const override { return 0; }
  void refresh(const api::Resource&) override {}
};

struct ControllerLoopTest : testing::Test {
  base::VirtualLoop loop{base::Time{} + 1000s};
  HeldClient client{loop};
  HeldClient event_client{loop};
  NoVersions versions;
  base::Metrics metrics;
  OwnWrites own{{}, client, versions, metrics};
  EventRecorder events{event_client};
  Gates gates;
  bool leader = true;
  std::vector<std::string> lines;
  base::log::Capture capture{[this](auto, std::string_view event, const std::string&) { lines.emplace_back(event); }};

  ToldReconciler* told = nullptr;
  std::unique_ptr<ControllerLoop> controller;

  void make(int workers = 3, base::Executor* plan_executor = nullptr) {
    auto reconciler = std::make_unique<ToldReconciler>();
    told = reconciler.get();
    controller = std::make_unique<ControllerLoop>(
        std::move(reconciler), ControllerLoop::Options{.workers = workers, .user_agent = "kruise-manager/cloneset-controller"},
        Surroundings{client, own, events, metrics, gates, loop, plan_executor, [this] { return leader; }});
  }
  void SetUp() override { make(); }
  void add(std::string name, Cause cause = Cause::kChange) { controller->add({"ns", std::move(name)}, cause); }
  void run() {
    controller->start();
    loop.run_for(0s);
  }
  static Plan one_patch(const api::Key& key) {
    Write write;
    write.verb = Write::Verb::kPatch;
    write.resource = &api::kPods;
    write.key = key;
    write.body = "{}";
    Plan plan;
    plan.steps.push_back({{{write}}});
    return plan;
  }
  static Plan failing(const api::Key&) {
    Plan plan;
    plan.error = "spec.template is odd";
    return plan;
  }
  double total(const std::string& result) {
    return metrics.counter("controller_runtime_reconcile_total", "", {{"controller", "cloneset-controller"}, {"result", result}})
        .value();
  }
};

TEST_F(ControllerLoopTest, CollectsBeforeItStarts) {
  add("a");
  loop.run_for(1s);
  EXPECT_TRUE(told->observed.empty());
  run();
  EXPECT_THAT(told->observed, ElementsAre("a"));
  EXPECT_EQ(total("success"), 1);
  EXPECT_TRUE(controller->idle());
}

TEST_F(ControllerLoopTest, SeesAllEventsOfAnInstantAtOnce) {
  run();
  for (int i = 0; i < 5; ++i) loop.post([this] { add("a"); });
  loop.run_for(0s);
  EXPECT_THAT(told->observed, ElementsAre("a"));
}

TEST_F(ControllerLoopTest, AKeyIsPlannedOnceAtATimeAndAsManyKeysAsThereAreWorkers) {
  make(2);
  told->plan = one_patch;
  for (const auto* name : {"a", "b", "c"}) add(name);
  run();
  EXPECT_THAT(told->observed, ElementsAre("a", "b"));
  add("a");
  loop.run_for(0s);
  EXPECT_EQ(client.in_flight(), 2U);
  EXPECT_EQ(client.front().user_agent, "kruise-manager/cloneset-controller");
  client.succeed("10");
  EXPECT_THAT(told->observed, ElementsAre("a", "b", "c"));
  client.succeed("10");
  EXPECT_THAT(told->observed, ElementsAre("a", "b", "c", "a"));
}

TEST_F(ControllerLoopTest, WaitsForItsOwnWrites) {
  told->plan = one_patch;
  add("a");
  run();
  client.succeed("12");
  add("a");
  loop.run_for(1s);
  EXPECT_EQ(told->observed.size(), 1U);
  versions.reached_version = 12;
  own.progress();
  loop.run_for(0s);
  EXPECT_EQ(told->observed.size(), 2U);
}

TEST_F(ControllerLoopTest, AnErrorIsRetriedWithBackOffAndDelaysNoOtherKey) {
  told->plan = [](const api::Key& key) { return key.name == "bad" ? failing(key) : Plan{}; };
  add("bad");
  run();
  loop.run_for(1s);
  EXPECT_EQ(told->observed.size(), 8U);  // after 5, 10, 20, … ms
  add("good");
  loop.run_for(0s);
  EXPECT_EQ(told->observed.back(), "good");
  EXPECT_EQ(total("error"), 8);
  EXPECT_EQ(total("success"), 1);
}

// The status tells of a failure, its change names the key: an error whose text differs each time must not become a hot loop.
TEST_F(ControllerLoopTest, AFailingKeyIsNotHurriedByWhatItsFailureChanges) {
  told->plan = [this](const api::Key& key) {
    loop.post([this, key] { controller->add(key, Cause::kChange); });
    return failing(key);
  };
  add("bad");
  run();
  loop.run_for(10s);
  EXPECT_GE(told->observed.size(), 15U);
  EXPECT_LE(told->observed.size(), 20U);
  const std::size_t before = told->observed.size();
  add("bad", Cause::kUserEdit);
  loop.run_for(0s);
  EXPECT_EQ(told->observed.size(), before + 1) << "an edit is tried at once";
}

TEST_F(ControllerLoopTest, ForeverFailingIsToldByOneEventAnHourAndFewLines) {
  told->plan = failing;
  add("bad");
  run();
  loop.run_for(1s);
  EXPECT_EQ(event_client.sent.size(), 0U);
  loop.run_for(9s);
  ASSERT_EQ(event_client.sent.size(), 1U);
  EXPECT_THAT(event_client.sent[0].body, HasSubstr(R"("reason":"ReconcileError","message":"spec.template is odd")"));
  EXPECT_THAT(lines, testing::SizeIs(1));
  event_client.succeed();
  loop.run_for(50min);
  EXPECT_EQ(event_client.sent.size(), 1U);
  loop.run_for(50min);
  EXPECT_EQ(event_client.sent.size(), 2U);
}

TEST_F(ControllerLoopTest, AnExceptionIsAnErrorOfItsKey) {
  told->plan = [](const api::Key& key) -> Plan {
    if (key.name == "bad") throw std::runtime_error("broken invariant");
    return {};
  };
  add("bad");
  add("good");
  run();
  EXPECT_THAT(told->observed, ElementsAre("bad", "good"));
  EXPECT_THAT(lines, Contains("planning threw"));
  EXPECT_EQ(total("error"), 1);
  EXPECT_EQ(total("success"), 1);
  EXPECT_THAT(metrics.text(), HasSubstr("controller_runtime_reconcile_panics_total{controller=\"cloneset-controller\"} 1\n"));
}

TEST_F(ControllerLoopTest, ShowsWhatPlansAndTheirWritesTakeAndWhatTheyHold) {
  told->plan = [](const api::Key& key) {
    Plan plan = one_patch(key);
    plan.reasons = {{Reason::Verdict::kHeld, "web-1", "partition", "8 of 10 stay"}};
    return plan;
  };
  add("a");
  run();
  EXPECT_THAT(metrics.text(), HasSubstr("kruise_held_objects{controller=\"cloneset-controller\",rule=\"partition\"} 1\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("kruise_plan_duration_seconds_count{controller=\"cloneset-controller\"} 1\n"));
  loop.run_for(2s);
  client.succeed("10");
  EXPECT_THAT(metrics.text(), HasSubstr("kruise_act_duration_seconds_sum{controller=\"cloneset-controller\"} 2\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("kruise_writes_total{controller=\"cloneset-controller\"} 1\n"));
  told->gone.insert("a");
  add("a");
  loop.run_for(0s);
  EXPECT_THAT(metrics.text(), HasSubstr("kruise_held_objects{controller=\"cloneset-controller\",rule=\"partition\"} 0\n"));
}

TEST_F(ControllerLoopTest, StaleObjectsArePlannedAnewWithoutNoise) {
  told->plan = one_patch;
  add("a");
  run();
  client.refuse(409, "Conflict");
  loop.run_for(5ms);
  EXPECT_EQ(told->observed.size(), 2U);
  EXPECT_THAT(lines, testing::Not(Contains("reconcile failed")));
}

Plan two_patches(const api::Key& key) {
  Plan plan = ControllerLoopTest::one_patch(key);
  plan.steps[0].chains.push_back(plan.steps[0].chains[0]);
  return plan;
}

// A rollout under which kubelets report all the time goes on at full speed.
TEST_F(ControllerLoopTest, WhoGetsOnDespiteStaleObjectsIsNotSlowedDown) {
  told->plan = two_patches;
  add("a");
  run();
  for (std::size_t round = 1; round <= 20; ++round) {
    client.succeed();
    client.refuse(409, "Conflict");
    loop.run_for(5ms);
    EXPECT_EQ(told->observed.size(), round + 1);
  }
  // Who gets nowhere backs off.
  client.refuse(409, "Conflict");
  client.refuse(409, "Conflict");
  loop.run_for(9ms);
  EXPECT_EQ(told->observed.size(), 21U);
  loop.run_for(1ms);
  EXPECT_EQ(told->observed.size(), 22U);
}

// A server that fails many requests delays a rollout by less than a second each time. What is refused for ever, beside a write
// that always succeeds (a claim that is made and deleted again), is no hot loop either, and is told.
TEST_F(ControllerLoopTest, WhoGetsOnDespiteFailuresWaitsForLessThanASecond) {
  told->plan = two_patches;
  add("a");
  run();
  std::size_t round = 1;
  for (; round <= 20; ++round) {
    client.succeed();
    client.answer(client::ApiError{.code = 500, .reason = "InternalError", .message = "try " + std::to_string(round)});
    loop.run_for(1s);
    EXPECT_EQ(told->observed.size(), round + 1);
  }
  client.succeed();
  client.refuse(500, "InternalError");
  loop.run_for(639ms);
  EXPECT_EQ(told->observed.size(), round);
  loop.run_for(1ms);
  EXPECT_EQ(told->observed.size(), round + 1);
  ASSERT_EQ(event_client.sent.size(), 1U);
  EXPECT_THAT(event_client.sent[0].body, HasSubstr(R"("reason":"ReconcileError")"));
  EXPECT_THAT(lines, testing::SizeIs(testing::Le(11U))) << "the first nine, then one in ten seconds";
}

// A status alone gets nothing further.
TEST_F(ControllerLoopTest, WhoWritesNothingButItsStatusBacksOff) {
  told->plan = [](const api::Key& key) {
    Plan plan = one_patch(key);
    plan.status = plan.steps[0].chains[0][0];
    return plan;
  };
  add("a");
  run();
  base::Duration back_off = 5ms;
  for (std::size_t round = 1; round <= 12; ++round, back_off *= 2) {
    client.refuse(500, "InternalError");
    client.succeed();
    loop.run_for(back_off - 1ms);
    EXPECT_EQ(told->observed.size(), round);
    loop.run_for(1ms);
    EXPECT_EQ(told->observed.size(), round + 1);
  }
}

TEST_F(ControllerLoopTest, WhatWaitsForItsTimeIsNotHeldByWhatIsWrong) {
  told->plan = [](const api::Key& key) {
    Plan plan = failing(key);
    plan.requeue = 30s;
    return plan;
  };
  add("a");
  run();
  loop.run_for(1h);  // by then the back-off alone is at a quarter of an hour
  const std::size_t before = told->observed.size();
  loop.run_for(10min);
  EXPECT_GE(told->observed.size(), before + 19);
}

TEST_F(ControllerLoopTest, LooksAgainWhenThePlanWishes) {
  told->plan = [](const api::Key&) {
    Plan plan;
    plan.requeue = 30s;
    return plan;
  };
  add("a");
  run();
  loop.run_for(29s);
  EXPECT_EQ(told->observed.size(), 1U);
  loop.run_for(1s);
  EXPECT_EQ(told->observed.size(), 2U);
  EXPECT_EQ(total("requeue_after"), 2);
}

TEST_F(ControllerLoopTest, AStatusThatMayWaitFollowsAnotherAtADistance) {
  bool may_wait = true;
  told->plan = [&](const api::Key& key) {
    Plan plan;
    plan.status = one_patch(key).steps[0].chains[0][0];
    plan.status_may_wait = may_wait;
    return plan;
  };
  const auto sends = [&](base::Duration after) {
    add("a");
    loop.run_for(after);
    if (client.in_flight() == 0) return false;
    client.succeed("10");
    return true;
  };
  controller->start();
  EXPECT_TRUE(sends(0s));
  EXPECT_FALSE(sends(100ms));
  EXPECT_FALSE(sends(300ms));
  EXPECT_FALSE(controller->idle());
  loop.run_for(100ms);  // it comes by itself
  ASSERT_EQ(client.in_flight(), 1U);
  client.succeed("10");
  // What may not wait does not, and what follows it keeps its distance too.
  may_wait = false;
  EXPECT_TRUE(sends(10ms));
  may_wait = true;
  EXPECT_FALSE(sends(400ms));
  loop.run_for(90ms);
  EXPECT_EQ(client.in_flight(), 1U);
  client.succeed("10");
  // Another key's is its own affair.
  add("b");
  loop.run_for(0s);
  EXPECT_EQ(client.in_flight(), 1U);
}

TEST_F(ControllerLoopTest, AnExpensiveKeyRestsExceptForAnEdit) {
  told->plan = [](const api::Key&) {
    Plan plan;
    plan.objects = 10'000;  // 20 ms
    return plan;
  };
  run();
  for (int i = 0; i < 100; ++i) {
    add("a");
    loop.run_for(10ms);
  }
  EXPECT_EQ(told->observed.size(), 6U);  // at 0, 200, … 1000 ms
  loop.run_for(300ms);
  const std::size_t before = told->observed.size();
  add("a");
  loop.run_for(0s);
  add("a", Cause::kUserEdit);
  loop.run_for(0s);
  EXPECT_EQ(told->observed.size(), before + 2);
}

TEST_F(ControllerLoopTest, AGoneObjectIsForgotten) {
  told->gone.insert("a");
  add("a");
  run();
  EXPECT_TRUE(controller->idle());
}

TEST_F(ControllerLoopTest, StopLetsTheRunningFinish) {
  told->plan = one_patch;
  add("a");
  run();
  bool stopped = false;
  controller->stop([&] {
    stopped = true;
    controller.reset();
  });
  add("b");
  loop.run_for(1s);
  EXPECT_FALSE(stopped);
  client.succeed("10");
  EXPECT_TRUE(stopped);
}

TEST_F(ControllerLoopTest, WhoMayNotWriteDoesNotRetry) {
  told->plan = one_patch;
  leader = false;
  add("a");
  run();
  loop.run_for(10s);
  EXPECT_EQ(client.sent.size(), 0U);
  EXPECT_EQ(told->observed.size(), 1U);
}

TEST_F(ControllerLoopTest, DestroyedAtAnyPointNothingFollows) {
  told->plan = one_patch;
  for (const auto* name : {"a", "b", "c", "d"}) add(name);
  run();
  client.succeed("99");
  controller.reset();
  while (client.in_flight() > 0) client.succeed("100");
  loop.run_for(1h);
  EXPECT_EQ(client.sent.size(), 4U);
}

TEST(ControllerLoop, PlansOnAWorkerThread) {
  base::Loop loop("loop");
  base::Loop worker("worker");
  base::VirtualLoop never(base::Time{});
  HeldClient client(never);
  NoVersions versions;
  base::Metrics metrics;
  OwnWrites own({}, client, versions, metrics);
  EventRecorder events(client);
  Gates gates;
  std::promise<std::thread::id> planned_on;
  std::unique_ptr<ControllerLoop> controller;
  loop.run_and_wait([&] {
    auto reconciler = std::make_unique<ToldReconciler>();
    reconciler->plan = [&](const api::Key&) {
      planned_on.set_value(std::this_thread::get_id());
      return Plan{};
    };
    controller = std::make_unique<ControllerLoop>(std::move(reconciler), ControllerLoop::Options{},
                                                  Surroundings{client, own, events, metrics, gates, loop, &worker, {}});
    controller->add({"ns", "a"}, Cause::kChange);
    controller->start();
  });
  std::thread::id worker_id;
  worker.run_and_wait([&] { worker_id = std::this_thread::get_id(); });
  EXPECT_EQ(planned_on.get_future().get(), worker_id);
  loop.run_and_wait([&] { controller.reset(); });
}

}  // namespace
}  // namespace kruise::runtime
