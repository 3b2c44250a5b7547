// What to do next about one CloneSet: a pure function of the set, what is observed of it, and the time.
//
//     runtime::Plan next = cloneset::plan(set, observed, context);
//
// One pass scales or updates, never both; ownership comes before either. See docs/pod-writes.md for every write to a pod.
#pragma once

#include <memory>
#include <vector>

#include "api/generated/clone_set.hpp"
#include "api/node.hpp"
#include "api/pod.hpp"
#include "api/revision.hpp"
#include "runtime/plan.hpp"
#include "workload/template.hpp"

namespace kruise::controllers::cloneset {

/// How the manager is configured.
struct Options {
  /// Flag --cloneset-scaling-exclude-preparing-delete: for every set what the label of that name is for one.
  bool exclude_preparing_delete = false;
};

/// Immutable objects, as one look at the caches saw them.
struct Observed {
  std::vector<api::PodPtr> pods;               // with an owner reference to the set, in order of name, in any phase
  std::vector<api::ClaimPtr> claims;           // the same of claims
  std::vector<api::RevisionPtr> revisions;     // the set's, and those of its namespace that nobody controls
  std::vector<api::RevisionPtr> name_holders;  // revisions of others under names that the set's revisions might get
  std::vector<api::PodPtr> foreign_pods;       // pods that are not the set's under names that its free instance ids would give
  std::vector<api::NodePtr> nodes;             // in order of name; none where no topology spread constraint asks for them
  Options options{};
  std::shared_ptr<workload::TemplateCache> templates;  // may be null: then each template is parsed anew
};

[[nodiscard]] runtime::Plan plan(const api::CloneSet&, const Observed&, const runtime::Context&);

}  // namespace kruise::controllers::cloneset
