// Objects from bytes and back: what is absent, what is null, what is wrong.
#include "api/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/event.hpp"
#include "api/gadget_conversion.hpp"
#include "api/generated/clone_set.hpp"
#include "api/lease.hpp"
#include "api/node.hpp"
#include "api/revision.hpp"
#include "base/random.hpp"

namespace kruise::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kFull = R"({"apiVersion":"apps.kruise.io/v1alpha1","kind":"CloneSet",
 "metadata":{"name":"web","namespace":"shop","uid":"u-1","resourceVersion":"17","generation":3,"creationTimestamp":"2021-03-01T08:00:00Z",
  "labels":{"app":"web"},"annotations":{"a\"b":"c\nd"},"finalizers":["x/y"],
  "ownerReferences":[{"apiVersion":"apps.kruise.io/v1beta1","kind":"UnitedDeployment","name":"ud","uid":"u-0","controller":true}],
  "managedFields":[{"manager":"kubectl","fieldsV1":{"f:spec":{}}}]},
 "spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"In","values":["b","a"]}]},
  "template":{"metadata":{"labels":{"app":"web"}}, "spec":{"containers":[{"name":"main","image":"nginx:1","future":{"x":1.50}}]}},
  "volumeClaimTemplates":[{"metadata":{"name":"data"}},{"metadata":{"name":"logs"}}],
  "scaleStrategy":{"podsToDelete":["web-a","web-b"],"maxUnavailable":"10%","disablePVCReuse":true},
  "updateStrategy":{"type":"InPlaceIfPossible","partition":"50%","maxUnavailable":2,"maxSurge":0,"paused":true,
   "priorityStrategy":{"weightPriority":[{"weight":50,"matchSelector":{"matchLabels":{"k":"v"}}}],"orderPriority":[{"orderedKey":"o"}]},
   "scatterStrategy":[{"key":"sk","value":"sv"}],"inPlaceUpdateStrategy":{"gracePeriodSeconds":5}},
  "revisionHistoryLimit":3,"minReadySeconds":4,"progressDeadlineSeconds":60,
  "lifecycle":{"preDelete":{"labelsHandler":{"l":"1"},"finalizersHandler":["f"],"markPodNotReady":true},"inPlaceUpdate":{},"preNormal":null}},
 "status":{"observedGeneration":2,"replicas":5,"readyReplicas":4,"availableReplicas":3,"updatedReplicas":2,"updatedReadyReplicas":1,
  "currentRevision":"web-1","updateRevision":"web-2","collisionCount":1,"labelSelector":"app=web",
  "conditions":[{"type":"FailedScale","status":"True","message":"m","lastTransitionTime":"2021-03-01T08:00:00Z"}]}})";

TEST(Decode, EveryFieldOfACloneSet) {
  const auto set = decode<CloneSet>(kFull);
  EXPECT_EQ(set.meta.key().text(), "shop/web");
  EXPECT_EQ(set.meta.generation, 3);
  EXPECT_EQ(base::format_time(*set.meta.creation_timestamp), "2021-03-01T08:00:00Z");
  EXPECT_EQ(set.meta.annotations.at("a\"b"), "c\nd");
  ASSERT_NE(set.meta.controller(), nullptr);
  EXPECT_EQ(set.meta.controller()->group(), "apps.kruise.io");
  EXPECT_EQ(set.spec.replicas, 0);
  EXPECT_EQ(set.spec.selector.match_expressions.at(0).values, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(
      set.spec.template_.text,
      R"({"metadata":{"labels":{"app":"web"}}, "spec":{"containers":[{"name":"main","image":"nginx:1","future":{"x":1.50}}]}})");
  EXPECT_THAT(set.spec.volume_claim_templates,
              ElementsAre(RawJson{R"({"metadata":{"name":"data"}})"}, RawJson{R"({"metadata":{"name":"logs"}})"}));
  EXPECT_THAT(set.spec.scale_strategy.pods_to_delete, ElementsAre("web-a", "web-b"));
  EXPECT_EQ(set.spec.scale_strategy.max_unavailable, IntOrString("10%"));
  EXPECT_TRUE(set.spec.scale_strategy.disable_pvc_reuse);
  const auto& update = set.spec.update_strategy;
  EXPECT_EQ(update.type, "InPlaceIfPossible");
  EXPECT_EQ(update.partition, IntOrString("50%"));
  EXPECT_EQ(update.max_unavailable, IntOrString(2));
  EXPECT_EQ(update.max_surge, IntOrString(0));
  EXPECT_TRUE(update.paused);
  EXPECT_EQ(update.priority_strategy.weight_priority.at(0).weight, 50);
  EXPECT_EQ(update.priority_strategy.weight_priority.at(0).match_selector.match_labels.at("k"), "v");
  EXPECT_EQ(update.priority_strategy.order_priority.at(0).ordered_key, "o");
  EXPECT_EQ(update.scatter_strategy.at(0), (UpdateScatterTerm{"sk", "sv"}));
  EXPECT_EQ(update.in_place_update_strategy.grace_period_seconds, 5);
  EXPECT_EQ(set.spec.revision_history_limit, 3);
  EXPECT_EQ(set.spec.min_ready_seconds, 4);
  EXPECT_EQ(set.spec.progress_deadline_seconds, 60);
  EXPECT_EQ(set.spec.lifecycle->pre_delete->labels_handler.at("l"), "1");
  EXPECT_THAT(set.spec.lifecycle->pre_delete->finalizers_handler, ElementsAre("f"));
  EXPECT_TRUE(set.spec.lifecycle->pre_delete->mark_pod_not_ready);
  EXPECT_TRUE(set.spec.lifecycle->in_place_update.has_value());  // an empty hook is a hook
  EXPECT_FALSE(set.spec.lifecycle->pre_normal.has_value());      // null is none
  EXPECT_EQ(set.status.updated_ready_replicas, 1);
  EXPECT_EQ(set.status.conditions.at(0).type, "FailedScale");
  EXPECT_EQ(set.original.text, kFull);
}

TEST(Decode, WhatIsWrittenReadsTheSame) {
  const auto set = decode<CloneSet>(kFull);
  EXPECT_EQ(decode<CloneSet>(encode(set)), set);
  EXPECT_EQ(decode<CloneSet>(encode(CloneSet{})), CloneSet{});
  EXPECT_EQ(encode(CloneSetStatus{}),
            R"({"replicas":0,"readyReplicas":0,"availableReplicas":0,"updatedReplicas":0,"updatedReadyReplicas":0})");
  EXPECT_EQ(encode(CloneSet{}.spec), R"({"selector":{},"template":null})");
}

TEST(Decode, AbsentNullAndEmptyAreTheSame) {
  const CloneSet empty;
  for (
      const auto* text :
      {"{}", R"({"spec":null,"status":null,"metadata":null})", R"({"spec":{},"status":{},"metadata":{}})",
       R"({"spec":{"replicas":null,"selector":null,"template":null,"updateStrategy":null,"lifecycle":null,"volumeClaimTemplates":null},
                               "metadata":{"labels":null,"ownerReferences":null,"finalizers":[],"creationTimestamp":null}})",
       R"({"spec":{"updateStrategy":{"priorityStrategy":{"weightPriority":[]},"partition":null,"paused":false}}})"}) {
    auto set = decode<CloneSet>(text);
    EXPECT_EQ(set, empty) << text;
  }
}

TEST(Decode, ErrorsNameTheField) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {R"({"spec":{"replicas":"three"}})", "spec.replicas: expected an integer"},
      {R"({"spec":{"replicas":3000000000}})", "spec.replicas: 3000000000 does not fit into 32 bits"},
      {R"({"spec":{"replicas":1.5}})", "spec.replicas: expected an integer"},
      {R"({"spec":{"updateStrategy":{"partition":true}}})",
       "spec.updateStrategy.partition: expected an integer or a string, found a boolean"},
      {R"({"spec":{"updateStrategy":{"scatterStrategy":[{},{"key":5}]}}})",
       "spec.updateStrategy.scatterStrategy[1].key: expected a string"},
      {R"({"spec":{"scaleStrategy":{"podsToDelete":["a",{}]}}})", "spec.scaleStrategy.podsToDelete[1]: expected a string"},
      {R"({"spec":[]})", "spec: expected an object, found an array"},
      {R"({"metadata":{"labels":{"a":{}}}})", "metadata.labels.a: expected a string"},
      {R"({"metadata":{"creationTimestamp":"yesterday"}})", "metadata.creationTimestamp: \"yesterday\" is not a time"},
      {R"([])", "not a JSON object"},
      {R"({"spec":)", "not a JSON document"},
      {R"({"spec":{"template":{"a":tru}}})", "not a JSON document"},
      {"", "not a JSON document"},
      {"{} {}", "not a JSON document"},
      {"\xff\xfe", "not a JSON document"},
  };
  for (const auto& [text, message] : cases) {
    try {
      (void)decode<CloneSet>(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const DecodeError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << text;
    }
  }
}

TEST(Decode, ErrorsAreValuesToo) {
  const auto bad = try_decode<CloneSet>(R"({"spec":{"replicas":"x"}})");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().path, "spec.replicas");
  EXPECT_FALSE(bad.error().syntax);
  EXPECT_TRUE(try_decode_shared<CloneSet>("{").error().syntax);
  EXPECT_EQ((*try_decode_shared<CloneSet>(kFull))->meta.name, "web");
}

TEST(Decode, DamagedTextIsAnErrorAndNeverACrash) {
  base::Random random(7);
  int read = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text(kFull);
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const auto at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text.erase(at, 1 + random.below(20));
          break;
        case 1:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 2:
          text.insert(at, std::string_view("null,[]{}\":0").substr(random.below(11), 1));
          break;
        default:
          text.resize(at + 1);
      }
    }
    try {
      (void)decode<CloneSet>(text);
      (void)decode<Event>(text);
      (void)decode<Node>(text);
      ++read;
    } catch (const DecodeError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
  EXPECT_GT(read, 20);  // some damage is harmless: the test would say nothing if none were
}

// Every value of the object in turn is dropped, made null, or given another type.
TEST(Decode, MistypedFieldsAreErrorsAndNeverACrash) {
  const std::string whole(kFull);
  const std::string_view others[] = {"null", "0",  "-1", "1e400", "\"\"",   "\"x\"",
                                     "true", "[]", "{}", "[[]]",  "[null]", R"({"a":null})"};
  int accepted = 0, refused = 0;
  for (std::size_t colon = whole.find(':'); colon != std::string::npos; colon = whole.find(':', colon + 1)) {
    std::size_t end = colon + 1;
    int depth = 0;
    bool quoted = false;
    for (; end < whole.size(); ++end) {
      const char c = whole[end];
      if (c == '"' && whole[end - 1] != '\\') quoted = !quoted;
      if (quoted) continue;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && depth-- == 0) break;
      if (c == ',' && depth == 0) break;
    }
    for (const auto other : others) {
      try {
        (void)decode<CloneSet>(whole.substr(0, colon + 1) + std::string(other) + whole.substr(end));
        ++accepted;
      } catch (const DecodeError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(Decode, RevisionKeepsItsDataToTheLetter) {
  const auto revision =
      decode<Revision>(R"({"metadata":{"name":"web-1"},"data": {"spec":{"template":{ "x":1.0}}} ,"revision":4})");
  EXPECT_EQ(revision.number, 4);
  EXPECT_EQ(revision.data.text, R"({"spec":{"template":{ "x":1.0}}})");
  EXPECT_EQ(decode<Revision>(encode(revision)), revision);
}

TEST(Decode, LeaseEventNode) {
  Lease lease;
  lease.meta.name = "kruise-manager";
  lease.holder = "a_b";
  lease.duration_seconds = 15;
  lease.acquired = base::parse_time("2021-03-01T08:00:00.123456Z");
  lease.renewed = base::parse_time("2021-03-01T08:00:01.000001Z");
  lease.transitions = 2;
  EXPECT_EQ(decode<Lease>(encode(lease)), lease);
  EXPECT_EQ(decode<Lease>("{}"), Lease{});

  Event event;
  event.meta.name = "web.1";
  event.about = {"apps.kruise.io/v1alpha1", "CloneSet", "shop", "web", "u-1", "17", ""};
  event.type = "Warning";
  event.reason = "FailedCreate";
  event.message = "no \"quota\"";
  event.count = 3;
  event.first_seen = base::parse_time("2021-03-01T08:00:00Z");
  event.last_seen = base::parse_time("2021-03-01T08:00:09Z");
  event.component = "cloneset-controller";
  EXPECT_EQ(decode<Event>(encode(event)), event);

  const auto node =
      decode<Node>(R"({"metadata":{"name":"n1"},"spec":{"unschedulable":true,"taints":[{"key":"k","effect":"NoExecute"}]},
      "status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}]}})");
  EXPECT_TRUE(node.unschedulable);
  EXPECT_EQ(node.ready, Tristate::kTrue);
  EXPECT_EQ(node.taints, (std::vector<Node::Taint>{{"k", "", "NoExecute"}}));
  EXPECT_EQ(decode<Node>("{}").ready, Tristate::kUnknown);
}

TEST(Decode, ObjectsOfUnknownKinds) {
  constexpr std::string_view kText =
      R"({"kind":"Foo","apiVersion":"x.io/v1","metadata":{"name":"a","namespace":"b"},"whatever":[1,2]})";
  const auto partial = decode<PartialMeta>(kText);
  EXPECT_EQ(partial.kind, "Foo");
  EXPECT_EQ(partial.meta.key().text(), "b/a");
  const auto raw = decode<RawObject>(kText);
  EXPECT_EQ(raw.api_version, "x.io/v1");
  EXPECT_EQ(raw.text.text, kText);
}

TEST(Gadget, BothVersionsReachTheHub) {
  const auto hub = decode_gadget(R"({"apiVersion":"test.kruise.io/v1","kind":"Gadget","metadata":{"name":"g"},
      "spec":{"size":10,"windowSeconds":90,"selector":{"matchLabels":{"a":"b"}}},"status":{"seen":2}})");
  const auto old = decode_gadget(R"({"apiVersion":"test.kruise.io/v1alpha1","kind":"Gadget","metadata":{"name":"g"},
      "spec":{"size":"large","window":"1m30s","labels":{"a":"b"}},"status":{"seen":2}})");
  EXPECT_EQ(hub, old);
  EXPECT_TRUE(hub.meta.ns.empty());
  EXPECT_EQ(to_hub(from_hub(hub)), hub);
  EXPECT_EQ(decode_gadget(encode(from_hub(hub))), hub);
  EXPECT_EQ(to_hub(from_hub(Gadget{})), Gadget{});
  EXPECT_THROW((void)decode_gadget(R"({"apiVersion":"test.kruise.io/v2"})"), DecodeError);
  EXPECT_THROW((void)decode_gadget(R"({"apiVersion":"test.kruise.io/v1alpha1","spec":{"size":"huge"}})"), DecodeError);
  EXPECT_THROW((void)decode_gadget(R"({"apiVersion":"test.kruise.io/v1alpha1","spec":{"window":"soon"}})"), DecodeError);
}

}  // namespace
}  // namespace kruise::api
