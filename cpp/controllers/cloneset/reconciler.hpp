// The shell of the CloneSet controller: looks into the caches, hands what it sees to `plan`.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "cache/store.hpp"
#include "controllers/cloneset/plan.hpp"
#include "runtime/controller.hpp"

namespace kruise::controllers::cloneset {

inline constexpr std::string_view kControllerName = "cloneset-controller";

/// The caches that a CloneSet is planned from; they outlive the controller.
struct Stores {
  cache::Reader<api::CloneSet>& sets;
  cache::Reader<api::Pod>& pods;
  cache::Reader<api::Claim>& claims;
  cache::Reader<api::Revision>& revisions;
  cache::Reader<api::Node>* nodes = nullptr;  // may be left out: then topology spread does not count in a scale-in
};

/// Lives on the stores' executor; make it before their first list.
class CloneSetReconciler final : public runtime::Reconciler {
 public:
  explicit CloneSetReconciler(Stores, Options = {});
  ~CloneSetReconciler() override;

  [[nodiscard]] std::string name() const override { return std::string(kControllerName); }
  [[nodiscard]] runtime::ObjectReference reference(const api::Key&) const override;
  [[nodiscard]] std::optional<PlanFunction> observe(const api::Key&) override;
  /// What `observe` would hand to the plan; for those who plan themselves (explain).
  [[nodiscard]] Observed observed(const api::CloneSet&) const;

 private:
  struct Orphans;  // revisions that nobody controls, by namespace

  Stores stores_;
  Options options_;
  std::shared_ptr<Orphans> orphans_;
  std::shared_ptr<workload::TemplateCache> templates_;
};

[[nodiscard]] std::unique_ptr<runtime::Reconciler> make_cloneset_reconciler(Stores, Options = {});

}  // namespace kruise::controllers::cloneset
