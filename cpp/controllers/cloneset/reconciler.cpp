#include "controllers/cloneset/reconciler.hpp"

#include <algorithm>

#include "controllers/cloneset/instance_ids.hpp"
#include "patch/revision.hpp"
#include "workload/revisions.hpp"

namespace kruise::controllers::cloneset {

struct CloneSetReconciler::Orphans {
  std::map<std::string, std::set<std::string>, std::less<>> names;  // by namespace

  void follow(const cache::Change<api::Revision>& change) {
    if (change.before) names[change.before->meta.ns].erase(change.before->meta.name);
    if (change.after && change.after->meta.controller() == nullptr) names[change.after->meta.ns].insert(change.after->meta.name);
  }
};

CloneSetReconciler::CloneSetReconciler(Stores stores, Options options)
    : stores_(stores),
      options_(options),
      orphans_(std::make_shared<Orphans>()),
      templates_(std::make_shared<workload::TemplateCache>()) {
  for (const auto& revision : stores_.revisions.all()) orphans_->follow({nullptr, revision});
  stores_.revisions.subscribe([orphans = orphans_](const cache::Change<api::Revision>& change) { orphans->follow(change); });
}

CloneSetReconciler::~CloneSetReconciler() = default;

runtime::ObjectReference CloneSetReconciler::reference(const api::Key& key) const {
  const auto set = stores_.sets.get(key);
  if (set == nullptr) return {&api::kCloneSets, key, {}, {}};
  return {&api::kCloneSets, key, set->meta.uid, set->meta.resource_version};
}

Observed CloneSetReconciler::observed(const api::CloneSet& set) const {
  Observed observed;
  observed.options = options_;
  observed.templates = templates_;
  observed.pods = stores_.pods.owned_by(set.meta.uid);
  observed.claims = stores_.claims.owned_by(set.meta.uid);
  observed.revisions = stores_.revisions.owned_by(set.meta.uid);
  if (const auto orphans = orphans_->names.find(set.meta.ns); orphans != orphans_->names.end()) {
    for (const auto& name : orphans->second) {
      // One that names the set without being controlled by it is among the set's own already.
      const auto revision = stores_.revisions.get({set.meta.ns, name});
      if (revision && std::ranges::find(observed.revisions, revision) == observed.revisions.end())
        observed.revisions.push_back(revision);
    }
  }
  if (const auto wanted = templates_->of_text(set.spec.template_.text)) {
    // Names that a new revision might get, up to the first that is free.
    for (std::int32_t count = std::max(set.status.collision_count, 0);; ++count) {
      const std::string name = workload::revision_name(set.meta.name, patch::revision_hash((*wanted)->revision_data(), count));
      const auto holder = stores_.revisions.get({set.meta.ns, name});
      if (holder == nullptr) break;
      observed.name_holders.push_back(holder);
    }
  }
  if (stores_.nodes != nullptr && set.spec.template_.text.find("topologySpreadConstraints") != std::string::npos) {
    observed.nodes = stores_.nodes->all();
    std::ranges::sort(observed.nodes, {}, [](const api::NodePtr& node) { return std::string_view(node->meta.name); });
  }
  for (const auto& id : free_instance_ids(observed.pods, observed.claims)) {
    const auto pod = stores_.pods.get({set.meta.ns, set.meta.name + "-" + id});
    if (pod && !pod->owned_by(set.meta.uid)) observed.foreign_pods.push_back(pod);
  }
  return observed;
}

std::optional<runtime::Reconciler::PlanFunction> CloneSetReconciler::observe(const api::Key& key) {
  auto set = stores_.sets.get(key);
  if (set == nullptr) return std::nullopt;
  return [set, seen = std::make_shared<const Observed>(observed(*set))](const runtime::Context& context) {
    return plan(*set, *seen, context);
  };
}

std::unique_ptr<runtime::Reconciler> make_cloneset_reconciler(Stores stores, Options options) {
  return std::make_unique<CloneSetReconciler>(stores, options);
}

}  // namespace kruise::controllers::cloneset
