#include "controllers/cloneset/update.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "api/names.hpp"
#include "controllers/cloneset/refresh.hpp"
#include "patch/revision.hpp"
#include "workload/in_place.hpp"
#include "workload/lifecycle.hpp"
#include "workload/readiness.hpp"
#include "workload/update_order.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Event;
using runtime::Reason;
using State = workload::LifecycleState;

void held(runtime::Plan& plan, const PodFacts& pod, std::string rule, std::string text) {
  plan.reasons.push_back({Reason::Verdict::kHeld, std::string(pod.pod->name()), std::move(rule), "held: " + std::move(text)});
}

/// Whether both say which claim templates they were made with, and say different ones.
bool claim_templates_differ(const api::Revision& a, const api::Revision& b) {
  const auto x = a.meta.annotations.find(api::kAnnotationClaimTemplateHash);
  const auto y = b.meta.annotations.find(api::kAnnotationClaimTemplateHash);
  return x != a.meta.annotations.end() && y != b.meta.annotations.end() && x->second != y->second;
}

workload::InPlaceTarget in_place_target(const Pass& pass, const workload::RevisionView& revision) {
  workload::InPlaceTarget target{
      .revision = revision.name(),
      .revision_label = pass.revision_label(revision.name()),
      .grace_seconds = pass.set.spec.update_strategy.in_place_update_strategy.grace_period_seconds.value_or(0)};
  if (revision.parsed == nullptr) return target;  // nothing can be updated to it
  target.wanted.images = revision.parsed->images();
  if (pass.gates.enabled(runtime::Gate::kInPlaceUpdateEnvFromMetadata)) target.wanted.env = revision.parsed->metadata_env();
  return target;
}

/// The move of pods to one target revision.
class Move {
 public:
  Move(Pass& pass, const Numbers& numbers, Refreshed& refreshed, runtime::Plan& plan)
      : pass_(pass),
        numbers_(numbers),
        refreshed_(refreshed),
        plan_(plan),
        target_(numbers.update > 0 ? pass.update : pass.current),
        in_place_(in_place_target(pass, pass.revisions[target_])) {}

  /// Adds a step with the writes; absent when no pod failed.
  [[nodiscard]] std::optional<std::string> run();

 private:
  [[nodiscard]] bool is_candidate(std::size_t i) const;
  [[nodiscard]] std::vector<std::size_t> ordered_candidates() const;
  /// What leads from a pod's revision to the target in place, or why nothing does. Worked out once a revision.
  [[nodiscard]] const base::Result<workload::InPlaceChange, std::string>& change_from(std::int32_t revision);
  void hold_the_rest(std::span<const std::size_t>);
  void update_pod(std::size_t i);
  void update_in_place(std::size_t i, const workload::InPlaceChange&);
  void wait_for_hook(std::size_t i, const workload::Hook& hook, bool put_back);
  void start(std::size_t i, const workload::InPlaceChange&);
  void name_for_deletion(std::size_t i, const std::string& why);
  void add(runtime::Chain, std::string_view succeeded, std::string_view failed, const PodFacts&);
  void fail(const PodFacts&, const std::string& why);
  /// The pod's own patch of this pass, which an update takes over so that there is one write.
  [[nodiscard]] workload::PodPatch take_patch(std::size_t i);

  Pass& pass_;
  const Numbers& numbers_;
  Refreshed& refreshed_;
  runtime::Plan& plan_;
  const std::size_t target_;
  const workload::InPlaceTarget in_place_;
  std::map<std::int32_t, base::Result<workload::InPlaceChange, std::string>> changes_;
  runtime::Step step_;
  std::optional<std::string> error_;
};

bool Move::is_candidate(std::size_t i) const {
  const PodFacts& pod = pass_.pods[i];
  const bool elsewhere = numbers_.update > 0 ? !pod.at_update : pod.at_update;
  return elsewhere && pod.state != State::kPreparingDelete;
}

std::vector<std::size_t> Move::ordered_candidates() const {
  std::vector<std::size_t> order;
  std::vector<workload::Rank> ranks(pass_.pods.size());
  std::vector<const api::Pod*> pods;
  pods.reserve(pass_.pods.size());
  for (std::size_t i = 0; i < pass_.pods.size(); ++i) {
    pods.push_back(pass_.pods[i].pod);
    if (!is_candidate(i)) continue;
    order.push_back(i);
    ranks[i] = workload::rank_of(*pass_.pods[i].pod, pass_.pods[i].available);
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return workload::updated_before(ranks[a], ranks[b]); });
  const auto& strategy = pass_.set.spec.update_strategy;
  workload::sort_by_priority(order, pods, strategy.priority_strategy);
  if (!strategy.scatter_strategy.empty()) order = workload::scatter_by_terms(std::move(order), pods, strategy.scatter_strategy);
  std::ranges::stable_partition(order, [&](std::size_t i) { return pass_.pods[i].state == State::kPreparingUpdate; });
  return order;
}

const base::Result<workload::InPlaceChange, std::string>& Move::change_from(std::int32_t revision) {
  const auto known = changes_.find(revision);
  if (known != changes_.end()) return known->second;
  const auto& wanted = pass_.revisions[target_].parsed;
  auto change = [&]() -> base::Result<workload::InPlaceChange, std::string> {
    if (revision == PodFacts::kUnknownRevision) return std::string("its revision is unknown");
    const auto& stored = pass_.revisions[static_cast<std::size_t>(revision)];
    if (stored.parsed == nullptr || wanted == nullptr) return std::string("its revision cannot be read");
    if (pass_.type != UpdateType::kInPlaceOnly && pass_.gates.enabled(runtime::Gate::kRecreatePodWhenChangeVCTInCloneSetGate) &&
        claim_templates_differ(*stored.object, *pass_.revisions[target_].object)) {
      return std::string("spec.volumeClaimTemplates differs");
    }
    return wanted->change_from(*stored.parsed, patch::writer_level(stored.object->meta.annotations));
  };
  return changes_.emplace(revision, change()).first->second;
}

std::optional<std::string> Move::run() {
  const auto order = ordered_candidates();
  const auto kept = std::min(order.size(), static_cast<std::size_t>(std::abs(numbers_.update)));
  std::int64_t bad = 0;
  std::int64_t bad_at_target = 0;
  for (const PodFacts& pod : pass_.pods) {
    if (pod.available) continue;
    ++bad;
    bad_at_target += (numbers_.update > 0 ? pod.at_update : pod.at_current) ? 1 : 0;
  }

  const std::string budget =
      "maxUnavailable " + std::to_string(pass_.targets.max_unavailable) + " of " + std::to_string(pass_.targets.replicas) +
      (numbers_.update_max == pass_.targets.max_unavailable ? std::string()
                                                            : " with " + std::to_string(pass_.pods.size()) + " pods present");
  std::int64_t taken = 0;
  std::size_t next = 0;
  std::string stopped;
  for (; next < kept; ++next) {
    const PodFacts& pod = pass_.pods[order[next]];
    if (bad_at_target + taken >= numbers_.update_max) {
      stopped = "maxUnavailable " + std::to_string(bad_at_target + taken) + "/" + std::to_string(numbers_.update_max) +
                " used at the new revision (" + budget + ")";
      break;
    }
    if (pod.available) {
      if (bad >= numbers_.update_max) {
        stopped = "maxUnavailable " + std::to_string(bad) + "/" + std::to_string(numbers_.update_max) + " used (" + budget + ")";
        break;
      }
      ++bad;
    }
    ++taken;
    update_pod(order[next]);
  }
  if (!stopped.empty()) {
    const std::string users = pass_.unavailable_pods();
    if (!users.empty()) stopped += " by " + users;
    for (std::size_t i = next; i < kept; ++i) held(plan_, pass_.pods[order[i]], "maxUnavailable", stopped);
  }
  hold_the_rest(std::span(order).subspan(kept));
  if (!step_.chains.empty()) plan_.steps.push_back(std::move(step_));
  return error_;
}

void Move::hold_the_rest(std::span<const std::size_t> rest) {
  if (rest.empty()) return;
  const auto staying = static_cast<std::int64_t>(rest.size());
  const bool by_partition = numbers_.update > 0 && staying <= pass_.targets.partition;
  const std::string text = by_partition ? "partition " + std::to_string(pass_.targets.partition) + " of " +
                                              std::to_string(pass_.targets.replicas) + " keeps the old revision"
                                        : "only " + std::to_string(std::abs(numbers_.update)) +
                                              " more pods have to move, extra pods take the place of the others";
  for (const std::size_t i : rest) held(plan_, pass_.pods[i], by_partition ? "partition" : "surge", text);
}

void Move::update_pod(std::size_t i) {
  const PodFacts& pod = pass_.pods[i];
  if (refreshed_.patches[i] && refreshed_.patches[i]->has_labels() && pod.state != State::kPreparingNormal) {
    held(plan_, pod, "lifecycle", "its lifecycle state changes first");
    return;
  }
  if (pass_.type == UpdateType::kReCreate) return name_for_deletion(i, "type ReCreate");
  const auto& change = change_from(pod.revision);
  if (change.ok()) return update_in_place(i, *change);
  if (refreshed_.in_grace[i]) return held(plan_, pod, "grace", "replaced once its grace period is over: " + change.error());
  if (pass_.type == UpdateType::kInPlaceOnly) return fail(pod, "cannot be updated in place: " + change.error());
  name_for_deletion(i, change.error());
}

void Move::update_in_place(std::size_t i, const workload::InPlaceChange& change) {
  const PodFacts& pod = pass_.pods[i];
  const auto& lifecycle = pass_.set.spec.lifecycle;
  const std::optional<workload::Hook> hook = lifecycle ? lifecycle->in_place_update : std::nullopt;
  switch (pod.state) {
    case State::kAbsent:
    case State::kNormal:
    case State::kPreparingNormal:
      return workload::is_hooked(hook, *pod.pod) ? wait_for_hook(i, *hook, false) : start(i, change);
    case State::kPreparingUpdate:
      return workload::is_hooked(hook, *pod.pod) ? void() : start(i, change);  // refresh told what it waits for
    case State::kUpdating:
      return start(i, change);
    case State::kUpdated:
      return hook ? wait_for_hook(i, *hook, true) : held(plan_, pod, "lifecycle", "its lifecycle state changes first");
    case State::kPreparingDelete:
    case State::kOther:
      return fail(pod,
                  "may not be updated in lifecycle state " + std::string(pod.pod->label(api::kLabelLifecycleState).value_or("")));
  }
}

void Move::wait_for_hook(std::size_t i, const workload::Hook& hook, bool put_back) {
  const PodFacts& pod = pass_.pods[i];
  workload::PodPatch patch = take_patch(i);
  if (put_back) {
    // An updated pod was released before: the next update asks again, so its marks come back with the state.
    for (const auto& [key, value] : hook.labels_handler) patch.set_label(key, value);
    for (const auto& name : hook.finalizers_handler) patch.add_finalizer(name);
  }
  patch.set_state(State::kPreparingUpdate, pass_.now);
  if (hook.mark_pod_not_ready) workload::hold_ready(*pod.pod, workload::kPreUpdateHold, pass_.now, patch);
  step_.chains.push_back({patch.write("set state PreparingUpdate")});
  plan_.reasons.push_back(
      {Reason::Verdict::kActing, std::string(pod.pod->name()), "lifecycle", "asks its update hook before it is updated"});
}

void Move::start(std::size_t i, const workload::InPlaceChange& change) {
  const PodFacts& pod = pass_.pods[i];
  runtime::Chain chain;
  if (refreshed_.in_grace[i]) {
    const auto grace = workload::InPlaceGrace::parse(*workload::in_place_grace_text(*pod.pod));
    if (!grace) return fail(pod, grace.error());
    chain = workload::overtake_grace(*pod.pod, *grace, change, in_place_, pass_.now);
  } else {
    chain = workload::start_in_place(*pod.pod, change, in_place_, pass_.now);
    wish(plan_.requeue, std::chrono::seconds(in_place_.grace_seconds));
  }
  refreshed_.patches[i].reset();  // what it would have made ready is updated instead
  plan_.reasons.push_back({Reason::Verdict::kActing, std::string(pod.pod->name()), "update",
                           "updating in place to " + in_place_.revision + ": " + chain.back().purpose});
  add(std::move(chain), "SuccessfulUpdatePodInPlace", "FailedUpdatePodInPlace", pod);
}

void Move::name_for_deletion(std::size_t i, const std::string& why) {
  const PodFacts& pod = pass_.pods[i];
  if (pod.pod->label(api::kLabelSpecifiedDelete)) return held(plan_, pod, "delete", "to be replaced, its deletion is under way");
  workload::PodPatch patch = take_patch(i);
  patch.set_label(api::kLabelSpecifiedDelete, "true");
  plan_.reasons.push_back({Reason::Verdict::kActing, std::string(pod.pod->name()), "update", "replacing: " + why});
  add({patch.write("name for deletion")}, "SuccessfulUpdatePodReCreate", "FailedUpdatePodReCreate", pod);
}

void Move::add(runtime::Chain chain, std::string_view succeeded, std::string_view failed, const PodFacts& pod) {
  const std::string subject = "pod " + std::string(pod.pod->name()) + " to revision " + pass_.revisions[target_].name();
  for (auto& write : chain) write.on_failure = Event{Event::Type::kWarning, std::string(failed), "failed to update " + subject};
  chain.back().on_success = Event{Event::Type::kNormal, std::string(succeeded), "updated " + subject};
  step_.chains.push_back(std::move(chain));
}

void Move::fail(const PodFacts& pod, const std::string& why) {
  const std::string text = "pod " + std::string(pod.pod->name()) + " " + why;
  plan_.reasons.push_back({Reason::Verdict::kInvalid, std::string(pod.pod->name()), "update", text});
  if (!error_) error_ = text;
}

workload::PodPatch Move::take_patch(std::size_t i) {
  workload::PodPatch patch = refreshed_.patches[i] ? std::move(*refreshed_.patches[i]) : workload::PodPatch(*pass_.pods[i].pod);
  refreshed_.patches[i].reset();
  return patch;
}

void hold_all(const Pass& pass, std::string_view rule, const std::string& text, runtime::Plan& plan) {
  for (const PodFacts& pod : pass.pods) {
    if (!pod.at_update) held(plan, pod, std::string(rule), text);
  }
}

}  // namespace

Outcome update(Pass& pass, runtime::Plan& plan) {
  const Numbers numbers = pass.numbers(Pass::Phase::kUpdate);
  Refreshed refreshed = refresh(pass, numbers, plan);
  std::optional<std::string> error = refreshed.error;
  runtime::Plan moved;
  if (pass.set.spec.update_strategy.paused) {
    hold_all(pass, "paused", "the update is paused", plan);
  } else if (pass.type == UpdateType::kOnDelete) {
    hold_all(pass, "OnDelete", "updated when somebody deletes it", plan);
  } else if (numbers.update == 0) {
    hold_all(pass, "partition",
             "partition " + std::to_string(pass.targets.partition) + " of " + std::to_string(pass.targets.replicas) +
                 " keeps the old revision",
             plan);
  } else if (auto failed = Move(pass, numbers, refreshed, moved).run(); failed && !error) {
    error = std::move(failed);
  }
  commit(refreshed, plan);
  plan.reasons.insert(plan.reasons.end(), std::make_move_iterator(moved.reasons.begin()),
                      std::make_move_iterator(moved.reasons.end()));
  if (moved.requeue) wish(plan.requeue, *moved.requeue);
  const bool changed = !moved.steps.empty() || !plan.steps.empty();
  plan.steps.insert(plan.steps.end(), std::make_move_iterator(moved.steps.begin()), std::make_move_iterator(moved.steps.end()));
  return {.changed = changed, .error = std::move(error)};
}

}  // namespace kruise::controllers::cloneset
