#include "workload/revisions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/names.hpp"
#include "patch/revision.hpp"
#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TemplatePtr image(const std::string& tag) {
  return *Template::parse(R"({"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"main","image":"nginx:)" + tag +
                          R"("}]}})");
}

const RevisionOwner kOwner{.key = {"default", "web"},
                           .reference = {"apps.kruise.io/v1alpha1", "CloneSet", "web", "set-uid", true, true},
                           .annotations = {{"note", "x"}},
                           .claim_templates_hash = "17"};

RevisionView revision(const TemplatePtr& t, std::int64_t number, const std::string& claims = "17", std::int32_t collisions = 0) {
  auto r = std::make_shared<api::Revision>();
  r->meta.name = revision_name("web", patch::revision_hash(t->revision_data(), collisions));
  r->meta.ns = "default";
  r->meta.uid = "uid-" + r->meta.name;
  r->meta.resource_version = "7";
  r->meta.labels = {{"app", "a"}};
  r->meta.owners = {kOwner.reference};
  if (!claims.empty()) r->meta.annotations[std::string(api::kAnnotationClaimTemplateHash)] = claims;
  r->meta.annotations[std::string(patch::kAnnotationRevisionForm)] = "complete";
  r->number = number;
  r->data.text = t->revision_data();
  return {r, t};
}

TEST(RevisionsTest, TheFirstIsCreated) {
  const auto choice = choose_revision(image("1"), kOwner, {}, {}, 0);
  ASSERT_TRUE(choice.write);
  EXPECT_EQ(choice.write->verb, runtime::Write::Verb::kCreate);
  EXPECT_EQ(choice.write->key.name, "web-856b4d5f4d");
  const json body = json::parse(choice.write->body);
  EXPECT_EQ(body["revision"], 1);
  EXPECT_EQ(body["metadata"]["labels"]["app"], "a");
  EXPECT_EQ(body["metadata"]["labels"]["controller.kubernetes.io/hash"], "856b4d5f4d");
  EXPECT_EQ(body["metadata"]["annotations"]["note"], "x");
  EXPECT_EQ(body["metadata"]["annotations"]["kruise.io/cloneset-volumeclaimtemplate-hash"], "17");
  EXPECT_EQ(body["metadata"]["ownerReferences"][0]["controller"], true);
  EXPECT_EQ(body["data"]["spec"]["template"]["$patch"], "replace");
}

TEST(RevisionsTest, TheNewestEqualOneStands) {
  const auto choice = choose_revision(image("2"), kOwner, {revision(image("1"), 1), revision(image("2"), 2)}, {}, 0);
  EXPECT_FALSE(choice.write);
  EXPECT_EQ(choice.update, 1U);
}

// CloneSet §10.6; §26, 1.5: the cached revision was changed.
TEST(RevisionsTest, ARollbackRenumbersAndKeepsTheName) {
  const auto old = revision(image("1"), 1, "17");
  const auto choice = choose_revision(image("1"), kOwner, {old, revision(image("2"), 2)}, {}, 0);
  ASSERT_TRUE(choice.write);
  EXPECT_EQ(choice.write->key.name, old.name());
  EXPECT_EQ(choice.write->body, R"({"metadata":{},"revision":3})");
  EXPECT_EQ(choice.write->resource_version, "7");
  EXPECT_EQ(choice.revisions[choice.update].name(), old.name());
  EXPECT_EQ(old.object->number, 1) << "what the cache holds stays as it was";
}

// CloneSet §26, 1.9: an equal revision without annotations crashed.
TEST(RevisionsTest, ARollbackRewritesTheHashOfClaimTemplates) {
  const auto other = choose_revision(image("1"), kOwner, {revision(image("1"), 1, "4"), revision(image("2"), 2)}, {}, 0);
  EXPECT_EQ(other.write->body,
            R"({"metadata":{"annotations":{"kruise.io/cloneset-volumeclaimtemplate-hash":"17"}},"revision":3})");
  // Without annotations at all, as an older manager leaves it.
  auto bare = revision(image("1"), 1, "");
  auto object = std::make_shared<api::Revision>(*bare.object);
  object->meta.annotations.clear();
  const auto choice = choose_revision(image("1"), kOwner, {{object, bare.parsed}, revision(image("2"), 2)}, {}, 0);
  EXPECT_TRUE(choice.write);
}

TEST(RevisionsTest, AmongEqualOlderOnesTheNewestIsTaken) {
  auto twin = revision(image("1"), 2, "17", 1);
  const auto choice = choose_revision(image("1"), kOwner, {revision(image("1"), 1), twin, revision(image("2"), 3)}, {}, 0);
  EXPECT_EQ(choice.write->key.name, twin.name());
}

TEST(RevisionsTest, ATakenNameMakesTheHashCountOn) {
  auto holder = std::make_shared<api::Revision>(*revision(image("1"), 1).object);
  holder->data.text = image("9")->revision_data();
  holder->meta.owners.clear();
  const api::RevisionPtr holders[] = {holder};
  const auto choice = choose_revision(image("1"), kOwner, {}, holders, 0);
  ASSERT_TRUE(choice.write);
  EXPECT_EQ(choice.collision_count, 1);
  EXPECT_EQ(choice.write->key.name, "web-856b4d5f4f");
  // The label keeps the first hash.
  EXPECT_EQ(json::parse(choice.write->body)["metadata"]["labels"]["controller.kubernetes.io/hash"], "856b4d5f4d");
}

TEST(RevisionsTest, ATakenNameWithEqualDataIsUsed) {
  const api::RevisionPtr holders[] = {revision(image("1"), 4).object};
  const auto choice = choose_revision(image("1"), kOwner, {}, holders, 0);
  EXPECT_FALSE(choice.write);
  EXPECT_EQ(choice.collision_count, 0);
  EXPECT_EQ(choice.revisions[choice.update].object, holders[0]);
}

TEST(RevisionsTest, LongOwnerNamesAreCut) {
  EXPECT_EQ(revision_name(std::string(250, 'x'), "abc"), std::string(223, 'x') + "-abc");
}

TEST(RevisionsTest, TheListIsTheOwnersOrNobodysByNumber) {
  TemplateCache cache;
  const auto selector = *api::Selector::from({.match_labels = {{"app", "a"}}, .match_expressions = {}});
  const auto with = [](RevisionView view, std::vector<api::OwnerReference> owners, api::StringMap labels) {
    auto r = std::make_shared<api::Revision>(*view.object);
    r->meta.owners = std::move(owners);
    r->meta.labels = std::move(labels);
    return api::RevisionPtr(r);
  };
  const auto second = revision(image("2"), 2);
  const api::RevisionPtr observed[] = {
      second.object, with(revision(image("1"), 1), {}, {{"app", "a"}}),
      with(revision(image("3"), 3), {{"apps.kruise.io/v1alpha1", "CloneSet", "other", "x", true, true}}, {{"app", "a"}}),
      with(revision(image("4"), 4), {}, {{"app", "b"}})};
  const auto listed = list_revisions(observed, "set-uid", selector, cache);
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].object->number, 1);
  EXPECT_EQ(listed[1].object->number, 2);
  EXPECT_NE(listed[0].parsed, nullptr);
}

// CloneSet §26, by reading: a negative history limit crashed.
TEST(RevisionsTest, TrimKeepsLiveOnesAndTheNewestSpares) {
  const std::vector<RevisionView> all{revision(image("1"), 1), revision(image("2"), 2), revision(image("3"), 3),
                                      revision(image("4"), 4)};
  const auto trimmed = [&](std::int64_t limit, std::vector<bool> live) {
    std::vector<std::string> names;
    for (const auto& write : trim_history(all, live, limit)) names.push_back(write.key.name);
    return names;
  };
  EXPECT_THAT(trimmed(1, {false, false, false, true}), ElementsAre(all[0].name(), all[1].name()));
  EXPECT_THAT(trimmed(0, {true, false, true, true}), ElementsAre(all[1].name()));
  EXPECT_THAT(trimmed(-5, {true, false, true, true}), ElementsAre(all[1].name()));
  EXPECT_THAT(trimmed(10, {false, false, false, false}), IsEmpty());
}

}  // namespace
}  // namespace kruise::workload
