#include "client/path_template.hpp"

#include <gtest/gtest.h>

namespace kruise::client {
namespace {

struct Case {
  const char* method;
  const char* path;
  const char* shown;
  const char* verb;
};

TEST(PathTemplate, HasNoNames) {
  const Case cases[] = {
      {"GET", "/api/v1/pods?watch=1", "/api/v1/pods", "watch"},
      {"GET", "/api/v1/namespaces/a/pods", "/api/v1/namespaces/{namespace}/pods", "list"},
      {"GET", "/api/v1/namespaces/a/pods/b", "/api/v1/namespaces/{namespace}/pods/{name}", "get"},
      {"PATCH", "/api/v1/namespaces/a/pods/b/status", "/api/v1/namespaces/{namespace}/pods/{name}/status", "patch"},
      {"POST", "/apis/apps.kruise.io/v1alpha1/namespaces/a/clonesets",
       "/apis/apps.kruise.io/v1alpha1/namespaces/{namespace}/clonesets", "create"},
      {"DELETE", "/api/v1/nodes/n", "/api/v1/nodes/{name}", "delete"},
      {"DELETE", "/api/v1/namespaces/a/pods", "/api/v1/namespaces/{namespace}/pods", "deletecollection"},
      {"GET", "/api/v1/namespaces", "/api/v1/namespaces", "list"},
      {"GET", "/api/v1/namespaces/a", "/api/v1/namespaces/{name}", "get"},
      {"PUT", "/api/v1/namespaces/a/finalize", "/api/v1/namespaces/{name}/finalize", "update"},
      {"GET", "/apis", "/apis", "get"},
      {"GET", "/apis/apps/v1", "/apis/apps/v1", "get"},
      {"GET", "/readyz", "/readyz", "get"},
      {"GET", "/", "/", "get"},
      {"GET", "", "", "get"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(path_template(c.path), c.shown);
    EXPECT_EQ(verb_of(c.method, c.path), c.verb) << c.path;
  }
}

}  // namespace
}  // namespace kruise::client
