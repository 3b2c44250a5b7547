#include "workload/in_place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/printed_hash.hpp"
#include "workload/builders.hpp"
#include "workload/readiness.hpp"

namespace kruise::workload {
namespace {

using nlohmann::json;
using testing::at;
using testing::pod;
using testing::PodBuilder;

const base::Time kNow = at(0);
const InPlaceChange kImage{.images = {{"main", "nginx:2"}}};
const InPlaceTarget kTarget{.revision = "web-v2", .revision_label = "web-v2"};

json body(const runtime::Write& write) { return json::parse(write.body); }

json state_of(const runtime::Write& write) {
  return json::parse(body(write)["metadata"]["annotations"][std::string(api::kAnnotationInPlaceState)].get<std::string>());
}

PodBuilder old_pod() {
  return pod("web-1").ready().revision("web-v1").label(api::kLabelPodTemplateHash, "v1").state(api::kLifecycleNormal);
}
/// A pod whose image was changed to nginx:2 while it ran nginx:1.
PodBuilder updating(std::int64_t since_s = -10) {
  const InPlaceState state{
      .revision = "web-v2", .update_timestamp = at(since_s), .last_container_statuses = {{"main", {"id-nginx:1", "c-1"}}}};
  return old_pod()
      .revision("web-v2")
      .image("nginx:2")
      .state(api::kLifecycleUpdating)
      .in_place_ready(false)
      .not_ready()
      .annotation(api::kAnnotationInPlaceState, state.text());
}

TEST(InPlaceStartTest, IsTwoWritesNotReadyThenTheChange) {
  const auto chain = start_in_place(*old_pod().ptr(), kImage, kTarget, kNow);
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].subresource, "status");
  EXPECT_EQ(chain[0].uid, "uid-web-1");
  EXPECT_EQ(chain[0].resource_version, "100");
  EXPECT_TRUE(chain[0].body.starts_with("{\"metadata\":{"));
  const json conditions = body(chain[0])["status"]["conditions"];
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions[0]["type"], "InPlaceUpdateReady");
  EXPECT_EQ(conditions[0]["status"], "False");
  EXPECT_EQ(conditions[0]["reason"], "StartInPlaceUpdate");
  EXPECT_EQ(conditions[1]["type"], "Ready");
  EXPECT_EQ(conditions[1]["status"], "False");
  EXPECT_EQ(conditions[1]["reason"], "ReadinessGatesNotReady");
  EXPECT_THAT(conditions[1]["message"].get<std::string>(), ::testing::HasSubstr("InPlaceUpdateReady"));
  EXPECT_EQ(conditions[1]["lastTransitionTime"], "2021-03-01T08:00:00Z");  // never empty

  EXPECT_EQ(chain[1].subresource, "");
  EXPECT_TRUE(chain[1].version_of_previous);
  EXPECT_EQ(chain[1].resource_version, "");
  const json change = body(chain[1]);
  EXPECT_EQ(change["metadata"]["labels"], json::parse(R"({"controller-revision-hash":"web-v2","pod-template-hash":"v2",
                                                         "lifecycle.apps.kruise.io/state":"Updating"})"));
  EXPECT_EQ(change["spec"], json::parse(R"({"containers":[{"name":"main","image":"nginx:2"}]})"));
  EXPECT_EQ(change["metadata"]["annotations"][std::string(api::kAnnotationLifecycleTimestamp)], "2021-03-01T08:00:00Z");
  const json state = state_of(chain[1]);
  EXPECT_EQ(state["revision"], "web-v2");
  EXPECT_EQ(state["updateTimestamp"], "2021-03-01T08:00:00Z");
  EXPECT_EQ(state["lastContainerStatuses"]["main"]["imageID"], "id-nginx:1");
}

TEST(InPlaceStartTest, APodSeenNotReadyNeedsNoFirstWrite) {
  // Its version as seen is the precondition of the spec patch: that proves the condition still stands.
  const auto chain = start_in_place(*updating().ptr(), {.images = {{"main", "nginx:3"}}},
                                    {.revision = "web-v3", .revision_label = "web-v3"}, kNow);
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(chain[0].resource_version, "100");
  EXPECT_FALSE(chain[0].version_of_previous);
  EXPECT_EQ(state_of(chain[0])["revision"], "web-v3");
}

// CloneSet §26, 1.9: False was skipped on a stale cache, traffic was not drained.
TEST(InPlaceStartTest, TrafficIsDrainedAlthoughTheConditionAlreadyReadsFalse) {
  const auto chain = start_in_place(*updating().ready().ptr(), kImage, kTarget, kNow);
  ASSERT_EQ(chain.size(), 2U);
  const json conditions = body(chain[0])["status"]["conditions"];
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0]["type"], "Ready");
}

// CloneSet §25.17.
TEST(InPlaceStartTest, AUnmarkedPodHasNoNotReadyPhase) {
  const auto chain = start_in_place(*old_pod().no_gate().ptr(), kImage, kTarget, kNow);
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(chain[0].resource_version, "100");
}

TEST(InPlaceStartTest, GracePostponesTheChangeButNotTheLabel) {
  const InPlaceChange change{.images = {{"main", "nginx:2"}}, .metadata = {.labels = {{"k", "v"}}}};
  const auto chain =
      start_in_place(*old_pod().ptr(), change, {.revision = "web-v2", .revision_label = "web-v2", .grace_seconds = 30}, kNow);
  ASSERT_EQ(chain.size(), 2U);
  const json patch = body(chain[1]);
  EXPECT_FALSE(patch.contains("spec"));
  EXPECT_EQ(patch["metadata"]["labels"]["controller-revision-hash"], "web-v2");
  EXPECT_FALSE(patch["metadata"]["labels"].contains("k"));
  const auto grace =
      InPlaceGrace::parse(patch["metadata"]["annotations"][std::string(api::kAnnotationInPlaceGrace)].get<std::string>());
  ASSERT_TRUE(grace.ok());
  EXPECT_EQ(grace->revision, "web-v2");
  EXPECT_EQ(grace->container_images.at("main"), "nginx:2");
  EXPECT_EQ(grace->metadata, change.metadata);
  EXPECT_EQ(grace->grace_seconds, 30);
}

// CloneSet §25.18.
TEST(InPlaceStartTest, OtherContainersAreUntouchedAndAbsentOnesIgnored) {
  auto builder = old_pod();
  builder.fields.containers.push_back({"sidecar", "agent:1"});
  const auto chain = start_in_place(*builder.ptr(), {.images = {{"gone", "x:1"}, {"main", "nginx:2"}}}, kTarget, kNow);
  EXPECT_EQ(body(chain[1])["spec"], json::parse(R"({"containers":[{"name":"main","image":"nginx:2"}]})"));
}

// A strategic merge brings a list into the order of the patch, and a pod's containers may not change places.
TEST(InPlaceStartTest, ContainersAreNamedInThePodsOrder) {
  auto builder = old_pod();
  builder.fields.containers.push_back({"agent", "agent:1"});
  const auto chain = start_in_place(*builder.ptr(), {.images = {{"agent", "agent:2"}, {"main", "nginx:2"}}}, kTarget, kNow);
  EXPECT_EQ(body(chain[1])["spec"],
            json::parse(R"({"containers":[{"name":"main","image":"nginx:2"},{"name":"agent","image":"agent:2"}]})"));
}

TEST(InPlaceStartTest, RemovesTheOlderKeys) {
  const auto chain = start_in_place(
      *old_pod().annotation("inplace-update-state", "{}").annotation("inplace-update-grace", "").ptr(), kImage, kTarget, kNow);
  const json annotations = body(chain.back())["metadata"]["annotations"];
  EXPECT_TRUE(annotations["inplace-update-state"].is_null());
  EXPECT_TRUE(annotations["inplace-update-grace"].is_null());
}

struct CompleteCase {
  const char* what;
  PodBuilder pod;
  bool complete;
};

// CloneSet §19.7, §26, 1.0; users #635: an equal image ID under a new tag hung the update.
TEST(InPlaceCompleteTest, Table) {
  auto no_status = updating();
  no_status.fields.statuses.clear();
  auto restarted = updating(-70).status("other-name:7", "id-nginx:1");
  restarted.fields.statuses[0].container_id = "c-2";
  const CompleteCase cases[] = {
      {"nothing reported yet", updating(), false},
      {"another image ID", updating().status("nginx:2", "id-nginx:2"), true},
      {"another image ID under a digest", updating().status("nginx@sha256:ab", "id-nginx:2"), true},
      {"the image before last arrived", updating().status("nginx:1.5", "id-nginx:1.5"), false},
      {"the same for long: names differ from what the runtime reports", updating(-70).status("nginx:1.5", "id-nginx:1.5"), true},
      {"same ID, the name is the wanted one (rolled back before the node acted)", updating().status("nginx:2", "id-nginx:1"),
       true},
      {"same ID, full name of the wanted one", updating().status("docker.io/library/nginx:2", "id-nginx:1"), true},
      {"no status", no_status, false},
      {"same ID under another name, restarted long ago", restarted, true},
      {"same ID under another name, never restarted", updating(-700).status("other-name:7", "id-nginx:1"), false},
  };
  for (const auto& c : cases) {
    const auto p = c.pod.ptr();
    const auto result = containers_complete(*p, *InPlaceState::parse(*in_place_state_text(*p)), kNow);
    EXPECT_EQ(result.complete, c.complete) << c.what;
    EXPECT_EQ(result.why.empty(), c.complete) << c.what;
  }
}

// CloneSet §26, 0.5: an image without a tag never completed a rollback.
TEST(InPlaceCompleteTest, ImageWithoutTagCompletesARollback) {
  const auto p = updating().image("nginx").status("nginx:latest", "id-nginx:1").ptr();
  EXPECT_TRUE(containers_complete(*p, *InPlaceState::parse(*in_place_state_text(*p)), kNow).complete);
}

TEST(InPlaceCompleteTest, PendingBatchesOfAnotherManagerAreNotComplete) {
  const auto p = updating().status("nginx:2", "id-nginx:2").ptr();
  for (const char* member : {"nextContainerImages", "nextContainerRefMetadata", "nextContainerResources"}) {
    const auto state = InPlaceState::parse("{\"revision\":\"web-v2\",\"" + std::string(member) + "\":{\"side\":{}}}");
    const auto images = InPlaceState::parse(R"({"revision":"web-v2","nextContainerImages":{"side":"x:2"}})");
    EXPECT_EQ(containers_complete(*p, *state, kNow).complete, std::string(member) == "nextContainerImages");
    EXPECT_FALSE(containers_complete(*p, *images, kNow).complete);
  }
}

// CloneSet §19.7, §27.1 (null), §26, 1.0.
TEST(InPlaceCompleteTest, NodeAgentReportResolvesEqualImageIds) {
  EXPECT_EQ(base::printed_bytes_hash(R"({"image":"nginx:1","name":"main"})"), 1827770005U);
  const auto meta = [](std::string id, std::uint32_t hash) {
    return R"({"containers":[{"name":"main","containerID":")" + id + R"(","restartCount":1,"hashes":{"plainHash":)" +
           std::to_string(hash) + "}}]}";
  };
  const auto complete = [&](const std::string& text) {
    const auto p = updating().annotation(api::kAnnotationRuntimeContainersMeta, text).ptr();
    return containers_complete(*p, *InPlaceState::parse(*in_place_state_text(*p)), kNow).complete;
  };
  const auto right = base::printed_bytes_hash(R"({"image":"nginx:2","name":"main"})");
  EXPECT_TRUE(complete(meta("c-1", right)));
  EXPECT_FALSE(complete(meta("c-0", right)));
  EXPECT_FALSE(complete(meta("c-1", right + 1)));
  EXPECT_FALSE(complete("{}"));
  EXPECT_FALSE(complete("no json"));
}

// The same from a node of before Kubernetes 1.31, where the whole container counts.
TEST(InPlaceCompleteTest, NodeAgentReportOfTheWholeContainerResolvesEqualImageIds) {
  constexpr std::uint32_t kWhole = 3389287508U;
  const auto complete = [&](std::uint32_t reported, std::vector<std::uint32_t> hashes) {
    auto builder = updating().annotation(
        api::kAnnotationRuntimeContainersMeta,
        R"({"containers":[{"name":"main","containerID":"c-1","hashes":{"plainHash":)" + std::to_string(reported) + "}}]}");
    builder.fields.container_hashes = std::move(hashes);
    const auto p = builder.ptr();
    return containers_complete(*p, *InPlaceState::parse(*in_place_state_text(*p)), kNow).complete;
  };
  EXPECT_TRUE(complete(kWhole, {kWhole}));
  EXPECT_FALSE(complete(kWhole, {kWhole + 1}));
  EXPECT_FALSE(complete(kWhole, {}));
}

// CloneSet §26, 1.9; users #2276: readiness came back in the middle of an update.
TEST(InPlaceRefreshTest, RestoresReadinessOnlyWhenComplete) {
  const auto pending = updating().ptr();
  PodPatch patch(*pending);
  EXPECT_FALSE(refresh_in_place(*pending, kNow, patch).completeness.complete);
  EXPECT_TRUE(patch.empty());

  const auto done = updating().status("nginx:2", "id-nginx:2").ptr();
  PodPatch restore(*done);
  EXPECT_TRUE(refresh_in_place(*done, kNow, restore).completeness.complete);
  const auto write = restore.write("");
  EXPECT_EQ(write.subresource, "status");
  EXPECT_EQ(write.resource_version, "100");  // a judgement on a stale pod cannot land
  const json conditions = body(write)["status"]["conditions"];
  ASSERT_EQ(conditions.size(), 1U);  // Ready is left to the kubelet
  EXPECT_EQ(conditions[0]["status"], "True");
  EXPECT_TRUE(conditions[0]["reason"].is_null());
}

// CloneSet §26, 0.9: relabelled pods were never complete.
TEST(InPlaceRefreshTest, ARevisionLabelChangedByHandDoesNotHoldThePod) {
  const auto p = updating().status("nginx:2", "id-nginx:2").revision("web-other").ptr();
  PodPatch patch(*p);
  EXPECT_TRUE(refresh_in_place(*p, kNow, patch).completeness.complete);
}

TEST(InPlaceRefreshTest, ANewPodGetsItsConditionOnceItHasANode) {
  const auto scheduled = pod("web-1").drop_condition(api::kConditionInPlaceUpdateReady).state(api::kLifecyclePreparingNormal);
  const auto with_node = scheduled.ptr();
  auto waiting = scheduled;
  const auto without_node = waiting.node("").ptr();
  PodPatch first(*with_node);
  PodPatch second(*without_node);
  EXPECT_FALSE(refresh_in_place(*with_node, kNow, first).error);
  EXPECT_FALSE(refresh_in_place(*without_node, kNow, second).error);
  EXPECT_TRUE(first.has_conditions());
  EXPECT_TRUE(second.empty());
}

PodBuilder in_grace(std::int64_t since_s, std::int64_t grace_s = 30) {
  const InPlaceState state{.revision = "web-v2", .update_timestamp = at(since_s)};
  const InPlaceGrace grace{.revision = "web-v2",
                           .container_images = {{"main", "nginx:2"}},
                           .metadata = {.labels = {{"k", "v"}, {"k2", {}}}},
                           .grace_seconds = grace_s};
  return old_pod()
      .revision("web-v2")
      .state(api::kLifecycleUpdating)
      .in_place_ready(false)
      .not_ready()
      .label("k2", "x")
      .annotation(api::kAnnotationInPlaceState, state.text())
      .annotation(api::kAnnotationInPlaceGrace, grace.text());
}

TEST(InPlaceGraceTest, WaitsRoundedUpToWholeSeconds) {
  const auto p = in_grace(-10).ptr();
  PodPatch patch(*p);
  const auto progress = refresh_in_place(*p, kNow + std::chrono::milliseconds(300), patch);
  EXPECT_TRUE(patch.empty());
  EXPECT_EQ(progress.wait, std::chrono::seconds(20));
  EXPECT_FALSE(progress.completeness.complete);
}

TEST(InPlaceGraceTest, EndsWithOneWriteOfEverything) {
  const auto p = in_grace(-30).ptr();
  PodPatch patch(*p);
  const auto progress = refresh_in_place(*p, kNow, patch);
  EXPECT_FALSE(progress.completeness.complete);
  const json change = body(patch.write(""));
  EXPECT_EQ(change["spec"]["containers"][0]["image"], "nginx:2");
  EXPECT_EQ(change["metadata"]["labels"], json::parse(R"({"k":"v","k2":null})"));
  EXPECT_TRUE(change["metadata"]["annotations"][std::string(api::kAnnotationInPlaceGrace)].is_null());
  const json state = state_of(patch.write(""));
  EXPECT_EQ(state["updateTimestamp"], "2021-03-01T07:59:30Z");  // the start of the whole update
  EXPECT_EQ(state["lastContainerStatuses"]["main"]["imageID"], "id-nginx:1");
}

// CloneSet §19.5: an update of metadata alone turned ready during its grace period.
TEST(InPlaceGraceTest, NeverTurnsReadyDuringGrace) {
  InPlaceGrace metadata_only{.revision = "web-v2", .grace_seconds = 30};
  const auto p = in_grace(-10).annotation(api::kAnnotationInPlaceGrace, metadata_only.text()).ptr();
  PodPatch patch(*p);
  EXPECT_FALSE(refresh_in_place(*p, kNow, patch).error);
  EXPECT_FALSE(patch.has_conditions());
}

TEST(InPlaceGraceTest, OfAnotherRevisionIsRemovedOnly) {
  const auto p = in_grace(-10).revision("web-v3").ptr();
  PodPatch patch(*p);
  EXPECT_FALSE(refresh_in_place(*p, kNow, patch).error);
  const json change = body(patch.write(""));
  EXPECT_EQ(change, json::parse(R"({"metadata":{"annotations":{"apps.kruise.io/inplace-update-grace":null}}})"));
}

TEST(InPlaceGraceTest, OvertakenByAnotherRevisionAppliesThatAtOnce) {
  const auto p = in_grace(-10).ptr();
  const auto grace = InPlaceGrace::parse(*in_place_grace_text(*p));
  // Back to the first revision: the containers run it already, only the labels go back.
  const InPlaceChange back{.images = {{"main", "nginx:1"}}, .metadata = {.labels = {{"k", {}}, {"k2", "x"}}}};
  const auto chain = overtake_grace(
      *p, *grace, back, {.revision = "web-v1", .revision_label = "web-v1", .wanted = {.images = {{"main", "nginx:1"}}}}, kNow);
  ASSERT_EQ(chain.size(), 1U);  // it is NotReady already
  const json change = body(chain[0]);
  EXPECT_FALSE(change.contains("spec"));
  EXPECT_EQ(change["metadata"]["labels"]["controller-revision-hash"], "web-v1");
  EXPECT_TRUE(change["metadata"]["annotations"][std::string(api::kAnnotationInPlaceGrace)].is_null());
  // On to a third one.
  const auto on = overtake_grace(
      *p, *grace, kImage, {.revision = "web-v3", .revision_label = "web-v3", .wanted = {.images = {{"main", "nginx:3"}}}}, kNow);
  EXPECT_EQ(body(on[0])["spec"]["containers"][0]["image"], "nginx:3");
  EXPECT_EQ(state_of(on[0])["lastContainerStatuses"]["main"]["imageID"], "id-nginx:1");
}

TEST(InPlaceGraceTest, UnreadableAnnotationsAreErrors) {
  for (const auto& builder :
       {in_grace(-10).annotation(api::kAnnotationInPlaceGrace, "{"), in_grace(-10).annotation(api::kAnnotationInPlaceState, "[]"),
        updating().annotation(api::kAnnotationInPlaceState, R"({"updateTimestamp":"yesterday"})"),
        in_grace(-10).annotation(api::kAnnotationInPlaceGrace, R"({"metaDataPatch":"%%%"})")}) {
    const auto p = builder.ptr();
    PodPatch patch(*p);
    EXPECT_TRUE(refresh_in_place(*p, kNow, patch).error.has_value());
    EXPECT_TRUE(patch.empty());
  }
  auto without_state = in_grace(-10);
  without_state.fields.meta.annotations.erase(std::string(api::kAnnotationInPlaceState));
  const auto p = without_state.ptr();
  PodPatch patch(*p);
  EXPECT_TRUE(refresh_in_place(*p, kNow, patch).error.has_value());
}

TEST(InPlaceStateTest, ReadsFormsOfOtherReleases) {
  const auto v08 = InPlaceState::parse(
      R"({"revision":"r","updateTimestamp":"2021-03-01T08:00:00Z","lastContainerStatuses":{"main":{"imageID":"x"}}})");
  ASSERT_TRUE(v08.ok());
  EXPECT_EQ(v08->last_container_statuses.at("main").image_id, "x");
  const auto later = InPlaceState::parse(
      R"({"revision":"r","updateTimestamp":"2021-03-01T08:00:00Z","lastContainerStatuses":null,"updateEnvFromMetadata":true,"updateImages":true,
          "nextContainerImages":{"b":"b:2"},"nextContainerRefMetadata":{"c":{"labels":{"k":"v"}}},"preCheckBeforeNext":{"containersRequiredReady":["a"]},
          "containerBatchesRecord":[{"timestamp":"2021-03-01T08:00:00Z","containers":["a"]}],"unknown":[1]})");
  ASSERT_TRUE(later.ok());
  EXPECT_TRUE(later->has_next());
  EXPECT_THAT(later->containers_required_ready, ::testing::ElementsAre("a"));
  EXPECT_EQ(later->batches.size(), 1U);
  const auto again = InPlaceState::parse(v08->text());
  EXPECT_EQ(*again, *v08);
  const auto grace =
      InPlaceGrace::parse(R"({"revision":"r","oldTemplate":{},"newTemplate":{},"annotations":{},"graceSeconds":5})");
  ASSERT_TRUE(grace.ok());
  EXPECT_EQ(grace->grace_seconds, 5);
  EXPECT_TRUE(InPlaceState::parse("{}").ok());
}

TEST(MetadataPatchTest, ReadsWhatItWritesAndComposes) {
  const MetadataPatch first{.labels = {{"a", "1"}, {"b", {}}},
                            .annotations = {{"x", "\"quoted\""}},
                            .finalizers_removed = {"f1"},
                            .finalizers_order = {"f2"}};
  EXPECT_EQ(*MetadataPatch::parse(first.text()), first);
  EXPECT_EQ(
      first.text(),
      R"({"metadata":{"annotations":{"x":"\"quoted\""},"$deleteFromPrimitiveList/finalizers":["f1"],"$setElementOrder/finalizers":["f2"],"labels":{"a":"1","b":null}}})");
  MetadataPatch both = first;
  both.then({.labels = {{"a", {}}, {"c", "3"}}, .finalizers_added = {"f1"}});
  EXPECT_EQ(both.labels, (MetadataPatch::Changes{{"a", {}}, {"b", {}}, {"c", "3"}}));
  EXPECT_TRUE(both.finalizers_removed.empty());
  EXPECT_THAT(both.finalizers_added, ::testing::ElementsAre("f1"));
  EXPECT_FALSE(MetadataPatch::parse("[]").ok());
  EXPECT_FALSE(MetadataPatch::parse(R"({"metadata":{"labels":{"a":1}}})").ok());
  EXPECT_TRUE(MetadataPatch::parse(R"({"metadata":{"labels":null}})")->empty());  // never wipes what others added
}

}  // namespace
}  // namespace kruise::workload
