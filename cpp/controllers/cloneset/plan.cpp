#include "controllers/cloneset/plan.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "base/json_writer.hpp"
#include "controllers/cloneset/claims.hpp"
#include "controllers/cloneset/instance_ids.hpp"
#include "controllers/cloneset/pod_builder.hpp"
#include "controllers/cloneset/progress.hpp"
#include "controllers/cloneset/scale.hpp"
#include "controllers/cloneset/status.hpp"
#include "controllers/cloneset/update.hpp"
#include "controllers/cloneset/validate.hpp"
#include "patch/revision.hpp"
#include "workload/ownership.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Event;
using runtime::Plan;
using runtime::Reason;

constexpr std::int64_t kDefaultHistoryLimit = 10;

enum class Phase : std::uint8_t { kOther, kScale, kUpdate };

bool has_failed_scale(const api::CloneSet& set, const std::string& message) {
  return std::ranges::any_of(set.status.conditions,
                             [&](const auto& c) { return c.type == kConditionFailedScale && c.message == message; });
}

/// The set cannot work: it is told so, once, and nothing else is done.
Plan refuse(const api::CloneSet& set, const std::string& fault, base::Time now) {
  Plan plan;
  api::CloneSetStatus status = set.status;
  status.observed_generation = set.meta.generation;
  set_failures(status, set.status, {.scale = fault}, now);
  if (!has_failed_scale(set, fault)) plan.events.push_back({Event::Type::kWarning, std::string(kConditionFailedScale), fault});
  plan.reasons.push_back({Reason::Verdict::kInvalid, "", "validation", "not acted upon: " + fault});
  plan.status = status_write(set, status);
  return plan;
}

/// The claim templates as one JSON list.
std::string claim_templates_text(const api::CloneSetSpec& spec) {
  std::string text;
  for (const auto& claim : spec.volume_claim_templates) text += (text.empty() ? "" : ",") + claim.text;
  return text.empty() ? std::string() : "[" + text + "]";
}

/// Finds revisions for the pass; the write, if one is needed, is the plan's first step.
std::int32_t find_revisions(Pass& pass, const Checked& checked, workload::TemplateCache& cache, Plan& plan) {
  const api::CloneSet& set = pass.set;
  auto listed = workload::list_revisions(pass.observed.revisions, set.meta.uid, checked.selector, cache);
  auto hash = patch::claim_templates_hash(claim_templates_text(set.spec));
  const workload::RevisionOwner owner{.key = set.meta.key(),
                                      .reference = controller_reference(set),
                                      .annotations = set.meta.annotations,
                                      .claim_templates_hash = hash ? std::move(*hash) : std::string()};
  auto choice =
      workload::choose_revision(checked.wanted, owner, std::move(listed), pass.observed.name_holders, set.status.collision_count);
  if (choice.write) plan.steps.push_back({{{std::move(*choice.write)}}});
  pass.revisions = std::move(choice.revisions);
  pass.update = choice.update;
  // A current revision whose template cannot be read cannot be built from either.
  const auto named = std::ranges::find_if(
      pass.revisions, [&](const auto& r) { return r.name() == set.status.current_revision && r.parsed != nullptr; });
  pass.current = named == pass.revisions.end() ? pass.update : static_cast<std::size_t>(named - pass.revisions.begin());
  return choice.collision_count;
}

/// Gathers the set's pods. Pods to be adopted or released make a pass of their own; true when there are any.
bool claim_pods(Pass& pass, const api::Selector& selector, Plan& plan) {
  const api::CloneSet& set = pass.set;
  const bool being_deleted = set.meta.deletion_timestamp.has_value();
  runtime::Step step;
  for (const auto& pod : pass.observed.pods) {
    if (!workload::is_active(*pod)) continue;
    switch (workload::ownership_of(*pod, set.meta.uid, selector, being_deleted)) {
      case workload::Ownership::kOwned:
        pass.add(*pod);
        break;
      case workload::Ownership::kAdopt:
        pass.add(*pod);
        step.chains.push_back({workload::adopt(*pod, controller_reference(set))});
        plan.reasons.push_back({Reason::Verdict::kActing, std::string(pod->name()), "ownership", "adopting"});
        break;
      case workload::Ownership::kRelease:
        step.chains.push_back({workload::release(*pod, set.meta.uid)});
        plan.reasons.push_back(
            {Reason::Verdict::kActing, std::string(pod->name()), "ownership", "releasing: the selector no longer matches"});
        break;
      case workload::Ownership::kForeign:
        break;
    }
  }
  if (step.chains.empty()) return false;
  plan.steps.push_back(std::move(step));
  return true;
}

/// Takes names out of podsToDelete whose pods are gone. The list as it was seen is the precondition.
void forget_deleted_pods(const Pass& pass, Plan& plan) {
  const auto& names = pass.set.spec.scale_strategy.pods_to_delete;
  const auto exists = [&](const std::string& name) {
    return std::ranges::any_of(pass.pods, [&](const PodFacts& p) { return p.pod->name() == name; });
  };
  if (std::ranges::all_of(names, exists)) return;
  runtime::Write write;
  write.verb = runtime::Write::Verb::kPatch;
  write.resource = &api::kCloneSets;
  write.key = pass.set.meta.key();
  write.patch_type = client::PatchType::kJson;
  write.purpose = "forget deleted pods in podsToDelete";
  write.not_found_is_success = true;
  constexpr std::string_view kPath = "/spec/scaleStrategy/podsToDelete";
  base::JsonWriter w;
  w.begin_array();
  w.begin_object()
      .key("op")
      .string("test")
      .key("path")
      .string("/metadata/uid")
      .key("value")
      .string(pass.set.meta.uid)
      .end_object();
  w.begin_object().key("op").string("test").key("path").string(kPath).key("value").begin_array();
  for (const auto& name : names) w.string(name);
  w.end_array().end_object();
  w.begin_object().key("op").string("replace").key("path").string(kPath).key("value").begin_array();
  for (const auto& name : names) {
    if (exists(name)) w.string(name);
  }
  w.end_array().end_object().end_array();
  write.body = std::move(w).text();
  plan.cleanup.push_back(std::move(write));
}

void trim_revisions(const Pass& pass, Plan& plan) {
  std::vector<bool> live(pass.revisions.size());
  live[pass.update] = true;
  live[pass.current] = true;
  for (const PodFacts& pod : pass.pods) {
    if (pod.revision != PodFacts::kUnknownRevision) live[static_cast<std::size_t>(pod.revision)] = true;
  }
  // Pods that no longer count keep their revision while they are there.
  for (const auto& pod : pass.observed.pods) {
    if (workload::is_active(*pod)) continue;
    for (std::size_t i = 0; i < live.size(); ++i) {
      if (!live[i] && workload::is_at(*pod, pass.revisions[i].name())) live[i] = true;
    }
  }
  auto writes = workload::trim_history(pass.revisions, live, pass.set.spec.revision_history_limit.value_or(kDefaultHistoryLimit));
  std::ranges::move(writes, std::back_inserter(plan.cleanup));
}

/// No event tells that a ready pod has been ready for long enough.
void wish_for_young_pods(const Pass& pass, Plan& plan) {
  const std::chrono::seconds needed(pass.min_ready_seconds());
  if (needed.count() <= 0) return;
  for (const PodFacts& pod : pass.pods) {
    if (!pod.ready || pod.available || !workload::in_service(pod.state)) continue;
    const auto ready = pod.pod->condition(api::kConditionReady);
    if (ready && ready->last_transition)
      wish(plan.requeue, *ready->last_transition + needed - pass.now + std::chrono::milliseconds(1));
  }
}

void add_status(const Pass& pass, const api::CloneSetStatus& counts, const Failures& failures, Phase phase, Plan& plan) {
  api::CloneSetStatus wanted = counts;
  set_failures(wanted, pass.set.status, failures, pass.now);
  set_progressing(pass, wanted, plan);
  const auto progressing = std::ranges::find(wanted.conditions, kConditionProgressing, &api::CloneSetCondition::type);
  plan.status = status_write(pass.set, wanted);
  plan.status_may_wait = is_interim(pass, wanted);
  if (plan.steps.empty()) return;
  // `act` may outlive this pass, so it gets copies.
  std::vector<api::CloneSetCondition> progress(progressing, wanted.conditions.end());
  plan.status_after_error = [set = pass.set, counts, failures, progress = std::move(progress), phase,
                             now = pass.now](const client::ApiError& error) {
    Failures after = failures;
    // New names are drawn in each pass: with them the condition would change, and wake the controller, for ever.
    if (phase == Phase::kScale && !after.scale) after.scale = with_ids_masked(error.text(), set.meta.name);
    if (phase == Phase::kUpdate && !after.update) after.update = error.text();
    api::CloneSetStatus status = counts;
    set_failures(status, set.status, after, now);
    std::erase_if(status.conditions, [](const auto& c) { return c.type == kConditionProgressing; });
    status.conditions.insert(status.conditions.end(), progress.begin(), progress.end());
    return status_write(set, status);
  };
}

}  // namespace

Plan plan(const api::CloneSet& set, const Observed& observed, const runtime::Context& context) {
  workload::TemplateCache own_cache;
  workload::TemplateCache& cache = observed.templates ? *observed.templates : own_cache;
  auto checked = check(set, cache);
  if (!checked) return refuse(set, checked.error(), context.now);

  Plan plan;
  const bool clean = set.spec.scale_strategy.disable_pvc_reuse && !set.meta.deletion_timestamp;
  std::optional<Observed> cleaned;
  if (clean) cleaned.emplace(observed).claims = clean_claims(set, observed, plan);
  Pass pass(set, cleaned ? *cleaned : observed, context);
  pass.targets = checked->targets;
  pass.type = checked->type;
  const std::int32_t collisions = find_revisions(pass, *checked, cache, plan);
  const bool claims = claim_pods(pass, checked->selector, plan);
  const api::CloneSetStatus counts = status_of(pass, checked->selector.text(), collisions);

  Failures failures;
  Phase phase = Phase::kOther;
  if (set.meta.deletion_timestamp) {
    plan.reasons.push_back({Reason::Verdict::kHeld, "", "deletion", "held: the set is being deleted"});
  } else if (!claims) {
    phase = Phase::kScale;
    Outcome scaled = scale(pass, plan);
    failures.scale = std::move(scaled.error);
    if (!scaled.changed) {
      phase = Phase::kUpdate;
      Outcome updated = update(pass, plan);
      failures.update = std::move(updated.error);
      plan.error = failures.update;
    }
  }
  if (failures.scale && !has_failed_scale(set, *failures.scale))
    plan.events.push_back({Event::Type::kWarning, "FailedCreate", *failures.scale});
  plan.objects = observed.pods.size() + observed.claims.size() + observed.revisions.size();
  add_status(pass, counts, failures, phase, plan);
  forget_deleted_pods(pass, plan);
  trim_revisions(pass, plan);
  wish_for_young_pods(pass, plan);
  return plan;
}

}  // namespace kruise::controllers::cloneset
