// The history of a workload's template: which ControllerRevision is wanted, which one was, and which may go.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/revision.hpp"
#include "runtime/plan.hpp"
#include "workload/template.hpp"

namespace kruise::workload {

/// A revision with its template; a template that cannot be read is null and equals nothing.
struct RevisionView {
  api::RevisionPtr object;
  TemplatePtr parsed;
  [[nodiscard]] const std::string& name() const { return object->meta.name; }
};

/// The workload whose history it is.
struct RevisionOwner {
  api::Key key;
  api::OwnerReference reference;
  api::StringMap annotations;        // copied to new revisions
  std::string claim_templates_hash;  // value of the claim template annotation
};

/// Revisions that are the owner's or nobody's and match its selector (labels of the revision), in order of number, age and name.
[[nodiscard]] std::vector<RevisionView> list_revisions(std::span<const api::RevisionPtr>, std::string_view owner_uid,
                                                       const api::Selector&, TemplateCache&);

/// `<name, cut to 223 bytes>-<hash>`
[[nodiscard]] std::string revision_name(std::string_view owner_name, std::string_view hash);

struct RevisionChoice {
  std::vector<RevisionView> revisions;  // the list, with the chosen one as it will be
  std::size_t update = 0;               // index of the wanted one
  std::int32_t collision_count = 0;
  std::optional<runtime::Write> write;  // creates it or moves it to the end; absent when it stands
};

/// Finds `wanted` among the listed revisions, or makes it. `name_holders` are revisions of others under names that it might get.
[[nodiscard]] RevisionChoice choose_revision(const TemplatePtr& wanted, const RevisionOwner&, std::vector<RevisionView> listed,
                                             std::span<const api::RevisionPtr> name_holders, std::int32_t collision_count);

/// Deletions of the oldest revisions that are not live, until at most `limit` (negative: 0) of those remain.
[[nodiscard]] std::vector<runtime::Write> trim_history(std::span<const RevisionView>, const std::vector<bool>& live,
                                                       std::int64_t limit);

}  // namespace kruise::workload
