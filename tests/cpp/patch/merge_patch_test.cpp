#include "patch/merge_patch.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "patch/random_trees.hpp"

namespace kruise::patch {
namespace {

using nlohmann::json;

// RFC 7386, section 3 and appendix A.
TEST(MergePatch, AppliesTheExamplesOfTheRfc) {
  struct Case {
    const char* target;
    const char* patch;
    const char* expected;
  };
  const Case cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"})",
       R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]})",
       R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})"},
  };
  for (const auto& c : cases) {
    const auto result = merge_patch::apply_text(c.target, c.patch);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(json::parse(result.value()), json::parse(c.expected)) << c.target << " + " << c.patch;
  }
}

TEST(MergePatch, RefusesTextThatIsNoJson) {
  EXPECT_EQ(merge_patch::apply_text("{}", "{").error().code, 400);
  EXPECT_EQ(merge_patch::diff_text("{", "{}").error().code, 400);
}

TEST(MergePatchDiff, IsEmptyForEqualTrees) {
  EXPECT_EQ(merge_patch::diff_text(R"({"a":{"b":[1]}})", R"({"a":{"b":[1]}})").value(), "{}");
}

TEST(MergePatchDiff, LeadsFromOneTreeToTheOther) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    base::Random random(seed);
    const json from = test::random_object(random);
    const json to = test::without_null_members(seed % 2 == 0 ? test::random_object(random) : test::mutated(from, random));
    json tree = from;
    merge_patch::apply(tree, merge_patch::diff(from, to));
    ASSERT_EQ(tree, to) << "seed " << seed << "\n" << from;
  }
}

TEST(MergePatchFuzz, DamagedTextNeverCrashes) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    base::Random random(seed);
    const std::string target = test::damaged(test::random_object(random).dump(), random);
    const auto result = merge_patch::apply_text(target, test::damaged(test::random_object(random).dump(), random));
    EXPECT_TRUE(result.ok() || result.error().code == 400) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kruise::patch
