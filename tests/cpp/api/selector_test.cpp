// Selectors: what matches, how they are written, what is refused.
#include "api/selector.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/label.hpp"

namespace kruise::api {
namespace {

using Requirement = LabelSelector::Requirement;

LabelSelector wire(StringMap labels, std::vector<Requirement> expressions = {}) {
  return {std::move(labels), std::move(expressions)};
}

TEST(Selector, CanonicalText) {
  const std::vector<std::pair<LabelSelector, std::string_view>> cases = {
      {{}, ""},
      {wire({{"app", "web"}}), "app=web"},
      {wire({{"b", "2"}, {"a", "1"}}), "a=1,b=2"},
      {wire({{"a", ""}}), "a="},
      {wire({}, {{"k", "In", {"b", "a"}}}), "k in (a,b)"},
      {wire({}, {{"k", "In", {"a"}}}), "k in (a)"},  // an expression stays one, even with a single value
      {wire({}, {{"k", "NotIn", {"a"}}}), "k notin (a)"},
      {wire({}, {{"k", "NotIn", {"b", "a"}}}), "k notin (a,b)"},
      {wire({}, {{"k", "Exists", {}}}), "k"},
      {wire({}, {{"k", "DoesNotExist", {}}}), "!k"},
      {wire({{"m", "1"}}, {{"z", "Exists", {}}, {"a", "In", {"x"}}}), "a in (x),m=1,z"},
  };
  for (const auto& [selector, text] : cases) {
    const auto parsed = Selector::from(selector);
    ASSERT_TRUE(parsed.ok()) << parsed.error();
    EXPECT_EQ(parsed->text(), text);
    // The query form of the text means the same and is written the same.
    const auto again = Selector::parse(text);
    ASSERT_TRUE(again.ok()) << again.error();
    EXPECT_EQ(again->text(), text);
  }
}

TEST(Selector, QueriesAreParsed) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", ""},
      {"a=b", "a=b"},
      {"a==b", "a=b"},
      {"a != b", "a!=b"},
      {" a = b , c ", "a=b,c"},
      {"a in (x)", "a in (x)"},
      {"a in ( y , x )", "a in (x,y)"},
      {"a notin (x,y),!b", "a notin (x,y),!b"},
      {"app.kubernetes.io/name=web,tier in (a,b),c,!f,g!=h", "app.kubernetes.io/name=web,c,!f,g!=h,tier in (a,b)"},
      {"a=", "a="},
      {"in", "in"},
      {"notin in (in)", "notin in (in)"},
      {"a in (x,x)", "a in (x)"},
      {"a in ()", "a in ()"},
      {"a in (,x)", "a in (,x)"},
      {"a notin(x)", "a notin (x)"},
  };
  for (const auto& [query, text] : cases) {
    const auto parsed = Selector::parse(query);
    ASSERT_TRUE(parsed.ok()) << query << ": " << parsed.error();
    EXPECT_EQ(parsed->text(), text) << query;
  }
}

TEST(Selector, FaultyQueriesAreRefused) {
  for (const auto* query : {"=b", "a=b,", ",a", "a in x", "a in (x", "a in (x y)", "a b", "!", "!a=b", "a=b=c", "a inside (b)",
                            "a in(b) c", "(a)", "a,,b", "a b=c", "a notinx (b)", "a=b!"}) {
    EXPECT_FALSE(Selector::parse(query).ok()) << query;
  }
  const auto refused = Selector::parse("a=b,=c");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), "found '=', expected: identifier after ','");
  EXPECT_EQ(Selector::parse("a in x").error(), "unable to parse requirement: found 'x' expected: '('");
}

TEST(Selector, WireFormsAreChecked) {
  const std::vector<std::pair<Requirement, std::string_view>> cases = {
      {{"k", "Foo", {}}, "matchExpressions[0].operator: \"Foo\" is not a valid operator"},
      {{"k", "In", {}}, "matchExpressions[0].values: must be specified when `operator` is 'In'"},
      {{"k", "NotIn", {}}, "matchExpressions[0].values: must be specified when `operator` is 'NotIn'"},
      {{"k", "Exists", {"a"}}, "matchExpressions[0].values: may not be specified when `operator` is 'Exists'"},
      {{"", "Exists", {}}, "matchExpressions[0].key: must not be empty"},
      {{"a b", "Exists", {}}, "matchExpressions[0].key: \"a b\" is not a label key"},
      {{"k", "In", {"ok", "no/"}}, "matchExpressions[0].values: \"no/\" is not a label value"},
  };
  for (const auto& [requirement, message] : cases) {
    const auto parsed = Selector::from(wire({}, {requirement}));
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error(), message);
  }
}

TEST(Label, KeysAndValues) {
  const std::string long_name(63, 'a');
  for (const auto& key :
       std::vector<std::string>{"a", "A-b_c.d", "x.io/a", "app.kubernetes.io/name", long_name, "x.io/" + long_name})
    EXPECT_TRUE(is_label_key(key)) << key;
  for (const auto& key :
       std::vector<std::string>{"", "-a", "a-", "a b", "/a", "a/", "x.io/", "X.io/a", "x..io/a", "a/b/c", long_name + "a", "ä"}) {
    EXPECT_FALSE(is_label_key(key)) << key;
  }
  for (const auto& value : std::vector<std::string>{"", "a", "1", "a.b-c_D", long_name})
    EXPECT_TRUE(is_label_value(value)) << value;
  for (const auto& value : std::vector<std::string>{"-", "a/b", "a ", long_name + "a"})
    EXPECT_FALSE(is_label_value(value)) << value;
  EXPECT_TRUE(is_dns_subdomain(std::string(253, 'a')));
  EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
  EXPECT_FALSE(is_dns_subdomain("a."));
}

TEST(Selector, Matches) {
  const StringMap labels{{"app", "web"}, {"tier", "front"}, {"empty", ""}};
  const std::vector<std::pair<std::string_view, bool>> cases = {
      {"", true},
      {"app=web", true},
      {"app=db", false},
      {"app!=db", true},
      {"app!=web", false},
      {"missing!=x", true},  // absent is not equal
      {"missing=x", false},
      {"app in (db,web)", true},
      {"app notin (db)", true},
      {"missing notin (db)", true},
      {"app", true},
      {"missing", false},
      {"!missing", true},
      {"!app", false},
      {"empty=", true},
      {"missing=", false},
      {"app=web,tier=front", true},
      {"app=web,tier=back", false},
  };
  for (const auto& [query, expected] : cases) {
    const auto parsed = Selector::parse(query);
    ASSERT_TRUE(parsed.ok()) << query;
    EXPECT_EQ(parsed->matches(labels), expected) << query;
  }
}

}  // namespace
}  // namespace kruise::api
