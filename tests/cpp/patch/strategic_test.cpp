#include "patch/strategic.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "patch/random_trees.hpp"

namespace kruise::patch {
namespace {

using api::FieldInfo;
using api::TypeInfo;
using nlohmann::json;
using Kind = TypeInfo::Kind;

// A small kind with every sort of list and map, so that these tables need no schema of Kubernetes.
TypeInfo type(Kind kind, const TypeInfo* element = nullptr) {
  TypeInfo info;
  info.kind = kind;
  info.element = element;
  return info;
}
TypeInfo object(std::span<const FieldInfo> fields) {
  TypeInfo info;
  info.kind = Kind::kObject;
  info.fields = fields;
  return info;
}
const TypeInfo kText = type(Kind::kString);
const TypeInfo kTexts = type(Kind::kList, &kText);
const TypeInfo kTextMap = type(Kind::kMap, &kText);

FieldInfo field(std::string_view name, const TypeInfo* type) {
  FieldInfo info;
  info.name = name;
  info.type = type;
  return info;
}
FieldInfo merging(std::string_view name, const TypeInfo* type, std::string_view key = {}, bool retain_keys = false) {
  FieldInfo info = field(name, type);
  info.patch_merge = true;
  info.merge_key = key;
  info.patch_retain_keys = retain_keys;
  return info;
}
FieldInfo retaining(std::string_view name, const TypeInfo* type) {
  FieldInfo info = field(name, type);
  info.patch_retain_keys = true;
  return info;
}

const FieldInfo kPortFields[] = {field("port", &kText), field("protocol", &kText)};
const TypeInfo kPort = object(kPortFields);
const TypeInfo kPorts = type(Kind::kList, &kPort);
const FieldInfo kItemFields[] = {field("name", &kText), field("image", &kText), merging("ports", &kPorts, "port"),
                                 field("args", &kTexts), field("env", &kTextMap)};
const TypeInfo kItem = object(kItemFields);
const TypeInfo kItems = type(Kind::kList, &kItem);
const FieldInfo kStrategyFields[] = {field("type", &kText), field("rolling", &kTextMap)};
const TypeInfo kStrategy = object(kStrategyFields);
const FieldInfo kThingFields[] = {
    merging("items", &kItems, "name"), merging("volumes", &kItems, "name", true), merging("set", &kTexts), field("args", &kTexts),
    field("labels", &kTextMap),        retaining("strategy", &kStrategy),         field("plain", &kItems)};
const TypeInfo kThing = object(kThingFields);

struct Case {
  const char* name;
  const char* target;
  const char* patch;
  const char* expected;  // null: refused with `code`
  int code = 0;
};

const Case kCases[] = {
    {"map_merges", R"({"labels":{"a":"1","b":"2"}})", R"({"labels":{"a":null,"c":"3"}})", R"({"labels":{"b":"2","c":"3"}})"},
    {"map_replace", R"({"labels":{"a":"1"}})", R"({"labels":{"$patch":"replace","c":"3","d":null}})",
     R"({"labels":{"c":"3","d":""}})"},
    {"map_delete_leaves_it_empty", R"({"labels":{"a":"1"}})", R"({"labels":{"$patch":"delete"}})", R"({"labels":{}})"},
    {"map_delete_of_absent", R"({})", R"({"labels":{"$patch":"delete"}})", R"({})"},
    {"map_unknown_directive", R"({"labels":{"a":"1"}})", R"({"labels":{"$patch":"merge"}})", nullptr, 500},
    {"whole_replace", R"({"labels":{"a":"1"},"args":["x"]})", R"({"$patch":"replace","args":["y"]})", R"({"args":["y"]})"},
    {"new_members_lose_nulls", R"({})", R"({"labels":{"a":null,"b":"1"}})", R"({"labels":{"b":"1"}})"},
    {"null_of_absent", R"({})", R"({"labels":null})", R"({})"},
    {"other_kind_replaces", R"({"labels":{"a":"1"}})", R"({"labels":"x"})", R"({"labels":"x"})"},
    {"plain_list_is_replaced", R"({"args":["a","b"]})", R"({"args":["c"]})", R"({"args":["c"]})"},
    {"plain_list_of_objects_is_replaced", R"({"plain":[{"name":"a"}]})", R"({"plain":[{"name":"b","image":null}]})",
     R"({"plain":[{"name":"b"}]})"},
    {"unknown_list_is_replaced", R"({"news":[{"name":"a"}]})", R"({"news":[{"name":"b"}]})", R"({"news":[{"name":"b"}]})"},
    {"unknown_object_merges", R"({"news":{"a":{"b":1,"c":2}}})", R"({"news":{"a":{"b":null}}})", R"({"news":{"a":{"c":2}}})"},
    // keyed lists
    {"keyed_merges_by_name", R"({"items":[{"name":"a","image":"1"},{"name":"b","image":"1"}]})",
     R"({"items":[{"name":"b","image":"2"}]})", R"({"items":[{"name":"a","image":"1"},{"name":"b","image":"2"}]})"},
    {"keyed_new_goes_first", R"({"items":[{"name":"a"}]})", R"({"items":[{"name":"n"}]})",
     R"({"items":[{"name":"n"},{"name":"a"}]})"},
    {"keyed_patch_order_rules", R"({"items":[{"name":"a"},{"name":"b"},{"name":"c"}]})",
     R"({"items":[{"name":"c"},{"name":"a"}]})", R"({"items":[{"name":"b"},{"name":"c"},{"name":"a"}]})"},
    {"keyed_delete", R"({"items":[{"name":"a"},{"name":"b"}]})",
     R"({"items":[{"$patch":"delete","name":"a"},{"$patch":"delete","name":"z"}]})", R"({"items":[{"name":"b"}]})"},
    {"keyed_delete_without_key", R"({"items":[{"name":"a"}]})", R"({"items":[{"$patch":"delete"}]})", nullptr, 500},
    {"keyed_replace", R"({"items":[{"name":"a"}]})", R"({"items":[{"name":"b"},{"$patch":"replace"}]})",
     R"({"items":[{"name":"b"}]})"},
    {"keyed_replace_of_absent", R"({})", R"({"items":[{"name":"b"},{"$patch":"replace"}]})", R"({"items":[{"name":"b"}]})"},
    {"keyed_merge_directive", R"({"items":[{"name":"a"}]})", R"({"items":[{"$patch":"merge","name":"a"}]})", nullptr, 500},
    {"keyed_unknown_directive", R"({"items":[{"name":"a"}]})", R"({"items":[{"$patch":"mix","name":"a"}]})", nullptr, 500},
    {"keyed_without_key", R"({"items":[{"name":"a"}]})", R"({"items":[{"image":"2"}]})", nullptr, 500},
    {"keyed_mixed_kinds", R"({"items":[{"name":"a"}]})", R"({"items":["b"]})", nullptr, 500},
    {"keyed_lists_of_lists", R"({"items":[{"name":"a"}]})", R"({"items":[["b"]]})", nullptr, 422},
    {"keyed_new_element_is_cleaned", R"({"items":[{"name":"a"}]})",
     R"({"$setElementOrder/items":[{"name":"a"},{"name":"b"}],"items":[{"name":"b","image":null,"$setElementOrder/ports":[{"port":"1"}],"ports":[{"port":"1"}]}]})",
     R"({"items":[{"name":"a"},{"name":"b","ports":[{"port":"1"}]}]})"},
    {"keyed_inside_keyed", R"({"items":[{"name":"a","ports":[{"port":"1"},{"port":"2"}]}]})",
     R"({"items":[{"name":"a","ports":[{"port":"2","protocol":"u"},{"$patch":"delete","port":"1"}]}]})",
     R"({"items":[{"name":"a","ports":[{"port":"2","protocol":"u"}]}]})"},
    // sets
    {"set_adds_first", R"({"set":["a","b"]})", R"({"set":["c","a"]})", R"({"set":["c","a","b"]})"},
    {"set_is_unique", R"({"set":["a"]})", R"({"set":["a","a"]})", R"({"set":["a"]})"},
    {"set_deletes", R"({"set":["a","b","c"]})", R"({"$deleteFromPrimitiveList/set":["a","c","z"]})", R"({"set":["b"]})"},
    {"set_delete_of_absent", R"({})", R"({"$deleteFromPrimitiveList/set":["a"]})", R"({})"},
    {"set_delete_bad_form", R"({"set":["a"]})", R"({"$deleteFromPrimitiveList":["a"]})", nullptr, 400},
    {"delete_works_on_plain_lists_too", R"({"args":["a","b"]})", R"({"$deleteFromPrimitiveList/args":["a"]})",
     R"({"args":["b"]})"},
    // orders
    {"order_of_set", R"({"set":["a","b","s"]})", R"({"$setElementOrder/set":["n","b","a"],"set":["n"]})",
     R"({"set":["n","b","a","s"]})"},
    {"order_keeps_server_only", R"({"items":[{"name":"s"},{"name":"a"},{"name":"b"}]})",
     R"({"$setElementOrder/items":[{"name":"b"},{"name":"a"}],"items":[{"name":"a","image":"2"}]})",
     R"({"items":[{"name":"s"},{"name":"b"},{"name":"a","image":"2"}]})"},
    {"order_without_change", R"({"items":[{"name":"a"},{"name":"b"}]})",
     R"({"$setElementOrder/items":[{"name":"b"},{"name":"a"}]})", R"({"items":[{"name":"b"},{"name":"a"}]})"},
    {"order_of_new_list", R"({})",
     R"({"$setElementOrder/items":[{"name":"a"}],"items":[{"name":"a"},{"$patch":"delete","name":"b"}]})",
     R"({"items":[{"name":"a"}]})"},
    {"order_of_nothing", R"({})", R"({"$setElementOrder/items":[{"name":"a"}]})", R"({})"},
    {"order_lacks_an_element", R"({"items":[{"name":"a"}]})",
     R"({"$setElementOrder/items":[{"name":"a"}],"items":[{"name":"b"}]})", nullptr, 500},
    {"order_disagrees", R"({"set":["a"]})", R"({"$setElementOrder/set":["b","c"],"set":["c","b"]})", nullptr, 500},
    {"order_bad_form", R"({})", R"({"$setElementOrder":["a"]})", nullptr, 400},
    {"order_is_no_list", R"({"set":["a"]})", R"({"$setElementOrder/set":"a"})", nullptr, 500},
    {"order_of_unknown_member", R"({})", R"({"$setElementOrder/news":["a"],"news":["a"]})", nullptr, 500},
    // $retainKeys
    {"retain_keys", R"({"strategy":{"type":"R","rolling":{"x":"1"}}})", R"({"strategy":{"$retainKeys":["type"],"type":"C"}})",
     R"({"strategy":{"type":"C"}})"},
    {"retain_keys_misses_one", R"({"strategy":{"type":"R"}})", R"({"strategy":{"$retainKeys":["type"],"type":"C","rolling":{}}})",
     nullptr, 400},
    {"retain_keys_is_no_list", R"({"strategy":{"type":"R"}})", R"({"strategy":{"$retainKeys":"type"}})", nullptr, 400},
    {"retain_keys_of_element", R"({"volumes":[{"name":"v","image":"1"}]})",
     R"({"volumes":[{"$retainKeys":["name","env"],"name":"v","env":{}}]})", R"({"volumes":[{"name":"v","env":{}}]})"},
    {"retain_keys_in_a_new_map", R"({})", R"({"labels":{"$retainKeys":["a"],"a":"1"}})", nullptr, 422},
    {"patch_is_no_object", R"({})", R"([])", nullptr, 400},
};

class Strategic : public testing::TestWithParam<Case> {};

TEST_P(Strategic, Applies) {
  const Case& c = GetParam();
  json tree = json::parse(c.target);
  const auto error = strategic::apply(tree, json::parse(c.patch), &kThing);
  if (c.expected == nullptr) {
    ASSERT_TRUE(error) << tree;
    EXPECT_EQ(error->code, c.code) << error->message;
    EXPECT_EQ(error->reason.empty(), c.code == 500);
  } else {
    ASSERT_FALSE(error) << error->message;
    EXPECT_EQ(tree, json::parse(c.expected));
  }
}
INSTANTIATE_TEST_SUITE_P(Table, Strategic, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST(StrategicError, ReadsLikeTheServers) {
  json tree = json::parse(R"({"items":[{"name":"a"}]})");
  const auto error = strategic::apply(tree, json::parse(R"({"items":[{"image":"2","args":["x","y"],"env":null}]})"), &kThing);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "map: map[args:[x y] env:<nil> image:2] does not contain declared merge key: name");
}

TEST(Strategic, MergesLikeAMergePatchWithoutAType) {
  EXPECT_EQ(strategic::apply_text(R"({"a":{"b":[1],"c":1}})", R"({"a":{"b":[2],"c":null}})", nullptr).value(),
            R"({"a":{"b":[2]}})");
}

TEST(StrategicDiff, SaysWhatIsGone) {
  struct DiffCase {
    const char* from;
    const char* to;
    const char* patch;
  };
  const DiffCase cases[] = {
      {R"({"labels":{"a":"1","b":"2"},"set":["x","y"]})", R"({"labels":{"a":"1"},"set":["y"]})",
       R"({"labels":{"b":null},"$deleteFromPrimitiveList/set":["x"],"$setElementOrder/set":["y"]})"},
      {R"({"set":["x"]})", R"({})", R"({"set":null})"},
      {R"({"set":["x"]})", R"({"set":[]})", R"({"$deleteFromPrimitiveList/set":["x"]})"},
      {R"({"items":[{"name":"a","image":"1"}]})", R"({"items":[{"name":"a","image":"2"}]})",
       R"({"items":[{"name":"a","image":"2"}]})"},
      {R"({"items":[{"name":"a"}]})", R"({"items":[{"name":"a"},{"name":"b"}]})",
       R"({"$setElementOrder/items":[{"name":"a"},{"name":"b"}],"items":[{"name":"b"}]})"},
      {R"({"items":[{"name":"a"},{"name":"b"}]})", R"({"items":[{"name":"b"}]})",
       R"({"$setElementOrder/items":[{"name":"b"}],"items":[{"$patch":"delete","name":"a"}]})"},
      {R"({"items":[{"name":"a"},{"name":"a"}]})", R"({"items":[{"name":"a"}]})",
       R"({"items":[{"name":"a"},{"$patch":"replace"}]})"},
      {R"({"strategy":{"type":"R","rolling":{}}})", R"({"strategy":{"type":"C"}})",
       R"({"strategy":{"$retainKeys":["type"],"type":"C","rolling":null}})"},
      {R"({"labels":{"a":"1"}})", R"({"labels":{"a":"1"}})", R"({})"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(json::parse(strategic::diff_text(c.from, c.to, &kThing).value()), json::parse(c.patch)) << c.to;
}

/// A random thing: keyed lists with distinct keys (one in eight with doubled ones), sets, maps.
json random_thing(base::Random& random);

json random_texts(base::Random& random, bool unique) {
  json list = json::array();
  for (auto n = random.below(5); n > 0; --n) {
    const json text(std::string(1, static_cast<char>('a' + random.below(5))));
    if (!unique || std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
  }
  // Elements of one key cannot be told apart: no patch puts another one between them.
  if (!unique) std::sort(list.begin(), list.end());
  return list;
}

json random_items(base::Random& random) {
  json list = json::array();
  const bool doubled = random.below(8) == 0;
  for (const auto& name : random_texts(random, !doubled)) {
    json item{{"name", name}};
    if (random.below(2) == 0) item["image"] = std::to_string(random.below(3));
    if (random.below(2) == 0) item["args"] = random_texts(random, false);
    if (random.below(3) == 0) item["news"] = test::random_value(random, 1, false);
    if (random.below(2) == 0) {
      item["ports"] = json::array();
      for (const auto& port : random_texts(random, random.below(4) != 0))
        item["ports"].push_back({{"port", port}, {"protocol", std::to_string(random.below(2))}});
    }
    list.push_back(std::move(item));
  }
  return list;
}

json random_thing(base::Random& random) {
  json thing = json::object();
  if (random.below(4) != 0) thing["items"] = random_items(random);
  if (random.below(4) != 0) thing["volumes"] = random_items(random);
  if (random.below(4) == 0) thing["plain"] = random_items(random);
  if (random.below(3) != 0) thing["set"] = random_texts(random, true);
  if (random.below(3) != 0) thing["args"] = random_texts(random, false);
  if (random.below(3) != 0) {
    thing["labels"] = json::object();
    for (const auto& key : random_texts(random, true)) thing["labels"][key.get<std::string>()] = std::to_string(random.below(2));
  }
  if (random.below(2) != 0) thing["strategy"] = {{"type", std::to_string(random.below(2))}};
  if (random.below(3) == 0) thing["strategy"]["rolling"] = {{"max", std::to_string(random.below(2))}};
  return thing;
}

TEST(StrategicDiff, LeadsFromOneTreeToTheOther) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    base::Random random(seed);
    const json from = random_thing(random);
    const json to = random_thing(random);
    const json patch = strategic::diff(from, to, &kThing);
    json tree = from;
    const auto error = strategic::apply(tree, patch, &kThing);
    ASSERT_FALSE(error) << "seed " << seed << ": " << error->message << "\n" << from << "\n" << to << "\n" << patch;
    ASSERT_EQ(tree, to) << "seed " << seed << "\n" << from << "\n" << patch;
  }
}

TEST(StrategicDiff, LeadsFromOnePodToAnother) {
  const TypeInfo& pod = *api::core_type("", "v1", "Pod");
  std::size_t bytes = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    base::Random random(seed);
    const json from = test::random_of_type(random, pod, 6);
    const json to = test::random_of_type(random, pod, 6);
    const json patch = strategic::diff(from, to, &pod);
    json tree = from;
    const auto error = strategic::apply(tree, patch, &pod);
    ASSERT_FALSE(error) << "seed " << seed << ": " << error->message << "\n" << patch;
    ASSERT_EQ(tree, to) << "seed " << seed << "\n" << from << "\n" << patch;
    bytes += patch.dump().size();
  }
  EXPECT_GT(bytes, 400U * 300) << "the pods are too empty to tell anything";
}

TEST(StrategicFuzz, MalformedPatchesNeverCrash) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    base::Random random(seed);
    const json from = test::mutated(random_thing(random), random);
    json patch = strategic::diff(random_thing(random), random_thing(random), &kThing);
    for (int damage = 0; damage < 2; ++damage) patch = test::mutated(std::move(patch), random);
    json tree = from;
    if (const auto error = strategic::apply(tree, patch, &kThing)) {
      EXPECT_TRUE(error->code == 400 || error->code == 422 || error->code == 500) << "seed " << seed;
    }
    const auto result = strategic::apply_text(test::damaged(from.dump(), random), test::damaged(patch.dump(), random), &kThing);
    EXPECT_TRUE(result.ok() || result.error().code >= 400) << "seed " << seed;
    EXPECT_TRUE(strategic::diff(from, from, &kThing).empty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kruise::patch
