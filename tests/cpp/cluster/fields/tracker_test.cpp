#include "cluster/fields/tracker.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cluster/fields/fields_v1.hpp"
#include "samples.hpp"

namespace kruise::cluster::fields {
namespace {

using testing::pod_type;
using testing::random_pod;

constexpr int kDraws = 200;

/// An object and the owners of its fields.
class Story {
 public:
  Write write(const std::string& manager, const std::string& subresource = {}) {
    return {.type = pod_type(),
            .api_version = "v1",
            .manager = manager,
            .subresource = subresource,
            .time = base::Time(std::chrono::seconds(++seconds)),
            .ignored = nullptr,
            .texts = texts,
            .version = [](const std::string&) { return std::nullopt; }};
  }
  void update(const std::string& manager, Json now) {
    owners = track_update(write(manager), tree, now, owners, owners.empty());
    tree = std::move(now);
  }
  bool apply(const std::string& manager, const Json& config, bool force = false) {
    auto outcome = fields::apply(write(manager), tree, Json::object(), config, owners, force);
    if (outcome.index() == 1) return false;
    auto& applied = std::get<Applied>(outcome);
    if (applied.tree) tree = *applied.tree;
    owners = std::move(applied.owners);
    return true;
  }
  [[nodiscard]] std::string of(const std::string& manager) const {
    for (const auto& owner : owners) {
      if (owner.manager == manager) return owner.fields->text;
    }
    return "nothing";
  }

  FieldTexts texts;
  Json tree = Json::object();
  std::vector<Owner> owners;
  int seconds = 0;
};

/// What lost its last part is null, which the server takes for absent.
Json without_nulls(const Json& value) {
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, part] : value.items()) {
    if (!part.is_null()) out[name] = without_nulls(part);
  }
  return out;
}

Json labels(const Json& values) { return {{"metadata", {{"labels", values}}}}; }

TEST(Tracker, AnUpdateTakesWhatItChanges) {
  Story story;
  story.update("one", labels({{"a", "1"}, {"b", "1"}}));
  story.update("two", labels({{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(story.of("one"), R"({"f:metadata":{"f:labels":{".":{},"f:b":{}}}})");
  EXPECT_EQ(story.of("two"), R"({"f:metadata":{"f:labels":{"f:a":{}}}})");
  story.update("two", labels({{"a", "2"}}));
  EXPECT_EQ(story.of("one"), R"({"f:metadata":{"f:labels":{}}})");
}

TEST(Tracker, WhoOwnsNothingIsForgotten) {
  Story story;
  story.update("one", labels({{"a", "1"}}));
  story.update("two", Json::object());
  EXPECT_TRUE(story.owners.empty());
  story.owners.clear();
  EXPECT_TRUE(track_update(story.write("x"), Json::object(), labels({{"a", "1"}}), {}, false).empty())
      << "nobody was tracked before";
}

TEST(Tracker, AManagerWhoChangesNothingKeepsItsTime) {
  Story story;
  story.update("one", labels({{"a", "1"}}));
  const auto before = story.owners.front().time;
  story.update("one", labels({{"a", "1"}}));
  EXPECT_EQ(story.owners.front().time, before);
  story.apply("two", labels({{"z", "1"}}));
  const auto applied = story.owners.front().time;
  story.apply("two", labels({{"z", "1"}}));
  EXPECT_EQ(story.owners.front().time, applied);
}

TEST(Tracker, ConflictsNameEachField) {
  Story story;
  story.apply("one", labels({{"a", "1"}, {"b", "1"}}));
  auto outcome =
      fields::apply(story.write("two"), story.tree, Json::object(), labels({{"a", "2"}, {"b", "2"}}), story.owners, false);
  const auto& conflicts = std::get<std::vector<Conflict>>(outcome);
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_EQ(paths_of(conflicts[0].fields), (std::vector<std::string>{".metadata.labels.a", ".metadata.labels.b"}));
  EXPECT_TRUE(story.apply("two", labels({{"a", "1"}, {"b", "2"}}), true));
  EXPECT_EQ(story.of("one"), R"({"f:metadata":{"f:labels":{"f:a":{}}}})") << "what both want alike is shared";
}

TEST(Tracker, ApplyingLessRemovesWhatNobodyElseWants) {
  Story story;
  story.apply("one", labels({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  story.apply("two", labels({{"b", "1"}}));
  story.update("three", labels({{"a", "1"}, {"b", "1"}, {"c", "2"}}));
  story.apply("one", Json::object());
  EXPECT_EQ(story.tree, labels({{"b", "1"}, {"c", "2"}}));
  EXPECT_EQ(story.of("one"), "nothing");
}

TEST(Tracker, WhatNobodyOwnedBelongsToATimeBefore) {
  Story story;
  story.tree = labels({{"a", "1"}});
  story.apply("one", labels({{"b", "1"}}));
  EXPECT_EQ(story.of("before-first-apply"), R"({"f:metadata":{"f:labels":{".":{},"f:a":{}}}})");
}

TEST(Tracker, ApplyingNothingTakesOutWhatWasOwnedAloneAndNothingElse) {
  base::Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    Story story;
    story.apply("one", random_pod(random));
    story.apply("two", random_pod(random), true);
    const Json with_one = story.tree;
    FieldSetPtr others;
    for (const auto& owner : story.owners) {
      if (owner.manager == "two") others = owner.fields->set;
    }
    story.apply("one", Json::object());
    EXPECT_EQ(story.of("one"), "nothing");
    EXPECT_EQ(subtract(others, fields_of(story.tree, pod_type())), nullptr) << with_one << story.tree;
    story.tree = without_nulls(story.tree);
    EXPECT_EQ(subtract(fields_of(story.tree, pod_type()), fields_of(with_one, pod_type())), nullptr) << "nothing came";
    story.apply("two", Json::object());
    EXPECT_EQ(fields_of(without_nulls(story.tree), pod_type()), nullptr) << story.tree;
  }
}

TEST(Tracker, OwnedFieldsAreThereWhateverHappened) {
  base::Random random(2);
  const char* names[] = {"one", "two", "three"};
  for (int i = 0; i < kDraws; ++i) {
    Story story;
    for (int step = 0; step < 6; ++step) {
      const std::string who = names[random.below(3)];
      if (random.below(2) == 0) {
        story.update(who, random_pod(random));
      } else {
        story.apply(who, random_pod(random), random.below(2) == 0);
      }
      const Changes all = compare(Json::object(), story.tree, pod_type());
      for (const auto& owner : story.owners) {
        EXPECT_EQ(subtract(owner.fields->set, unite(all.added, fields_of(story.tree, pod_type()))), nullptr)
            << owner.fields->text << story.tree;
      }
    }
  }
}

TEST(Tracker, TheOldestOfManyUpdatersAreMerged) {
  Story story;
  Json now = labels(Json::object());
  for (int i = 0; i < 14; ++i) {
    now["metadata"]["labels"]["l" + std::to_string(i)] = "x";
    story.update("m" + std::to_string(i), now);
  }
  EXPECT_EQ(story.owners.size(), 10U);
  EXPECT_EQ(story.of("m0"), "nothing");
  EXPECT_NE(story.of("ancient-changes").find("f:l4"), std::string::npos) << story.of("ancient-changes");
  EXPECT_EQ(story.of("m13"), R"({"f:metadata":{"f:labels":{"f:l13":{}}}})");
}

TEST(Owners, AreReadAsTheyAreWritten) {
  base::Random random(3);
  for (int i = 0; i < kDraws; ++i) {
    Story story;
    story.update("one", random_pod(random));
    story.apply("two", random_pod(random), true);
    const Owners owners(story.owners);
    std::string text;
    owners.append_text(text);
    const auto read = parse_owners(Json::parse(text), story.texts);
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(Owners(*read).equal_but_for_times(owners)) << text;
  }
}

TEST(Owners, EqualSetsAreHeldOnce) {
  FieldTexts texts;
  const Json pod = labels({{"a", "b"}});
  EXPECT_EQ(texts.intern(fields_of(pod, pod_type())), texts.intern(fields_of(pod, pod_type())));
}

TEST(Owners, BadEntriesAreNone) {
  FieldTexts texts;
  for (const char* text : {R"([{"operation":"Sing","apiVersion":"v1","fieldsType":"FieldsV1"}])",
                           R"([{"operation":"Apply","fieldsType":"FieldsV1"}])", R"([{"operation":"Apply","apiVersion":"v1"}])",
                           R"({})", R"([{"operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"x":{}}}])"}) {
    EXPECT_FALSE(parse_owners(Json::parse(text), texts).has_value()) << text;
  }
  EXPECT_TRUE(resets_owners(Json::parse("[]")));
  EXPECT_TRUE(resets_owners(Json::parse("[{}]")));
  EXPECT_FALSE(resets_owners(Json::parse("[{},{}]")));
}

}  // namespace
}  // namespace kruise::cluster::fields
