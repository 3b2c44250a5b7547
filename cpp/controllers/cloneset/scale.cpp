#include "controllers/cloneset/scale.hpp"
#include "controllers/cloneset/claims.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "api/names.hpp"
#include "controllers/cloneset/instance_ids.hpp"
#include "controllers/cloneset/pod_builder.hpp"
#include "workload/lifecycle.hpp"
#include "workload/pod_patch.hpp"
#include "workload/ranking.hpp"
#include "workload/readiness.hpp"
#include "workload/spread.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Event;
using runtime::Reason;
using State = workload::LifecycleState;

void held(runtime::Plan& plan, std::string_view object, std::string rule, std::string text) {
  plan.reasons.push_back({Reason::Verdict::kHeld, std::string(object), std::move(rule), "held: " + std::move(text)});
}

/// Deletes pods in one step, each with its claims, or asks the user's hook first.
class Deletion {
 public:
  Deletion(Pass& pass, runtime::Plan& plan) : pass_(pass), plan_(plan) {}

  void remove(const PodFacts& pod, const std::string& why) {
    const auto& hook = pass_.set.spec.lifecycle ? pass_.set.spec.lifecycle->pre_delete : no_hook_;
    if (workload::is_hooked(hook, *pod.pod)) {
      const std::string mark = workload::holding_mark(hook, *pod.pod);
      held(plan_, pod.pod->name(), "lifecycle", "to be deleted (" + why + ") once " + mark + " is removed");
      workload::PodPatch patch(*pod.pod);
      patch.set_state(State::kPreparingDelete, pass_.now);
      if (hook->mark_pod_not_ready) workload::hold_ready(*pod.pod, workload::kPreDeleteHold, pass_.now, patch);
      if (!patch.empty()) step_.chains.push_back({patch.write("set state PreparingDelete")});
      return;
    }
    plan_.reasons.push_back({Reason::Verdict::kActing, std::string(pod.pod->name()), "delete", "deleting: " + why});
    runtime::Chain chain{deletion(*pod.pod)};
    for (const api::Claim* claim : claims_of(*pod.pod)) chain.push_back(claim_deletion(*claim, "delete claim"));
    step_.chains.push_back(std::move(chain));
  }

  /// Puts the step into the plan; false when nothing is to be written.
  [[nodiscard]] bool commit() {
    if (step_.chains.empty()) return false;
    plan_.steps.push_back(std::move(step_));
    step_.chains.clear();
    return true;
  }

 private:
  [[nodiscard]] static runtime::Write deletion(const api::Pod& pod) {
    const std::string name(pod.name());
    auto write = workload::pod_write(pod, runtime::Write::Verb::kDelete, "delete");
    write.not_found_is_success = true;
    write.on_success = Event{Event::Type::kNormal, "SuccessfulDelete", "deleted pod " + name};
    write.on_failure = Event{Event::Type::kWarning, "FailedDelete", "failed to delete pod " + name};
    return write;
  }

  [[nodiscard]] const std::vector<const api::Claim*>& claims_of(const api::Pod& pod) {
    if (!indexed_) {
      for (const auto& claim : pass_.observed.claims) {
        const auto id = claim->meta.labels.find(api::kLabelInstanceId);
        // A pod without an id must not take claims without one along.
        if (id != claim->meta.labels.end() && !id->second.empty() && !claim->meta.deletion_timestamp)
          claims_[id->second].push_back(claim.get());
      }
      indexed_ = true;
    }
    const auto found = claims_.find(pod.label(api::kLabelInstanceId).value_or(std::string_view{}));
    return found == claims_.end() ? none_ : found->second;
  }

  Pass& pass_;
  runtime::Plan& plan_;
  runtime::Step step_;
  bool indexed_ = false;
  std::unordered_map<std::string_view, std::vector<const api::Claim*>> claims_;
  const std::vector<const api::Claim*> none_;
  const std::optional<workload::Hook> no_hook_;
};

/// Pods on their way out, by name or by state.
std::int64_t leaving(const Pass& pass) {
  return std::ranges::count_if(pass.pods, [](const PodFacts& p) { return p.planned || p.state == State::kPreparingDelete; });
}

/// Takes pods back that wait for their deletion hook and are wanted again.
bool cancel_deletions(Pass& pass, runtime::Plan& plan) {
  const auto& lifecycle = pass.set.spec.lifecycle;
  if (lifecycle) {
    for (const auto* hook : {&lifecycle->pre_delete, &lifecycle->in_place_update, &lifecycle->pre_normal}) {
      // Marking a pod as not ready cannot be taken back.
      if (*hook && (*hook)->mark_pod_not_ready) return false;
    }
  }
  std::int64_t wanted = pass.targets.replicas - static_cast<std::int64_t>(pass.pods.size()) + leaving(pass);
  runtime::Step step;
  for (const PodFacts& pod : pass.pods) {
    if (pod.state != State::kPreparingDelete || pod.planned) continue;
    if (wanted-- <= 0) break;
    workload::PodPatch patch(*pod.pod);
    patch.set_state(State::kPreparingNormal, pass.now);
    step.chains.push_back({patch.write("cancel deletion")});
    plan.reasons.push_back({Reason::Verdict::kActing, std::string(pod.pod->name()), "lifecycle",
                            "its deletion is cancelled: the pod is wanted again"});
  }
  if (step.chains.empty()) return false;
  plan.steps.push_back(std::move(step));
  return true;
}

runtime::Write creation(const api::Resource& resource, api::Key key, std::string body, std::string_view word) {
  runtime::Write write;
  write.verb = runtime::Write::Verb::kCreate;
  write.resource = &resource;
  write.on_failure = Event{Event::Type::kWarning, "FailedCreate", "failed to create " + std::string(word) + " " + key.name};
  write.key = std::move(key);
  write.body = std::move(body);
  write.purpose = "create";
  return write;
}

Outcome create_pods(Pass& pass, const Numbers& numbers, runtime::Plan& plan) {
  const auto count = static_cast<std::size_t>(numbers.create_limit);
  const auto count_old =
      pass.at_rest() ? std::size_t{0} : static_cast<std::size_t>(std::min(numbers.create_limit, numbers.create_old));
  std::unordered_set<std::string_view> existing_claims;
  for (const auto& claim : pass.observed.claims) {
    if (!claim->meta.deletion_timestamp) existing_claims.insert(claim->meta.name);
  }
  const PodBuilder new_pods(pass.set, *pass.revisions[pass.update].parsed, pass.revision_label(pass.update_name()), pass.now);
  const auto& current = pass.revisions[pass.current];
  std::optional<PodBuilder> old_pods;
  if (count_old > 0) old_pods.emplace(pass.set, *current.parsed, pass.revision_label(current.name()), pass.now);

  Outcome outcome;
  runtime::Step step;
  const auto ids = choose_instance_ids(pass.set.meta.name, pass.observed, count, pass.random);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const PodBuilder& builder = i < count_old ? *old_pods : new_pods;
    const std::string name = builder.pod_name(ids[i].id);
    if (!builder.missing_volumes().empty()) {
      outcome.error = "a pod of revision " + (i < count_old ? current.name() : pass.update_name()) + " mounts volume \"" +
                      builder.missing_volumes().front() + "\", which neither the template nor spec.volumeClaimTemplates provides";
      held(plan, name, "volumes", *outcome.error);
      continue;
    }
    if (ids[i].waits) {
      held(plan, name, "instance id", "takes over the claims of the pod of this name, which is still terminating");
      continue;
    }
    runtime::Chain chain;
    for (auto& claim : builder.claims(ids[i].id)) {
      if (existing_claims.contains(claim.name)) continue;
      chain.push_back(creation(api::kClaims, {pass.set.meta.ns, claim.name}, std::move(claim.body), "claim"));
    }
    chain.push_back(creation(api::kPods, {pass.set.meta.ns, name}, builder.pod(ids[i].id), "pod"));
    chain.back().on_success = Event{Event::Type::kNormal, "SuccessfulCreate", "created pod " + name};
    plan.reasons.push_back({Reason::Verdict::kActing, name, "create",
                            "creating at revision " + (i < count_old ? current.name() : pass.update_name())});
    step.chains.push_back(std::move(chain));
  }
  outcome.changed = !step.chains.empty();
  if (outcome.changed) plan.steps.push_back(std::move(step));
  return outcome;
}

void report_limited_creation(const Pass& pass, const Numbers& numbers, runtime::Plan& plan) {
  const std::string text = std::to_string(numbers.create) + " pods are missing, " + std::to_string(numbers.create_limit) +
                           " may be created: spec.scaleStrategy.maxUnavailable " +
                           std::to_string(pass.targets.scale_max_unavailable) + " is used by " + pass.unavailable_pods();
  plan.events.push_back({Event::Type::kWarning, "ScaleUpLimited", text});
  held(plan, "", "scaleStrategy.maxUnavailable", text);
}

/// Deletes what the budget allows: a ready pod costs one of `deletable`. A pod that is available is also held where those
/// unavailable for whatever cause, other named ones included, use up maxUnavailable and the pods above replicas.
class BudgetedDeletion {
 public:
  BudgetedDeletion(Pass& pass, runtime::Plan& plan, std::int64_t deletable)
      : pass_(pass),
        plan_(plan),
        deletion_(pass, plan),
        ready_left_(deletable),
        available_left_(pass.targets.max_unavailable + std::ranges::count(pass.pods, true, &PodFacts::available) -
                        pass.targets.replicas) {}

  void remove(const PodFacts& pod, const std::string& why) {
    const bool ready = workload::in_service(pod.state) && pod.ready;
    if (ready && (ready_left_ <= 0 || (pod.available && available_left_ <= 0))) return hold(pod, why);
    ready_left_ -= ready ? 1 : 0;
    available_left_ -= pod.available ? 1 : 0;
    deletion_.remove(pod, why);
  }
  [[nodiscard]] bool commit() { return deletion_.commit(); }

 private:
  void hold(const PodFacts& pod, const std::string& why) {
    const std::string unavailable = pass_.unavailable_pods();
    held(plan_, pod.pod->name(), "maxUnavailable",
         "to be deleted (" + why + "), but maxUnavailable " + std::to_string(pass_.targets.max_unavailable) + " of " +
             std::to_string(pass_.targets.replicas) + " with " + std::to_string(pass_.pods.size()) + " pods present is used by " +
             (unavailable.empty() ? "the deletions of this pass" : unavailable));
  }

  Pass& pass_;
  runtime::Plan& plan_;
  Deletion deletion_;
  std::int64_t ready_left_;
  std::int64_t available_left_;
};

void choose_from(const Pass& pass, bool updated, std::int64_t count, std::vector<const PodFacts*>& chosen) {
  if (count <= 0) return;
  std::vector<const PodFacts*> group;
  std::vector<workload::Rank> ranks;
  for (const PodFacts& pod : pass.pods) {
    if (pod.at_update != updated || pod.planned || pod.state == State::kPreparingDelete) continue;
    group.push_back(&pod);
    ranks.push_back(workload::rank_of(*pod.pod, pod.available));
  }
  if (static_cast<std::size_t>(count) < ranks.size()) {
    const auto labels_of = [&](std::string_view node) -> const api::StringMap* {
      const auto& nodes = pass.observed.nodes;
      const auto found =
          std::ranges::lower_bound(nodes, node, {}, [](const api::NodePtr& n) { return std::string_view(n->meta.name); });
      return found != nodes.end() && (*found)->meta.name == node ? &(*found)->meta.labels : nullptr;
    };
    workload::set_spread(ranks, pass.revisions[pass.update].parsed->topology_keys(), labels_of);
  }
  for (const std::size_t i : workload::choose_to_delete(ranks, static_cast<std::size_t>(count))) chosen.push_back(group[i]);
}

bool scale_in(Pass& pass, const Numbers& numbers, runtime::Plan& plan) {
  if (const std::int64_t waiting = leaving(pass); waiting > 0) {
    held(plan, "", "scale in",
         std::to_string(numbers.remove) + " pods are too many; " + std::to_string(waiting) + " already to be deleted go first");
    return false;
  }
  std::vector<const PodFacts*> chosen;
  const std::int64_t old = std::min(numbers.remove, numbers.remove_old);
  choose_from(pass, false, old, chosen);
  choose_from(pass, true, numbers.remove - old, chosen);
  BudgetedDeletion deletion(pass, plan, numbers.ready_deletable);
  for (const PodFacts* pod : chosen) {
    std::string why = "scaling in to " + std::to_string(pass.targets.replicas);
    if (const auto cost = pod->pod->annotation(api::kAnnotationPodDeletionCost))
      why += ", deletion cost " + std::to_string(workload::deletion_cost(*cost));
    deletion.remove(*pod, why);
  }
  return deletion.commit();
}

}  // namespace

Outcome scale(Pass& pass, runtime::Plan& plan) {
  if (leaving(pass) > 0 && cancel_deletions(pass, plan)) return {.changed = true};
  const Numbers numbers = pass.numbers(Pass::Phase::kScale);
  if (numbers.create > numbers.create_limit) report_limited_creation(pass, numbers, plan);
  if (numbers.create > 0) return create_pods(pass, numbers, plan);

  Deletion released(pass, plan);
  for (const PodFacts& pod : pass.pods) {
    if (pod.state == State::kPreparingDelete) released.remove(pod, "its deletion was decided before");
  }
  if (released.commit()) return {.changed = true};

  BudgetedDeletion named(pass, plan, numbers.ready_deletable);
  for (const PodFacts& pod : pass.pods) {
    if (pod.planned && pod.state != State::kPreparingDelete) named.remove(pod, "named for deletion");
  }
  if (named.commit()) return {.changed = true};

  return {.changed = numbers.remove > 0 && scale_in(pass, numbers, plan)};
}

}  // namespace kruise::controllers::cloneset
