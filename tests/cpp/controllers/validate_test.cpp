// A CloneSet that cannot work is told so and never acted upon.
#include "controllers/cloneset/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Case {
  const char* field;
  std::function<void(api::CloneSetSpec&)> spoil;
};

void set_template(api::CloneSetSpec& spec, const std::string& pod_spec) {
  spec.template_.text = R"({"metadata":{"labels":{"app":"web"}},"spec":)" + pod_spec + "}";
}

const Case kCases[] = {
    {"spec.selector", [](auto& s) { s.selector = {}; }},
    {"spec.selector", [](auto& s) { s.selector.match_expressions = {{"app", "Like", {"x"}}}; }},
    {"spec.template.metadata.labels", [](auto& s) { s.selector.match_labels = {{"app", "other"}}; }},
    {"spec.template.metadata.labels", [](auto& s) { s.template_.text = ""; }},
    {"spec.template", [](auto& s) { s.template_.text = "{"; }},
    {"spec.template.spec.containers", [](auto& s) { set_template(s, R"({"containers":[]})"); }},
    {"spec.template.spec.containers", [](auto& s) { set_template(s, "{}"); }},
    {"spec.template.spec.containers[0].name", [](auto& s) { set_template(s, R"({"containers":[{"image":"x"}]})"); }},
    {"spec.template.spec.restartPolicy",
     [](auto& s) { set_template(s, R"({"restartPolicy":"Never","containers":[{"name":"a","image":"x"}]})"); }},
    {"spec.template.spec.activeDeadlineSeconds",
     [](auto& s) { set_template(s, R"({"activeDeadlineSeconds":9,"containers":[{"name":"a","image":"x"}]})"); }},
    {"spec.volumeClaimTemplates[0]", [](auto& s) { s.volume_claim_templates = {{"{}"}}; }},
    {"spec.replicas", [](auto& s) { s.replicas = -1; }},
    {"spec.updateStrategy.type", [](auto& s) { s.update_strategy.type = "Sideways"; }},
    {"spec.updateStrategy.partition", [](auto& s) { s.update_strategy.partition = "half"; }},
    {"spec.updateStrategy.partition", [](auto& s) { s.update_strategy.partition = "5"; }},
    {"spec.updateStrategy.partition", [](auto& s) { s.update_strategy.partition = -1; }},
    {"spec.updateStrategy.maxUnavailable", [](auto& s) { s.update_strategy.max_unavailable = "%"; }},
    {"spec.updateStrategy.maxSurge", [](auto& s) { s.update_strategy.max_surge = "x%"; }},
    {"spec.scaleStrategy.maxUnavailable", [](auto& s) { s.scale_strategy.max_unavailable = "some"; }},
    {"spec.updateStrategy.maxSurge",
     [](auto& s) {
       s.update_strategy.type = "InPlaceOnly";
       s.update_strategy.max_surge = 1;
     }},
    {"spec.updateStrategy.priorityStrategy",
     [](auto& s) { s.update_strategy.priority_strategy.weight_priority = {{.weight = 101, .match_selector = s.selector}}; }},
    {"spec.updateStrategy.priorityStrategy",
     [](auto& s) { s.update_strategy.priority_strategy.weight_priority = {{.weight = 1, .match_selector = {}}}; }},
    {"spec.updateStrategy.priorityStrategy",
     [](auto& s) { s.update_strategy.priority_strategy.order_priority = {{.ordered_key = ""}}; }},
    {"spec.updateStrategy.scatterStrategy", [](auto& s) { s.update_strategy.scatter_strategy = {{.key = "", .value = "x"}}; }},
    {"spec.updateStrategy.scatterStrategy",
     [](auto& s) { s.update_strategy.scatter_strategy = {{.key = "a", .value = "x"}, {.key = "a", .value = "x"}}; }},
};

// CloneSet §23.2 as far as it needs no admission; §26, 1.9: "5" passed for 5 %.
TEST(BadSetTest, IsNeverActedUponAndNamesTheField) {
  for (const auto& c : kCases) {
    World world(clone_set().replicas(5).in_place().max_unavailable(5));
    // There would be something to create, to update, to delete and to release.
    world.old_pods(1).old_pods(1, [](PodBuilder& p) { p.specified_delete(); }).old_pods(1, [](PodBuilder& p) {
      p.label("app", "stray");
    });
    c.spoil(world.set.set.spec);
    const auto next = world.plan();
    EXPECT_THAT(next.steps, IsEmpty()) << c.field;
    EXPECT_THAT(next.cleanup, IsEmpty()) << c.field;
    ASSERT_THAT(next.events, SizeIs(1)) << c.field;
    EXPECT_EQ(next.events[0].type, runtime::Event::Type::kWarning);
    EXPECT_THAT(next.events[0].message, ::testing::StartsWith(c.field));
    ASSERT_TRUE(next.status) << c.field;
    const auto condition = nlohmann::json::parse(next.status->body)["status"]["conditions"][0];
    EXPECT_EQ(condition["type"], "FailedScale");
    EXPECT_EQ(condition["status"], "True");
    EXPECT_THAT(condition["message"].get<std::string>(), ::testing::StartsWith(c.field));
    EXPECT_FALSE(next.error) << "nothing to retry until somebody edits the set";

    // Said once.
    world.set.set.status.conditions = {{.type = "FailedScale",
                                        .status = "True",
                                        .reason = "",
                                        .message = next.events[0].message,
                                        .last_transition_time = at(0),
                                        .last_update_time = {}}};
    world.set.set.status.observed_generation = world.set.set.meta.generation;
    EXPECT_TRUE(world.plan().writes_nothing()) << c.field;
    EXPECT_THAT(world.plan().events, IsEmpty()) << c.field;
  }
}

TEST(BadSetTest, OnceRepairedTheConditionGoes) {
  World world(clone_set().replicas(1));
  world.set.current(world.new_revision);
  world.new_pods(1);
  world.set.set.status.conditions = {
      {.type = "FailedScale",
       .status = "True",
       .reason = "",
       .message = "x",
       .last_transition_time = at(0),
       .last_update_time = {}},
      {.type = "Custom", .status = "True", .reason = "", .message = "", .last_transition_time = at(0), .last_update_time = {}}};
  const auto body = nlohmann::json::parse(world.plan().status->body);
  ASSERT_THAT(body["status"]["conditions"], SizeIs(1));
  EXPECT_EQ(body["status"]["conditions"][0]["type"], "Custom");
}

TEST(GoodSetTest, WhatMayBeOddIsAccepted) {
  workload::TemplateCache cache;
  const auto accepted = [&](const std::function<void(api::CloneSetSpec&)>& change) {
    auto set = clone_set().set;
    change(set.spec);
    const auto result = check(set, cache);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error());
  };
  accepted([](auto& s) { s.replicas.reset(); });
  accepted([](auto& s) { s.update_strategy.partition = "150%"; });
  accepted([](auto& s) { s.update_strategy.partition = "0.5%"; });
  accepted([](auto& s) { s.update_strategy.max_unavailable = "12.5%"; });
  accepted([](auto& s) { s.scale_strategy.max_unavailable = "12.5%"; });
  accepted([](auto& s) { s.update_strategy.max_unavailable = -4; });
  accepted([](auto& s) { s.update_strategy.type = ""; });
  accepted([](auto& s) { s.lifecycle = api::Lifecycle{}; });
}

}  // namespace
}  // namespace kruise::controllers::cloneset
