// Containers changed in batches by launch priority, and restarted for variables that they take from the pod's metadata
// (CloneSet §19.7-19.9).
#include "workload/in_place_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "workload/builders.hpp"
#include "workload/in_place.hpp"
#include "workload/template.hpp"

namespace kruise::workload {
namespace {

using nlohmann::json;
using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::pod;
using testing::PodBuilder;

const base::Time kNow = at(0);
using Images = std::map<std::string, std::string, std::less<>>;
using Referred = std::map<std::string, ReferredMetadata, std::less<>>;

json body(const runtime::Write& write) { return json::parse(write.body); }
std::string state_text(const json& patch) {
  return patch["metadata"]["annotations"][std::string(api::kAnnotationInPlaceState)].get<std::string>();
}
InPlaceState state_of(const json& patch) { return *InPlaceState::parse(state_text(patch)); }

PodBuilder old_pod() {
  return pod("web-1").ready().revision("web-v1").label(api::kLabelPodTemplateHash, "v1").state(api::kLifecycleNormal);
}
/// Containers main (no priority), a (10), b (5), c (5).
PodBuilder four() { return old_pod().container("a", "a:1", 10).container("b", "b:1", 5).container("c", "c:1", 5); }

struct BatchCase {
  const char* what;
  Images images;
  Referred referred;
  std::vector<std::string> first;
  std::vector<std::string> second;
  std::vector<std::string> third;
};

TEST(InPlaceBatchTest, Order) {
  const BatchCase cases[] = {
      {"without priorities all at once", {{"main", "m:2"}}, {}, {"main"}, {}, {}},
      {"the highest first", {{"a", "a:2"}, {"b", "b:2"}}, {}, {"a"}, {"b"}, {}},
      {"those without go with the first", {{"main", "m:2"}, {"a", "a:2"}, {"c", "c:2"}}, {}, {"a", "main"}, {"c"}, {}},
      {"one priority, one batch", {{"b", "b:2"}, {"c", "c:2"}}, {}, {"b", "c"}, {}, {}},
      {"untouched ones do not count", {{"b", "b:2"}}, {}, {"b"}, {}, {}},
      {"env alone", {}, {{"a", {.labels = {{"k", "2"}}}}, {"b", {.labels = {{"j", "2"}}}}}, {"a"}, {"b"}, {}},
      {"who shares a key goes along", {}, {{"a", {.labels = {{"k", "2"}}}}, {"b", {.labels = {{"k", "2"}}}}}, {"a", "b"}, {}, {}},
      {"and so does who shares one with that",
       {{"a", "a:2"}},
       {{"a", {.labels = {{"k", "2"}}}},
        {"b", {.labels = {{"k", "2"}}, .annotations = {{"n", "2"}}}},
        {"c", {.annotations = {{"n", "2"}}}}},
       {"a", "b", "c"},
       {},
       {}},
      {"a label and an annotation of one name are two",
       {},
       {{"a", {.labels = {{"k", "2"}}}}, {"b", {.annotations = {{"k", "2"}}}}},
       {"a"},
       {"b"},
       {}},
      {"a container that the pod lacks", {{"gone", "x:2"}, {"b", "b:2"}}, {}, {"b"}, {}, {}},
  };
  for (const auto& c : cases) {
    auto p = four();
    InPlaceState state;
    std::vector<std::vector<std::string>> batches;
    ContainerChanges left{c.images, c.referred};
    while (!left.empty() && batches.size() < 4) {
      const auto seen = p.ptr();
      PodPatch patch(*seen);
      apply_batch(*seen, left, kNow, state, patch);
      batches.push_back(state.batches.back().containers);
      left = {state.next_container_images, state.next_referred_metadata};
      EXPECT_EQ(state.containers_required_ready, left.empty() ? std::vector<std::string>() : batches.back()) << c.what;
    }
    batches.resize(3);
    EXPECT_THAT(batches, ElementsAre(c.first, c.second, c.third)) << c.what;
    EXPECT_EQ(state.update_images, !c.images.empty()) << c.what;
    EXPECT_EQ(state.update_env_from_metadata, !c.referred.empty()) << c.what;
  }
}

TEST(InPlaceBatchTest, KeysThatVariablesAreTakenFromLeaveThePatch) {
  MetadataPatch patch{.labels = {{"k", "2"}, {"gone", {}}, {"plain", "1"}}, .annotations = {{"n", "2"}}};
  const TemplateEnv env{{"a", {{"K", api::MetadataMap::kLabels, "k"}, {"G", api::MetadataMap::kLabels, "gone"}}},
                        {"b", {{"K", api::MetadataMap::kLabels, "k"}, {"N", api::MetadataMap::kAnnotations, "n"}}},
                        {"c", {{"P", api::MetadataMap::kAnnotations, "plain"}}}};
  const auto taken = take_referred(patch, env);
  EXPECT_EQ(taken, (Referred{{"a", {.labels = {{"k", "2"}}}}, {"b", {.labels = {{"k", "2"}}, .annotations = {{"n", "2"}}}}}));
  // A key that is only removed is only removed.
  EXPECT_EQ(patch, (MetadataPatch{.labels = {{"gone", {}}, {"plain", "1"}}}));
}

const InPlaceTarget kTarget{.revision = "web-v2", .revision_label = "web-v2"};

// CloneSet §19.8.
TEST(InPlaceBatchTest, TheNextBatchWaitsUntilTheOneBeforeIsReady) {
  auto p = four();
  const auto chain = start_in_place(*p.ptr(), {.images = {{"a", "a:2"}, {"b", "b:2"}}}, kTarget, kNow);
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_THAT(chain[1].purpose, HasSubstr("a=a:2"));
  const json first = body(chain[1]);
  EXPECT_EQ(first["spec"], json::parse(R"({"containers":[{"name":"a","image":"a:2"}]})"));
  EXPECT_EQ(json::parse(state_text(first)), json::parse(R"({
      "revision":"web-v2","updateTimestamp":"2021-03-01T08:00:00Z","updateImages":true,
      "lastContainerStatuses":{"a":{"imageID":"id-a:1","containerID":"c-a"}},
      "nextContainerImages":{"b":"b:2"},"preCheckBeforeNext":{"containersRequiredReady":["a"]},
      "containerBatchesRecord":[{"timestamp":"2021-03-01T08:00:00Z","containers":["a"]}]})"));

  // The patch was applied, nothing has happened yet.
  p.revision("web-v2").state(api::kLifecycleUpdating).in_place_ready(false).not_ready();
  p.annotation(api::kAnnotationInPlaceState, state_text(first));
  p.fields.containers[1].image = "a:2";
  const auto look = [&](std::int64_t at_s) {
    const auto seen = p.ptr();
    PodPatch patch(*seen);
    const auto progress = refresh_in_place(*seen, at(at_s), patch);
    EXPECT_FALSE(progress.completeness.complete);
    return patch.empty() ? json(progress.completeness.why) : body(patch.write(progress.purpose));
  };
  EXPECT_THAT(look(1).get<std::string>(), HasSubstr("container a still runs"));
  // It runs, and is not ready.
  p.fields.statuses[1].image = "a:2";
  p.fields.statuses[1].image_id = "id-a:2";
  p.fields.statuses[1].ready = false;
  EXPECT_THAT(look(5).get<std::string>(), HasSubstr("container a is to be ready"));
  p.fields.statuses[1].ready = true;
  const json second = look(9);
  EXPECT_EQ(second["spec"], json::parse(R"({"containers":[{"name":"b","image":"b:2"}]})"));
  EXPECT_FALSE(second.contains("status"));
  const auto state = state_of(second);
  EXPECT_FALSE(state.has_next());
  EXPECT_THAT(state.containers_required_ready, IsEmpty());
  EXPECT_EQ(state.batches.size(), 2U);
  EXPECT_EQ(state.update_timestamp, kNow);  // of the whole update
  // A record made once stays: what a ran before is what it ran before the whole update.
  EXPECT_EQ(state.last_container_statuses.at("a").image_id, "id-a:1");
  EXPECT_EQ(state.last_container_statuses.at("b").image_id, "id-b:1");

  p.annotation(api::kAnnotationInPlaceState, state_text(second));
  p.fields.containers[2].image = "b:2";
  EXPECT_THAT(look(10).get<std::string>(), HasSubstr("container b still runs"));
  p.fields.statuses[2].image_id = "id-b:2";
  p.fields.statuses[2].image = "b:2";
  const auto done = p.ptr();
  PodPatch restore(*done);
  EXPECT_TRUE(refresh_in_place(*done, at(11), restore).completeness.complete);
  EXPECT_TRUE(restore.has_condition(api::kConditionInPlaceUpdateReady));
}

/// Updated to web-v2 up to its first batch: a is done, b is to become b:2.
PodBuilder midway() {
  const InPlaceState state{.revision = "web-v2",
                           .update_timestamp = at(-9),
                           .next_container_images = {{"b", "b:2"}},
                           .next_referred_metadata = {{"c", {.labels = {{"k", "2"}}}}},
                           .containers_required_ready = {"a"}};
  auto p = four().revision("web-v2").state(api::kLifecycleUpdating).in_place_ready(false).not_ready().label("k", "1");
  p.env_of_label(3, "K", "k").annotation(api::kAnnotationInPlaceState, state.text()).runtime_meta();
  return p;
}

TEST(InPlaceBatchTest, ANewerRevisionTakesOverWhatWasLeft) {
  // web-v3 changes a only: b and c would stay where web-v1 left them.
  const InPlaceTarget target{
      .revision = "web-v3",
      .revision_label = "web-v3",
      .wanted = {.images = {{"a", "a:3"}, {"b", "b:2"}}, .env = {{"c", {{"K", api::MetadataMap::kLabels, "k"}}}}}};
  const auto chain = start_in_place(*midway().ptr(), {.images = {{"a", "a:3"}}}, target, kNow);
  ASSERT_EQ(chain.size(), 1U);
  const auto state = state_of(body(chain[0]));
  EXPECT_EQ(body(chain[0])["spec"]["containers"][0]["image"], "a:3");
  EXPECT_EQ(state.next_container_images, (Images{{"b", "b:2"}}));
  EXPECT_EQ(state.next_referred_metadata, (Referred{{"c", {.labels = {{"k", "2"}}}}}));

  // Back to web-v1: nothing of web-v2 is done any more.
  const InPlaceTarget back{
      .revision = "web-v1",
      .revision_label = "web-v1",
      .wanted = {.images = {{"a", "a:1"}, {"b", "b:1"}}, .env = {{"c", {{"K", api::MetadataMap::kLabels, "k"}}}}}};
  const auto rollback =
      start_in_place(*midway().ptr(), {.images = {{"b", "b:1"}}, .metadata = {.labels = {{"k", "1"}}}}, back, kNow);
  ASSERT_EQ(rollback.size(), 1U);
  EXPECT_FALSE(body(rollback[0]).contains("spec"));
  EXPECT_FALSE(body(rollback[0])["metadata"]["labels"].contains("k"));
  EXPECT_FALSE(state_of(body(rollback[0])).has_next());
}

// CloneSet §26, by reading: a remainder of resources alone was forgotten. We change none: whoever does is waited for.
TEST(InPlaceBatchTest, ResourcesThatAnotherManagerIsToChangeAreWaitedFor) {
  const auto p = midway()
                     .annotation(api::kAnnotationInPlaceState,
                                 R"({"revision":"web-v2","nextContainerResources":{"b":{"limits":{"cpu":"1"}}}})")
                     .ptr();
  PodPatch patch(*p);
  const auto progress = refresh_in_place(*p, kNow, patch);
  EXPECT_FALSE(progress.completeness.complete);
  EXPECT_THAT(progress.completeness.why, HasSubstr("resources"));
  EXPECT_TRUE(patch.empty());
}

// ---- variables taken from the pod's metadata

const TemplateEnv kEnv{{"main", {{"K", api::MetadataMap::kLabels, "k"}}}};
const InPlaceTarget kEnvTarget{.revision = "web-v2", .revision_label = "web-v2", .wanted = {.images = {}, .env = kEnv}};
const InPlaceChange kNewLabel{.metadata = {.labels = {{"k", "2"}, {"other", "x"}}}};

PodBuilder with_env() { return old_pod().env_of_label(0, "K", "k").label("k", "1").runtime_meta(); }

TEST(InPlaceEnvTest, ALabelThatAVariableIsTakenFromRestartsItsContainer) {
  auto p = with_env();
  const auto chain = start_in_place(*p.ptr(), kNewLabel, kEnvTarget, kNow);
  ASSERT_EQ(chain.size(), 2U);  // NotReady first: the node agent restarts nothing in service
  EXPECT_THAT(chain[1].purpose, HasSubstr("env of main"));
  const json change = body(chain[1]);
  EXPECT_EQ(change["metadata"]["labels"]["k"], "2");
  EXPECT_EQ(change["metadata"]["labels"]["other"], "x");
  EXPECT_FALSE(change.contains("spec"));
  EXPECT_EQ(json::parse(state_text(change)), json::parse(R"({
      "revision":"web-v2","updateTimestamp":"2021-03-01T08:00:00Z","updateEnvFromMetadata":true,"lastContainerStatuses":{},
      "containerBatchesRecord":[{"timestamp":"2021-03-01T08:00:00Z","containers":["main"]}]})"));

  p.revision("web-v2").state(api::kLifecycleUpdating).in_place_ready(false).not_ready().label("k", "2");
  p.annotation(api::kAnnotationInPlaceState, state_text(change));
  const auto complete = [&] {
    const auto seen = p.ptr();
    return containers_complete(*seen, *InPlaceState::parse(*in_place_state_text(*seen)), at(300));
  };
  EXPECT_THAT(complete().why, HasSubstr("variables of before"));
  // A new start, not told of yet: whatever it runs with, nobody knows.
  p.fields.statuses[0].container_id = "c-2";
  EXPECT_THAT(complete().why, HasSubstr("has not told"));
  p.runtime_meta();
  EXPECT_TRUE(complete().complete);
  p.fields.meta.annotations.erase(std::string(api::kAnnotationRuntimeContainersMeta));
  EXPECT_THAT(complete().why, HasSubstr("has not told"));
}

// CloneSet §19.9: without the gate no agent would ever restart it, and the update would never end.
TEST(InPlaceEnvTest, APodWithoutTheGateKeepsItsVariables) {
  const auto chain = start_in_place(*with_env().no_gate().ptr(), kNewLabel, kEnvTarget, kNow);
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(body(chain[0])["metadata"]["labels"]["k"], "2");
  EXPECT_FALSE(state_of(body(chain[0])).update_env_from_metadata);
  // Neither does it wait when another manager says so.
  const auto p =
      with_env().no_gate().state(api::kLifecycleUpdating).annotation(api::kAnnotationRuntimeContainersMeta, "{}").ptr();
  EXPECT_TRUE(containers_complete(*p, {.update_env_from_metadata = true}, kNow).complete);
}

TEST(InPlaceEnvTest, WithoutTheFeatureTheLabelIsOnlyALabel) {
  const auto chain = start_in_place(*with_env().ptr(), kNewLabel, kTarget, kNow);
  EXPECT_EQ(body(chain[1])["metadata"]["labels"]["k"], "2");
  EXPECT_FALSE(state_of(body(chain[1])).update_env_from_metadata);
}

TEST(InPlaceEnvTest, WaitsOutTheGracePeriodWithTheRest) {
  InPlaceTarget target = kEnvTarget;
  target.grace_seconds = 30;
  auto p = with_env();
  const auto chain = start_in_place(*p.ptr(), kNewLabel, target, kNow);
  const json start = body(chain[1]);
  EXPECT_FALSE(start["metadata"]["labels"].contains("k"));
  const std::string grace = start["metadata"]["annotations"][std::string(api::kAnnotationInPlaceGrace)];
  EXPECT_EQ(json::parse(grace)["containerRefMetadata"], json::parse(R"({"main":{"labels":{"k":"2"}}})"));
  EXPECT_EQ(json::parse(grace)["updateEnvFromMetadata"], true);
  EXPECT_EQ(InPlaceGrace::parse(grace)->text(), grace);

  p.revision("web-v2").state(api::kLifecycleUpdating).in_place_ready(false).not_ready();
  p.annotation(api::kAnnotationInPlaceState, state_text(start)).annotation(api::kAnnotationInPlaceGrace, grace);
  const auto waiting = p.ptr();
  PodPatch end(*waiting);
  EXPECT_EQ(refresh_in_place(*waiting, at(30), end).purpose, "end grace period");
  const json over = body(end.write(""));
  EXPECT_EQ(over["metadata"]["labels"]["k"], "2");
  EXPECT_TRUE(over["metadata"]["annotations"][std::string(api::kAnnotationInPlaceGrace)].is_null());
  EXPECT_TRUE(state_of(over).update_env_from_metadata);

  // Taken back before it was over: nothing is restarted for what never happened.
  const auto back =
      overtake_grace(*waiting, *InPlaceGrace::parse(grace), {.metadata = {.labels = {{"k", "1"}, {"other", {}}}}},
                     {.revision = "web-v1", .revision_label = "web-v1", .wanted = {.images = {}, .env = kEnv}}, at(5));
  ASSERT_EQ(back.size(), 1U);
  EXPECT_FALSE(body(back[0])["metadata"]["labels"].contains("k"));
  EXPECT_FALSE(state_of(body(back[0])).update_env_from_metadata);
}

// CloneSet §27.5, last row; §19.9: a key that comes with the first label there is counts too.
TEST(InPlaceEnvTest, TemplatesTellWhatVariablesAreTakenFrom) {
  const auto parsed = [](const std::string& metadata) {
    return *Template::parse(R"({"metadata":)" + metadata + R"(,"spec":{"containers":[{"name":"c1","image":"a","env":[
        {"name":"K","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['k']"}}},
        {"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['example.com/n']"}}},
        {"name":"P","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},{"name":"V","value":"v"}]}]}})");
  };
  const auto wanted = parsed(R"({"labels":{"k":"2"},"annotations":{"example.com/n":"x"}})");
  EXPECT_EQ(
      wanted->metadata_env(),
      (TemplateEnv{{"c1", {{"K", api::MetadataMap::kLabels, "k"}, {"N", api::MetadataMap::kAnnotations, "example.com/n"}}}}));
  for (const char* before : {R"({})", R"({"labels":{"k":"1"}})"}) {
    auto change = wanted->change_from(*parsed(before), {});
    ASSERT_TRUE(change.ok());
    const auto taken = take_referred(change->metadata, wanted->metadata_env());
    EXPECT_EQ(taken, (Referred{{"c1", {.labels = {{"k", "2"}}, .annotations = {{"example.com/n", "x"}}}}}));
    EXPECT_TRUE(change->metadata.empty());
  }
}

}  // namespace
}  // namespace kruise::workload
