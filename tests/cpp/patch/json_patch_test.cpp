#include "patch/json_patch.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "patch/random_trees.hpp"
#include "patch/tree.hpp"

namespace kruise::patch {
namespace {

using json_patch::Dialect;
using nlohmann::json;

struct Case {
  const char* name;
  const char* document;
  const char* patch;
  const char* expected;  // null: refused
  Dialect dialect = Dialect::kStrict;
};

// RFC 6902, appendix A, and the cases that its text tells.
const Case kCases[] = {
    {"A1_add_member", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"baz":"qux","foo":"bar"})"},
    {"A2_add_element", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
     R"({"foo":["bar","qux","baz"]})"},
    {"A3_remove_member", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
    {"A4_remove_element", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
    {"A5_replace", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
     R"({"baz":"boo","foo":"bar"})"},
    {"A6_move_member", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {"A7_move_element", R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {"A8_test_success", R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {"A9_test_error", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", nullptr},
    {"A10_add_nested", R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {"A11_unknown_members", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A12_no_parent", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", nullptr},
    {"A14_escapes", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
    {"A15_text_is_no_number", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])", nullptr},
    {"A16_append", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
    {"numbers_by_value", R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0}])", R"({"a":1})"},
    {"add_whole", R"({"a":1})", R"([{"op":"add","path":"","value":[1]}])", R"([1])"},
    {"replace_whole", R"({"a":1})", R"([{"op":"replace","path":"","value":7}])", R"(7)"},
    {"copy", R"({"a":{"b":[1]}})", R"([{"op":"copy","from":"/a/b","path":"/c"},{"op":"add","path":"/c/0","value":0}])",
     R"({"a":{"b":[1]},"c":[0,1]})"},
    {"copy_whole", R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])", R"({"a":1,"b":{"a":1}})"},
    {"empty_name", R"({"":1})", R"([{"op":"replace","path":"/","value":2}])", R"({"":2})"},
    {"add_at_end", R"([1])", R"([{"op":"add","path":"/1","value":2}])", R"([1,2])"},
    {"add_past_end", R"([1])", R"([{"op":"add","path":"/2","value":2}])", nullptr},
    {"leading_zero", R"([1,2])", R"([{"op":"remove","path":"/01"}])", nullptr},
    {"negative_index", R"([1,2])", R"([{"op":"remove","path":"/-1"}])", nullptr},
    {"replace_absent", R"({})", R"([{"op":"replace","path":"/a","value":1}])", nullptr},
    {"remove_absent", R"({})", R"([{"op":"remove","path":"/a"}])", nullptr},
    {"move_into_itself", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/c"}])", nullptr},
    {"value_missing", R"({})", R"([{"op":"add","path":"/a"}])", nullptr},
    {"no_slash", R"({"a":1})", R"([{"op":"remove","path":"a"}])", nullptr},
    {"into_a_scalar", R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])", nullptr},
    // What API servers do otherwise.
    {"k8s_replace_absent", R"({})", R"([{"op":"replace","path":"/a","value":1}])", R"({"a":1})", Dialect::kKubernetes},
    {"k8s_replace_past_end", R"([1])", R"([{"op":"replace","path":"/1","value":1}])", nullptr, Dialect::kKubernetes},
    {"k8s_negative_index", R"([1,2])", R"([{"op":"remove","path":"/-1"}])", R"([1])", Dialect::kKubernetes},
    {"k8s_negative_add", R"([1,2])", R"([{"op":"add","path":"/-1","value":3}])", R"([1,2,3])", Dialect::kKubernetes},
    {"k8s_negative_too_far", R"([1,2])", R"([{"op":"remove","path":"/-3"}])", nullptr, Dialect::kKubernetes},
    {"k8s_test_absent_is_null", R"({})", R"([{"op":"test","path":"/a","value":null}])", R"({})", Dialect::kKubernetes},
    {"k8s_numbers_by_text", R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0}])", nullptr, Dialect::kKubernetes},
    {"k8s_copy_absent", R"({})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"b":null})", Dialect::kKubernetes},
    {"k8s_no_value_is_null", R"({})", R"([{"op":"add","path":"/a"}])", R"({"a":null})", Dialect::kKubernetes},
    {"k8s_add_whole", R"({"a":1})", R"([{"op":"add","path":"","value":{}}])", nullptr, Dialect::kKubernetes},
    {"k8s_move_absent", R"({})", R"([{"op":"move","from":"/a","path":"/b"}])", nullptr, Dialect::kKubernetes},
};

class JsonPatch : public testing::TestWithParam<Case> {};

TEST_P(JsonPatch, Applies) {
  const Case& c = GetParam();
  json tree = json::parse(c.document);
  const auto error = json_patch::apply(tree, json::parse(c.patch), c.dialect);
  if (c.expected == nullptr) {
    ASSERT_TRUE(error) << tree;
    EXPECT_EQ(error->code, 422);
    EXPECT_EQ(error->reason, "Invalid");
    EXPECT_EQ(error->operation, 0U);
    EXPECT_FALSE(error->message.empty());
  } else {
    ASSERT_FALSE(error) << error->message;
    EXPECT_EQ(tree, json::parse(c.expected));
  }
}
INSTANTIATE_TEST_SUITE_P(Rfc6902, JsonPatch, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST(JsonPatchError, NamesTheOperationAndThePath) {
  json tree = json::parse(R"({"metadata":{"resourceVersion":"7"}})");
  const auto error = json_patch::apply(
      tree,
      json::parse(
          R"([{"op":"test","path":"/metadata","value":{"resourceVersion":"7"}},{"op":"test","path":"/metadata/resourceVersion","value":"6"}])"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->operation, 1U);
  EXPECT_EQ(error->message, "testing value /metadata/resourceVersion failed: test failed");
}

TEST(JsonPatchError, IsMalformedWhenThePatchIsNoListOfOperations) {
  for (const char* text : {"{}", "7", "[1]", R"([{"op":"add","path":1}])", R"([{"op":1}])", "[[]]", "[{]", ""}) {
    const auto result = json_patch::apply_text("{}", text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, 400) << text;
  }
  for (const char* text :
       {"[{}]", "[null]", R"([{"op":"spin","path":"/a"}])", R"([{"op":"add"}])", R"([{"op":"move","path":"/a"}])"}) {
    const auto result = json_patch::apply_text("{}", text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, 422) << text;
  }
}

TEST(JsonPatchLimits, RefusesTooManyOperationsAndTooMuchCopying) {
  json many = json::array();
  for (std::size_t i = 0; i <= json_patch::kOperationsMax; ++i) many.push_back({{"op", "test"}, {"path", "/a"}, {"value", 1}});
  json tree{{"a", 1}};
  EXPECT_EQ(json_patch::apply(tree, many)->code, 413);
  many.erase(0);
  EXPECT_FALSE(json_patch::apply(tree, many));

  json doubling = json::array();  // each operation would double the document
  for (int i = 0; i < 64; ++i) doubling.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}});
  json growing{{"a", json::array({"seed"})}};
  const auto error = json_patch::apply(growing, doubling);
  ASSERT_TRUE(error);
  EXPECT_NE(error->message.find("accumulated size"), std::string::npos);
}

TEST(JsonPatchLimits, RefusesDeepText) {
  EXPECT_EQ(json_patch::apply_text(std::string(100'000, '['), "[]").error().code, 400);
  EXPECT_EQ(json_patch::diff_text("{}", std::string(kDepthMax + 1, '[') + std::string(kDepthMax + 1, ']')).error().code, 400);
  EXPECT_TRUE(json_patch::diff_text("{}", std::string(kDepthMax, '[') + std::string(kDepthMax, ']')).ok());
}

TEST(JsonPatchDiff, IsSmall) {
  EXPECT_EQ(json_patch::diff_text(R"({"a":[1,2,3],"b":{"c~/":1}})", R"({"a":[1,3],"b":{"c~/":2}})").value(),
            R"([{"op":"remove","path":"/a/1"},{"op":"replace","path":"/b/c~0~1","value":2}])");
  EXPECT_EQ(json_patch::diff_text(R"({"a":1})", R"({"a":1})").value(), "[]");
}

TEST(JsonPatchDiff, LeadsFromOneTreeToTheOther) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    base::Random random(seed);
    const json from = test::random_object(random);
    const json to = seed % 2 == 0 ? test::random_object(random) : test::mutated(from, random);
    const json patch = json_patch::diff(from, to);
    for (const Dialect dialect : {Dialect::kKubernetes, Dialect::kStrict}) {
      if (dialect == Dialect::kKubernetes && !to.is_structured()) continue;  // no document of an API server
      json tree = from;
      const auto error = json_patch::apply(tree, patch, dialect);
      ASSERT_FALSE(error) << "seed " << seed << ": " << error->message << "\n" << patch;
      ASSERT_EQ(tree, to) << "seed " << seed << "\n" << from << "\n" << patch;
    }
    ASSERT_TRUE(json_patch::diff(from, from).empty()) << "seed " << seed;
  }
}

TEST(JsonPatchFuzz, MalformedPatchesNeverCrash) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    base::Random random(seed);
    const json from = test::random_object(random);
    json patch = json_patch::diff(from, test::random_object(random));
    for (int damage = 0; damage < 3; ++damage) {
      if (!patch.empty()) patch[random.below(patch.size())] = test::mutated(patch[random.below(patch.size())], random);
    }
    json tree = from;
    if (const auto error = json_patch::apply(tree, patch)) {
      EXPECT_TRUE(error->code == 400 || error->code == 422) << "seed " << seed;
    }
    const std::string text = test::damaged(patch.dump(), random);
    const auto result = json_patch::apply_text(from.dump(), text);
    EXPECT_TRUE(result.ok() || result.error().code == 400 || result.error().code == 422) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kruise::patch
