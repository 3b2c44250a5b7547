// What a plan allocates, counted by a program of its own: whether it grows with pods that nothing happens to.
#include <gtest/gtest.h>

#include <memory>

#include "controllers/cloneset_builders.hpp"
#include "plan_cost/allocations.hpp"

namespace kruise::testing {
namespace {

/// Of a plan that is not the first: templates are read once.
std::size_t allocations_of_plan(const World& world) {
  static_cast<void>(world.plan());
  const std::size_t before = allocations();
  static_cast<void>(world.plan());
  return allocations() - before;
}

World at_rest(int pods) {
  World world(clone_set().replicas(pods).in_place());
  world.observed.templates = std::make_shared<workload::TemplateCache>();
  world.set.current(world.new_revision);
  world.new_pods(pods);
  return world;
}

World held_by_partition(int pods) {
  World world(clone_set().replicas(pods).in_place().partition("50%"));
  world.observed.templates = std::make_shared<workload::TemplateCache>();
  world.set.current(world.old_revision);
  world.old_pods(pods / 2).new_pods(pods / 2);
  return world;
}

TEST(PlanCost, NothingIsBuiltForPodsThatStayAsTheyAre) {
  const std::size_t few = allocations_of_plan(at_rest(100));
  const std::size_t many = allocations_of_plan(at_rest(10'000));
  EXPECT_LE(many, few + 50) << "what grows with the pods are a few vectors";
}

TEST(PlanCost, OfPodsThatAreHeldTheReasonsAlone) {
  const std::size_t few = allocations_of_plan(held_by_partition(100));
  const std::size_t many = allocations_of_plan(held_by_partition(10'000));
  constexpr std::size_t kHeldMore = 4'950;  // a name and a text each
  EXPECT_LE(many, few + 2 * kHeldMore + 50);
}

}  // namespace
}  // namespace kruise::testing
