#include "cluster/json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cluster/object.hpp"

namespace kruise::cluster {
namespace {

using Json = nlohmann::json;

TEST(JsonText, ReadsWhatAnotherReaderReads) {
  for (const char* text : {
           R"({})",
           R"([])",
           R"("a\u00e9\n")",
           "true",
           "null",
           " 7 ",
           "-7",
           "0",
           "-0",
           "9223372036854775807",
           "18446744073709551615",
           "1.0",
           "1e3",
           "-2.5E-3",
           R"({"b":1,"a":{"c":[1,[2,{"d":null}],"x"]}})",
           R"({"":{"":""}})",
           "36893488147419103232",  // beyond 64 bits: the slower reader takes it
       }) {
    const auto tree = parse_json(text);
    ASSERT_TRUE(tree) << text << ": " << tree.error();
    const Json expected = Json::parse(text);
    EXPECT_EQ(*tree, expected) << text;
    EXPECT_EQ(tree->is_number_integer(), expected.is_number_integer()) << text;
    EXPECT_EQ(json_text(*tree), json_text(expected)) << text;
  }
}

TEST(JsonText, SaysWhyATextCannotBeRead) {
  const auto why = [](std::string_view text) { return parse_json(text).error(); };
  EXPECT_EQ(why(R"({"a":)"), "unexpected end of JSON input");
  EXPECT_EQ(why(""), "unexpected end of JSON input");
  EXPECT_NE(why(R"({"a":1,})").find("parse error"), std::string::npos);
  EXPECT_NE(why("{} x").find("parse error"), std::string::npos);
  EXPECT_NE(why("\"\xff\"").find("UTF-8"), std::string::npos);
  const std::string deep = std::string(201, '[') + std::string(201, ']');
  EXPECT_EQ(why(deep), "nested more than 200 levels deep");
  EXPECT_TRUE(parse_json(std::string(200, '[') + std::string(200, ']')));
}

TEST(JsonText, NamesMembersThatAppearTwice) {
  std::vector<std::string> duplicates;
  const auto tree = parse_json(R"({"z":1,"a":{"b":[{"c":1},{"c":2,"d":{"e":1,"e":2}}]},"z":{"q":1}})", &duplicates);
  ASSERT_TRUE(tree);
  EXPECT_EQ(duplicates, (std::vector<std::string>{"a.b[1].d.e", "z"}));
  EXPECT_EQ(*tree, Json::parse(R"({"z":{"q":1},"a":{"b":[{"c":1},{"c":2,"d":{"e":2}}]}})")) << "the last one counts";
}

TEST(Object, ReadsItsTreeAndPartsOfItFromItsText) {
  const Json tree = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"labels", {{"a", "b"}}}}}, {"spec", {{"n", 3}}}};
  const Object object("default/x", 5, tree, EventType::kModified);
  const auto copy = std::make_unique<const Object>(object);
  EXPECT_EQ(object.tree(), tree);
  EXPECT_EQ(copy->tree(), tree);
  EXPECT_EQ(copy->line(), R"({"type":"MODIFIED","object":)" + json_text(tree) + "}");
  EXPECT_EQ(object.value_at("metadata.labels"), Json({{"a", "b"}}));
  EXPECT_EQ(object.value_at("spec.n"), 3);
  EXPECT_TRUE(object.value_at("spec.n.more").is_null());
  EXPECT_TRUE(object.value_at("status.phase").is_null());
}

}  // namespace
}  // namespace kruise::cluster
