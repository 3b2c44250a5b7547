#include "cluster/fields/compare.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cluster/fields/fields_v1.hpp"
#include "cluster/fields/merge.hpp"
#include "samples.hpp"

namespace kruise::cluster::fields {
namespace {

using testing::pod_type;
using testing::random_pod;

constexpr int kDraws = 300;

Changes between(const char* before, const char* after) { return compare(Json::parse(before), Json::parse(after), pod_type()); }

TEST(Compare, NamesWhatDiffers) {
  const Changes changes =
      between(R"({"spec":{"containers":[{"name":"a","image":"x"},{"name":"b"}]},"metadata":{"labels":{"k":"v"}}})",
              R"({"spec":{"containers":[{"name":"c"},{"name":"a","image":"y"}]},"metadata":{}})");
  EXPECT_EQ(fields_v1(changes.added), R"({"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{}}}}})");
  EXPECT_EQ(fields_v1(changes.modified), R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{}}}}})");
  EXPECT_EQ(fields_v1(changes.removed), R"({"f:metadata":{"f:labels":{".":{},"f:k":{}}},)"
                                        R"("f:spec":{"f:containers":{"k:{\"name\":\"b\"}":{".":{},"f:name":{}}}}})");
}

TEST(Compare, AnOrderIsNoDifference) {
  EXPECT_TRUE(
      between(R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})", R"({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})")
          .none());
}

TEST(Compare, TakesAtomicPartsWhole) {
  EXPECT_EQ(
      fields_v1(between(R"({"spec":{"nodeSelector":{"a":"b"}}})", R"({"spec":{"nodeSelector":{"a":"b","c":"d"}}})").modified),
      R"({"f:spec":{"f:nodeSelector":{}}})");
  EXPECT_EQ(fields_v1(between(R"({"metadata":{}})", R"({"metadata":{"ownerReferences":[{"uid":"u","name":"n"}]}})").added),
            R"({"f:metadata":{"f:ownerReferences":{".":{},"k:{\"uid\":\"u\"}":{}}}})");
}

TEST(Compare, ElementsOfOneKeyAreOneField) {
  const char* two = R"({"spec":{"containers":[{"name":"m","env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}]}})";
  const char* one = R"({"spec":{"containers":[{"name":"m","env":[{"name":"A","value":"1"}]}]}})";
  const auto of = [](const char* set) {
    return std::string(R"({"f:spec":{"f:containers":{"k:{\"name\":\"m\"}":{"f:env":)") + set + "}}}}";
  };
  EXPECT_EQ(fields_v1(between(one, two).added), of(R"({"k:{\"name\":\"A\"}":{}})"));
  EXPECT_EQ(fields_v1(between(two, one).removed), of(R"({"k:{\"name\":\"A\"}":{}})"));
  EXPECT_TRUE(between(two, two).none());
}

TEST(Compare, KeysHaveDefaults) {
  EXPECT_EQ(
      fields_v1(fields_of(Json::parse(R"({"spec":{"containers":[{"name":"m","ports":[{"containerPort":80}]}]}})"), pod_type())),
      R"({"f:spec":{"f:containers":{"k:{\"name\":\"m\"}":{".":{},"f:name":{},"f:ports":)"
      R"({"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}})");
}

TEST(Compare, OwnsMembersOfMapsByName) {
  EXPECT_EQ(fields_v1(fields_of(Json::parse(R"({"metadata":{"labels":{"a":"b"},"annotations":{}}})"), pod_type())),
            R"({"f:metadata":{"f:annotations":{},"f:labels":{"f:a":{}}}})");
}

TEST(Compare, WithoutASchemaObjectsHaveParts) {
  const Json value = Json::parse(R"({"a":{"b":[{"name":"x"}]},"c":1})");
  EXPECT_EQ(fields_v1(fields_of(value, FieldType::deduced())), R"({"f:a":{".":{},"f:b":{}},"f:c":{}})");
  const Changes changes = compare(value, Json::parse(R"({"a":3,"c":{"d":1}})"), FieldType::deduced());
  EXPECT_EQ(fields_v1(changes.modified), R"({"f:a":{},"f:c":{}})");
  EXPECT_EQ(fields_v1(changes.removed), R"({"f:a":{"f:b":{}}})");
  EXPECT_EQ(fields_v1(changes.added), R"({"f:c":{"f:d":{}}})");
}

TEST(Compare, TheSamePodTwiceHasNoDifference) {
  base::Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const Json pod = random_pod(random);
    EXPECT_TRUE(compare(pod, pod, pod_type()).none()) << pod;
  }
}

TEST(Compare, BackwardsWhatWasAddedIsRemoved) {
  base::Random random(2);
  for (int i = 0; i < kDraws; ++i) {
    const Json a = random_pod(random);
    const Json b = random_pod(random);
    const Changes there = compare(a, b, pod_type());
    const Changes back = compare(b, a, pod_type());
    EXPECT_TRUE(equal(there.added, back.removed)) << a << b;
    EXPECT_TRUE(equal(there.modified, back.modified)) << a << b;
  }
}

TEST(Merge, WhatIsMergedInIsThere) {
  base::Random random(3);
  for (int i = 0; i < kDraws; ++i) {
    const Json live = random_pod(random);
    const Json config = random_pod(random);
    const Json merged = merge(live, config, pod_type());
    EXPECT_EQ(merge(merged, config, pod_type()), merged) << live << config;
    EXPECT_EQ(subtract(fields_of(config, pod_type()), fields_of(merged, pod_type())), nullptr) << live << config;
    EXPECT_EQ(compare(live, merged, pod_type()).removed, nullptr) << "nothing goes by merging";
  }
}

TEST(Merge, ListsKeepBothOrdersWhereTheyAgree) {
  const auto names = [](const char* live, const char* config) {
    const auto list = [](const char* text) {
      Json pod = {{"spec", {{"containers", Json::array()}}}};
      for (const char* c = text; *c != '\0'; ++c) pod["spec"]["containers"].push_back({{"name", std::string(1, *c)}});
      return pod;
    };
    const Json merged = merge(list(live), list(config), pod_type());
    std::string out;
    for (const Json& container : merged.at("spec").at("containers")) out += container.at("name").get<std::string>();
    return out;
  };
  EXPECT_EQ(names("abc", "bd"), "abcd");
  EXPECT_EQ(names("abc", "ca"), "bca");
  EXPECT_EQ(names("ab", "xb"), "axb");
  EXPECT_EQ(names("", "ba"), "ba");
  EXPECT_EQ(names("abc", ""), "abc");
}

TEST(Merge, RemovingAllThatIsSetLeavesNothing) {
  base::Random random(4);
  for (int i = 0; i < kDraws; ++i) {
    const Json pod = random_pod(random);
    const Json rest = remove_fields(pod, with_declared_members(fields_of(pod, pod_type()), pod_type()), pod_type());
    EXPECT_TRUE(rest.is_null() || rest.empty()) << pod << rest;
    EXPECT_EQ(remove_fields(pod, nullptr, pod_type()), pod);
  }
}

}  // namespace
}  // namespace kruise::cluster::fields
