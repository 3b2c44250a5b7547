#include "cluster/fields/field_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/fields/fields_v1.hpp"
#include "samples.hpp"

namespace kruise::cluster::fields {
namespace {

using testing::random_set;

constexpr int kDraws = 300;

FieldSetPtr set(const char* text) { return parse_fields_v1(Json::parse(text)).value(); }
std::set<std::string> as_paths(const FieldSetPtr& fields) {
  const auto paths = paths_of(fields);
  return {paths.begin(), paths.end()};
}

TEST(FieldSet, ReadsWhatItWrites) {
  base::Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const FieldSetPtr drawn = random_set(random);
    const auto read = parse_fields_v1(Json::parse(fields_v1(drawn)));
    ASSERT_TRUE(read.has_value()) << fields_v1(drawn);
    EXPECT_TRUE(equal(*read, drawn)) << fields_v1(drawn);
  }
}

TEST(FieldSet, KeepsTheLawsOfSetsOfPaths) {
  base::Random random(2);
  for (int i = 0; i < kDraws; ++i) {
    const FieldSetPtr a = random_set(random);
    const FieldSetPtr b = random_set(random);
    const auto pa = as_paths(a);
    const auto pb = as_paths(b);
    std::set<std::string> wanted;
    std::ranges::set_union(pa, pb, std::inserter(wanted, wanted.end()));
    EXPECT_EQ(as_paths(unite(a, b)), wanted);
    wanted.clear();
    std::ranges::set_intersection(pa, pb, std::inserter(wanted, wanted.end()));
    EXPECT_EQ(as_paths(intersect(a, b)), wanted);
    wanted.clear();
    std::ranges::set_difference(pa, pb, std::inserter(wanted, wanted.end()));
    EXPECT_EQ(as_paths(subtract(a, b)), wanted);
    EXPECT_TRUE(equal(unite(subtract(a, b), intersect(a, b)), a));
    EXPECT_EQ(subtract(a, a), nullptr);
  }
}

TEST(FieldSet, GivesItselfWhereNothingChanges) {
  base::Random random(3);
  for (int i = 0; i < kDraws; ++i) {
    const FieldSetPtr a = random_set(random);
    const FieldSetPtr other = set(R"({"f:nowhere":{}})");
    EXPECT_EQ(unite(a, intersect(a, random_set(random))), a);
    EXPECT_EQ(subtract(a, other), a);
  }
}

TEST(FieldSet, TakesAWholePartOut) {
  const FieldSetPtr a = set(R"({"f:spec":{"f:replicas":{}},"f:status":{".":{},"f:phase":{}}})");
  EXPECT_EQ(fields_v1(subtract_whole(a, set(R"({"f:status":{}})"))), R"({"f:spec":{"f:replicas":{}}})");
  EXPECT_EQ(fields_v1(subtract(a, set(R"({"f:status":{}})"))), R"({"f:spec":{"f:replicas":{}},"f:status":{"f:phase":{}}})");
}

TEST(FieldSet, NamesItsPaths) {
  const FieldSetPtr a = set(R"({"f:a":{"k:{\"name\":\"m\",\"port\":80}":{".":{},"f:x":{}},"v:\"s\"":{},"i:3":{}}})");
  EXPECT_EQ(paths_of(a),
            (std::vector<std::string>{".a[3]", R"(.a[name="m",port=80])", R"(.a[="s"])", R"(.a[name="m",port=80].x)"}));
}

TEST(FieldSet, RefusesWhatIsNone) {
  for (const char* text : {R"({"spec":{}})", R"({"k:x":{}})", R"({"f:a":1})", R"([])", R"({"i:-1":{}})", R"({"q:a":{}})"}) {
    EXPECT_FALSE(parse_fields_v1(Json::parse(text)).has_value()) << text;
  }
}

TEST(FieldSet, FindsPaths) {
  const FieldSetPtr a = set(R"({"f:spec":{"f:replicas":{}}})");
  const std::string_view path[] = {"f:spec", "f:replicas"};
  EXPECT_TRUE(contains(a, path));
  EXPECT_FALSE(contains(a, std::span(path).first(1)));
  EXPECT_TRUE(equal(set_of_path(path), a));
}

}  // namespace
}  // namespace kruise::cluster::fields
