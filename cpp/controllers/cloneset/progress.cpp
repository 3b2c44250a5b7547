#include "controllers/cloneset/progress.hpp"

#include <algorithm>
#include <limits>

namespace kruise::controllers::cloneset {
namespace {

using runtime::Reason;

constexpr std::int32_t kNoDeadline = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kAvailable = "CloneSetAvailable";
constexpr std::string_view kPaused = "CloneSetPaused";
constexpr std::string_view kPartitionAvailable = "ProgressPartitionAvailable";
constexpr std::string_view kUpdated = "CloneSetUpdated";
constexpr std::string_view kExceeded = "ProgressDeadlineExceeded";

struct Verdict {
  std::string_view reason;
  std::string message;
};

/// What holds whatever the time is; empty while a rollout is under way.
Verdict settled_verdict(const Pass& pass, const api::CloneSetStatus& now) {
  const auto replicas = static_cast<std::int32_t>(pass.targets.replicas);
  if (now.current_revision == now.update_revision && now.replicas == replicas && now.updated_replicas == replicas &&
      now.updated_available_replicas == replicas) {
    return {kAvailable, "all " + std::to_string(replicas) + " pods are at revision " + now.update_revision + " and available"};
  }
  if (pass.set.spec.update_strategy.paused) return {kPaused, "the update is paused"};
  if (now.expected_updated_replicas < replicas && now.expected_updated_replicas <= now.updated_available_replicas) {
    return {kPartitionAvailable, std::to_string(now.updated_available_replicas) +
                                     " pods are updated and available, the partition asks for " +
                                     std::to_string(now.expected_updated_replicas)};
  }
  return {};
}

/// The rollout that the condition speaks of is another one than this.
bool starts_over(const api::CloneSetStatus& before, const api::CloneSetStatus& now) {
  return before.update_revision != now.update_revision || before.expected_updated_replicas != now.expected_updated_replicas;
}

}  // namespace

void set_progressing(const Pass& pass, api::CloneSetStatus& wanted, runtime::Plan& plan) {
  const auto& before = pass.set.status;
  const auto old = std::ranges::find(before.conditions, kConditionProgressing, &api::CloneSetCondition::type);
  std::erase_if(wanted.conditions, [](const auto& c) { return c.type == kConditionProgressing; });
  const std::int32_t deadline_s = pass.set.spec.progress_deadline_seconds.value_or(kNoDeadline);
  if (deadline_s == kNoDeadline) return;
  const std::chrono::seconds deadline(deadline_s);

  Verdict verdict = settled_verdict(pass, wanted);
  // The time that a deadline runs from is that of an update under way, not of what was before it.
  const bool continues =
      old != before.conditions.end() && !starts_over(before, wanted) && (old->reason == kUpdated || old->reason == kExceeded);
  const base::Time since = continues ? old->last_update_time.value_or(old->last_transition_time.value_or(pass.now)) : pass.now;
  if (verdict.reason.empty() && continues && (old->reason == kExceeded || since + deadline < pass.now)) {
    verdict = {kExceeded, "the update to revision " + wanted.update_revision + " is not done after progressDeadlineSeconds " +
                              std::to_string(deadline_s)};
    plan.reasons.push_back(
        {Reason::Verdict::kHeld, "", "progressDeadlineSeconds", "late: " + verdict.message + "; its pods are treated as before"});
  } else if (verdict.reason.empty()) {
    verdict = {kUpdated, "the update to revision " + wanted.update_revision + " is under way"};
    wish(plan.requeue, since + deadline - pass.now + std::chrono::seconds(1));
  }

  api::CloneSetCondition condition;
  condition.type = kConditionProgressing;
  condition.status = verdict.reason == kExceeded ? "False" : "True";
  condition.reason = verdict.reason;
  condition.message = std::move(verdict.message);
  condition.last_transition_time = pass.now;
  condition.last_update_time = pass.now;
  if (old != before.conditions.end() && old->status == condition.status) {
    condition.last_transition_time = old->last_transition_time;
    const bool same = old->reason == condition.reason && (continues || condition.reason != kUpdated);
    if (same) condition = *old;
  }
  wanted.conditions.push_back(std::move(condition));
}

}  // namespace kruise::controllers::cloneset
