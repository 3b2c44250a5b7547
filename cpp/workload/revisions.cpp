#include "workload/revisions.hpp"

#include <algorithm>
#include <tuple>

#include "api/names.hpp"
#include "base/json_writer.hpp"
#include "patch/revision.hpp"

namespace kruise::workload {
namespace {

constexpr std::size_t kOwnerNameMax = 223;

TemplatePtr template_of(const api::Revision& revision, TemplateCache& cache) {
  auto parsed = cache.of_revision(revision);
  return parsed ? *parsed : nullptr;
}

bool equals(const RevisionView& listed, const TemplatePtr& wanted) {
  return listed.parsed != nullptr && wanted->same_as(*listed.parsed, patch::writer_level(listed.object->meta.annotations));
}

runtime::Write creation(const api::Revision& revision) {
  runtime::Write write;
  write.verb = runtime::Write::Verb::kCreate;
  write.resource = &api::kRevisions;
  write.key = revision.meta.key();
  write.body = api::encode(revision);
  write.purpose = "create revision " + std::to_string(revision.number);
  return write;
}

/// A rollback: the old revision becomes the newest, keeps its name, and records the claim templates of now.
runtime::Write move_to_end(const api::Revision& before, const api::Revision& after) {
  runtime::Write write;
  write.verb = runtime::Write::Verb::kPatch;
  write.resource = &api::kRevisions;
  write.key = before.meta.key();
  write.patch_type = client::PatchType::kMerge;
  write.uid = before.meta.uid;
  write.resource_version = before.meta.resource_version;
  write.purpose = "move revision from " + std::to_string(before.number) + " to " + std::to_string(after.number);
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object();
  if (before.meta.annotations != after.meta.annotations) {
    w.key("annotations").begin_object();
    w.key(api::kAnnotationClaimTemplateHash)
        .string(after.meta.annotations.at(std::string(api::kAnnotationClaimTemplateHash)))
        .end_object();
  }
  w.end_object().key("revision").integer(after.number).end_object();
  write.body = std::move(w).text();
  return write;
}

api::Revision make(const TemplatePtr& wanted, const RevisionOwner& owner, std::int64_t number, std::int32_t first_count) {
  api::Revision revision;
  revision.meta.ns = owner.key.ns;
  revision.meta.labels = wanted->labels();
  revision.meta.labels[std::string(api::kLabelRevisionHash)] = patch::revision_hash(wanted->revision_data(), first_count);
  revision.meta.annotations = owner.annotations;
  revision.meta.annotations[std::string(patch::kAnnotationRevisionForm)] = patch::kRevisionFormComplete;
  revision.meta.annotations[std::string(api::kAnnotationClaimTemplateHash)] = owner.claim_templates_hash;
  revision.meta.owners = {owner.reference};
  revision.number = number;
  revision.data.text = wanted->revision_data();
  return revision;
}

}  // namespace

std::vector<RevisionView> list_revisions(std::span<const api::RevisionPtr> observed, std::string_view owner_uid,
                                         const api::Selector& selector, TemplateCache& cache) {
  std::vector<RevisionView> listed;
  for (const auto& revision : observed) {
    const api::OwnerReference* controller = revision->meta.controller();
    if (controller != nullptr && controller->uid != owner_uid) continue;
    if (!selector.matches(revision->meta.labels)) continue;
    listed.push_back({revision, template_of(*revision, cache)});
  }
  std::ranges::sort(listed, [](const RevisionView& a, const RevisionView& b) {
    const auto order = [](const api::Revision& r) { return std::tie(r.number, r.meta.creation_timestamp, r.meta.name); };
    return order(*a.object) < order(*b.object);
  });
  return listed;
}

std::string revision_name(std::string_view owner_name, std::string_view hash) {
  return std::string(owner_name.substr(0, kOwnerNameMax)) + "-" + std::string(hash);
}

RevisionChoice choose_revision(const TemplatePtr& wanted, const RevisionOwner& owner, std::vector<RevisionView> listed,
                               std::span<const api::RevisionPtr> name_holders, std::int32_t collision_count) {
  RevisionChoice choice{.revisions = std::move(listed), .collision_count = std::max(collision_count, 0), .write = {}};
  const std::int64_t last = choice.revisions.empty() ? 0 : choice.revisions.back().object->number;

  for (std::size_t i = choice.revisions.size(); i-- > 0;) {
    if (!equals(choice.revisions[i], wanted)) continue;
    choice.update = i;
    if (i + 1 == choice.revisions.size()) return choice;
    auto moved = std::make_shared<api::Revision>(*choice.revisions[i].object);
    moved->number = last + 1;
    // Where no hash was recorded nothing is known to have changed; a new annotation does no harm.
    moved->meta.annotations[std::string(api::kAnnotationClaimTemplateHash)] = owner.claim_templates_hash;
    choice.write = move_to_end(*choice.revisions[i].object, *moved);
    choice.revisions[i].object = std::move(moved);
    return choice;
  }

  auto revision = std::make_shared<api::Revision>(make(wanted, owner, last + 1, choice.collision_count));
  for (;; ++choice.collision_count) {
    revision->meta.name = revision_name(owner.key.name, patch::revision_hash(wanted->revision_data(), choice.collision_count));
    const auto same_name = [&](const api::RevisionPtr& r) { return r->meta.name == revision->meta.name; };
    // Two revisions of one name cannot be: one with other data makes the hash count on.
    const auto holder = std::ranges::find_if(name_holders, same_name);
    const auto in_list = std::ranges::find_if(choice.revisions, [&](const RevisionView& v) { return same_name(v.object); });
    if (holder == name_holders.end() && in_list == choice.revisions.end()) break;
    if (holder != name_holders.end() && (*holder)->data.text == wanted->revision_data()) {
      choice.revisions.push_back({*holder, wanted});
      choice.update = choice.revisions.size() - 1;
      return choice;
    }
  }
  choice.write = creation(*revision);
  choice.revisions.push_back({std::move(revision), wanted});
  choice.update = choice.revisions.size() - 1;
  return choice;
}

std::vector<runtime::Write> trim_history(std::span<const RevisionView> revisions, const std::vector<bool>& live,
                                         std::int64_t limit) {
  std::vector<const api::Revision*> spare;
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    if (!live[i]) spare.push_back(revisions[i].object.get());
  }
  std::vector<runtime::Write> writes;
  const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(limit, 0));
  for (std::size_t i = 0; i + keep < spare.size(); ++i) {
    runtime::Write write;
    write.verb = runtime::Write::Verb::kDelete;
    write.resource = &api::kRevisions;
    write.key = spare[i]->meta.key();
    write.uid = spare[i]->meta.uid;
    write.not_found_is_success = true;
    write.purpose = "trim revision history";
    writes.push_back(std::move(write));
  }
  return writes;
}

}  // namespace kruise::workload
