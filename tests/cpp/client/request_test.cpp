#include "client/request.hpp"

#include <gtest/gtest.h>

namespace kruise::client {
namespace {

const api::Resource kSets{"apps.kruise.io", "v1alpha1", "CloneSet", "clonesets", api::Scope::kNamespaced};

struct Case {
  const char* name;
  Request request;
  const char* method;
  const char* path;
  const char* type = "";
  const char* body = "";
};

class RequestTable : public testing::TestWithParam<Case> {};

TEST_P(RequestTable, HasTheDocumentedForm) {
  const Case& c = GetParam();
  EXPECT_EQ(c.request.method, c.method);
  EXPECT_EQ(c.request.path, c.path);
  EXPECT_EQ(c.request.content_type, c.type);
  EXPECT_EQ(c.request.body, c.body);
  EXPECT_EQ(c.request.accept, "application/json");
}

const char* const kJson = "application/json";

INSTANTIATE_TEST_SUITE_P(
    All, RequestTable,
    testing::Values(
        Case{"GetCore", get(api::kPods, {"default", "web-1"}), "GET", "/api/v1/namespaces/default/pods/web-1"},
        Case{"GetGroup", get(kSets, {"default", "web"}), "GET", "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets/web"},
        Case{"GetCluster", get(api::kNodes, {"", "n1"}), "GET", "/api/v1/nodes/n1"},
        Case{"GetClusterIgnoresNamespace", get(api::kNodes, {"default", "n1"}), "GET", "/api/v1/nodes/n1"},
        Case{"GetNamespaceItself", get(api::kNamespaces, {"", "default"}), "GET", "/api/v1/namespaces/default"},
        Case{"GetSubresource", get(kSets, {"a", "b"}, "scale"), "GET",
             "/apis/apps.kruise.io/v1alpha1/namespaces/a/clonesets/b/scale"},
        Case{"NameCannotLeaveItsPlace", get(api::kPods, {"a/../b", "c?x=1#%"}), "GET",
             "/api/v1/namespaces/a%2F..%2Fb/pods/c%3Fx%3D1%23%25"},
        Case{"NameWithColonAndUtf8", get(api::kPods, {"a", "system:x\xC3\xA9"}), "GET",
             "/api/v1/namespaces/a/pods/system%3Ax%C3%A9"},
        Case{"ListAll", list(api::kPods, ""), "GET", "/api/v1/pods"},
        Case{"ListPage",
             list(api::kPods, "a",
                  {.label_selector = "app in (x,y),!z",
                   .field_selector = "spec.nodeName=n1",
                   .continue_token = "tok=",
                   .limit = 500}),
             "GET",
             "/api/v1/namespaces/a/"
             "pods?labelSelector=app%20in%20%28x%2Cy%29%2C%21z&fieldSelector="
             "spec.nodeName%3Dn1&limit=500&continue=tok%3D"},
        Case{"ListFromCache", list(api::kPods, "", {.resource_version = "0", .resource_version_match = "NotOlderThan"}), "GET",
             "/api/v1/pods?resourceVersion=0&resourceVersionMatch=NotOlderThan"},
        Case{"Watch", watch(api::kPods, "", {.resource_version = "12", .timeout_s = 300}), "GET",
             "/api/v1/"
             "pods?watch=1&resourceVersion=12&allowWatchBookmarks=true&"
             "timeoutSeconds=300"},
        Case{"WatchWithInitialEvents", watch(api::kPods, "", {.send_initial_events = true}), "GET",
             "/api/v1/"
             "pods?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&"
             "resourceVersionMatch=NotOlderThan"},
        Case{"WatchWithoutBookmarks", watch(api::kPods, "a", {.label_selector = "a=b", .bookmarks = false}), "GET",
             "/api/v1/namespaces/a/pods?watch=1&labelSelector=a%3Db"},
        Case{"Create", create(api::kPods, "a", "{}"), "POST", "/api/v1/namespaces/a/pods", kJson, "{}"},
        Case{"CreateDry",
             create(api::kPods, "a", "{}", {.field_manager = "me too", .dry_run = true, .field_validation = "Strict"}), "POST",
             "/api/v1/namespaces/a/"
             "pods?dryRun=All&fieldManager=me%20too&fieldValidation=Strict",
             kJson, "{}"},
        Case{"Update", update(kSets, {"a", "b"}, "{}", {.subresource = "status"}), "PUT",
             "/apis/apps.kruise.io/v1alpha1/namespaces/a/clonesets/b/status", kJson, "{}"},
        Case{"PatchJson", patch(api::kPods, {"a", "b"}, PatchType::kJson, "[]"), "PATCH", "/api/v1/namespaces/a/pods/b",
             "application/json-patch+json", "[]"},
        Case{"PatchMerge", patch(api::kPods, {"a", "b"}, PatchType::kMerge, "{}"), "PATCH", "/api/v1/namespaces/a/pods/b",
             "application/merge-patch+json", "{}"},
        Case{"PatchStrategic", patch(api::kPods, {"a", "b"}, PatchType::kStrategic, "{}"), "PATCH", "/api/v1/namespaces/a/pods/b",
             "application/strategic-merge-patch+json", "{}"},
        Case{"Apply", patch(api::kPods, {"a", "b"}, PatchType::kApply, "{}", {.field_manager = "m", .force = true}), "PATCH",
             "/api/v1/namespaces/a/pods/b?fieldManager=m&force=true", "application/apply-patch+yaml", "{}"},
        Case{"Delete", remove(api::kPods, {"a", "b"}), "DELETE", "/api/v1/namespaces/a/pods/b", kJson,
             R"({"kind":"DeleteOptions","apiVersion":"v1"})"},
        Case{"DeleteGuarded",
             remove(api::kPods, {"a", "b"},
                    {.uid = "u", .resource_version = "7", .grace_period_s = 0, .propagation = "Background", .dry_run = true}),
             "DELETE", "/api/v1/namespaces/a/pods/b", kJson,
             R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"7"},)"
             R"("gracePeriodSeconds":0,"propagationPolicy":"Background","dryRun":["All"]})"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kruise::client
