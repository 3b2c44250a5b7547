#include "workload/ownership.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "workload/builders.hpp"

namespace kruise::workload {
namespace {

using testing::pod;
using testing::PodBuilder;

const api::OwnerReference kController{"apps.kruise.io/v1alpha1", "CloneSet", "web", "set-uid", true, true};
const api::OwnerReference kPlainOwner{"apps.kruise.io/v1alpha1", "CloneSet", "web", "set-uid", false, false};
const api::OwnerReference kOther{"apps/v1", "ReplicaSet", "rs", "rs-uid", true, true};

api::Selector selector() { return *api::Selector::from({.match_labels = {{"app", "web"}}, .match_expressions = {}}); }
PodBuilder selected(const char* name = "p") { return pod(name).label("app", "web"); }

TEST(OwnershipTest, Table) {
  struct Case {
    const char* what;
    PodBuilder pod;
    Ownership expected;
    Ownership while_deleted;
  };
  const Case cases[] = {
      {"ours", selected().owner(kController), Ownership::kOwned, Ownership::kOwned},
      {"ours, not selected", pod("p").owner(kController), Ownership::kRelease, Ownership::kForeign},
      {"another's", selected().owner(kOther), Ownership::kForeign, Ownership::kForeign},
      {"another's that names us", selected().owner(kOther).owner(kPlainOwner), Ownership::kForeign, Ownership::kForeign},
      {"names us, nobody controls", selected().owner(kPlainOwner), Ownership::kAdopt, Ownership::kForeign},
      {"names us, terminating", selected().owner(kPlainOwner).terminating(), Ownership::kForeign, Ownership::kForeign},
      {"names us, not selected", pod("p").owner(kPlainOwner), Ownership::kForeign, Ownership::kForeign},
      {"no owner at all: never adopted", selected(), Ownership::kForeign, Ownership::kForeign},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ownership_of(*c.pod.ptr(), "set-uid", selector(), false), c.expected) << c.what;
    EXPECT_EQ(ownership_of(*c.pod.ptr(), "set-uid", selector(), true), c.while_deleted) << c.what;
  }
}

TEST(OwnershipTest, WritesNameThePodByUidAndVersion) {
  const auto p = selected().owner(kController).ptr();
  const auto released = release(*p, "set-uid");
  EXPECT_EQ(released.body, R"({"metadata":{"ownerReferences":[{"$patch":"delete","uid":"set-uid"}]}})");
  EXPECT_EQ(released.uid, "uid-p");
  EXPECT_EQ(released.resource_version, "100");
  EXPECT_TRUE(released.not_found_is_success);
  const auto adopted = nlohmann::json::parse(adopt(*p, kController).body);
  EXPECT_EQ(adopted["metadata"]["ownerReferences"][0]["controller"], true);
  EXPECT_EQ(adopted["metadata"]["ownerReferences"][0]["blockOwnerDeletion"], true);
}

}  // namespace
}  // namespace kruise::workload
