#include "controllers/cloneset/claims.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controllers/cloneset_builders.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

World with_claims(bool disabled) {
  World world(clone_set().replicas(2).claim_template("data"));
  world.set.current(world.new_revision);
  world.set.set.spec.scale_strategy.disable_pvc_reuse = disabled;
  world.add(member("web", "aaaaa", world.new_revision)).add(member("web", "bbbbb", world.new_revision));
  world.observed.claims = {claim("data-web-aaaaa", "aaaaa"), claim("data-web-bbbbb", "bbbbb")};
  return world;
}

TEST(Claims, OfActivePodsStay) { EXPECT_THAT(lines(with_claims(true).plan()), IsEmpty()); }

TEST(Claims, OfAnEndedPodGoWithIt) {
  auto world = with_claims(true);
  world.add(member("web", "ccccc", world.new_revision).phase(api::PodPhase::kFailed));
  auto spare = std::make_shared<api::Claim>(*claim("data-web-ccccc", "ccccc"));
  spare->meta.resource_version = "7";
  world.observed.claims.push_back(spare);
  const auto next = world.plan();
  ASSERT_THAT(lines(next), ElementsAre("patch claim data-web-ccccc: hand claim to its pod"));
  const auto& write = next.steps.at(0).chains.at(0).at(0);
  const json owners = json::parse(write.body)["metadata"]["ownerReferences"];
  EXPECT_EQ(
      owners,
      json::parse(
          R"([{"apiVersion":"v1","kind":"Pod","name":"web-ccccc","uid":"uid-web-ccccc","controller":true,"blockOwnerDeletion":true}])"));
  EXPECT_EQ(write.uid, "uid-data-web-ccccc");
  EXPECT_EQ(write.resource_version, "7");
  EXPECT_THAT(reasons(next), HasSubstr("data-web-ccccc disablePVCReuse: goes with pod web-ccccc"));
}

TEST(Claims, OfNoPodAreDeletedAndNotTakenOver) {
  for (const bool disabled : {false, true}) {
    auto world = with_claims(disabled);
    world.set.replicas(3);
    world.observed.claims.push_back(claim("data-web-ccccc", "ccccc"));
    const auto next = world.plan();
    EXPECT_EQ(writes(next, "create pod web-ccccc"), disabled ? 0 : 1);
    EXPECT_EQ(writes(next, "create pod"), 1);
    EXPECT_EQ(writes(next, "delete claim data-web-ccccc"), disabled ? 1 : 0);
    EXPECT_EQ(writes(next, "create claim"), disabled ? 1 : 0);
  }
}

TEST(Claims, WithoutAnIdAreOfNoPod) {
  auto world = with_claims(true);
  world.observed.claims.push_back(claim("old", ""));
  EXPECT_THAT(lines(world.plan()), ElementsAre("delete claim old"));
}

TEST(Claims, OnTheirWayOutAreLeftAlone) {
  auto world = with_claims(true);
  auto leaving = std::make_shared<api::Claim>(*claim("data-web-ccccc", "ccccc"));
  leaving->meta.deletion_timestamp = at(-1);
  world.observed.claims.push_back(leaving);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

TEST(Claims, AnActivePodBeforeAnEndedOneOfItsId) {
  auto world = with_claims(true);
  auto twin = member("other", "aaaaa", world.new_revision).phase(api::PodPhase::kFailed);
  world.add(twin);
  EXPECT_THAT(lines(world.plan()), IsEmpty());
}

}  // namespace
}  // namespace kruise::controllers::cloneset
