#include "controllers/cloneset/claims.hpp"

#include <map>

#include "api/decode.hpp"
#include "api/names.hpp"
#include "base/json_writer.hpp"
#include "workload/pod_state.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Event;
using runtime::Reason;
using runtime::Write;

constexpr std::string_view kRule = "disablePVCReuse";

Write claim_write(const api::Claim& claim, Write::Verb verb, std::string purpose, std::string failed, std::string failure) {
  Write write;
  write.verb = verb;
  write.resource = &api::kClaims;
  write.key = claim.meta.key();
  write.uid = claim.meta.uid;
  write.purpose = std::move(purpose);
  write.not_found_is_success = true;
  write.on_failure = Event{Event::Type::kWarning, std::move(failed), std::move(failure) + " claim " + claim.meta.name};
  return write;
}

/// A list of owners is merged by UID in a strategic patch, so it is replaced by a merge patch, whole.
Write hand_over(const api::Claim& claim, const api::Pod& pod, std::string_view set_uid) {
  Write write = claim_write(claim, Write::Verb::kPatch, "hand claim to its pod", "FailedUpdate", "failed to update");
  write.patch_type = client::PatchType::kMerge;
  write.resource_version = claim.meta.resource_version;
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("ownerReferences").begin_array();
  for (const auto& owner : claim.meta.owners) {
    if (owner.uid != set_uid) api::write(w, owner);
  }
  api::write(w, api::OwnerReference{"v1", "Pod", std::string(pod.name()), pod.uid(), true, true});
  w.end_array().end_object().end_object();
  write.body = std::move(w).text();
  return write;
}

}  // namespace

Write claim_deletion(const api::Claim& claim, std::string purpose) {
  return claim_write(claim, Write::Verb::kDelete, std::move(purpose), "FailedDelete", "failed to delete");
}

std::vector<api::ClaimPtr> clean_claims(const api::CloneSet& set, const Observed& observed, runtime::Plan& plan) {
  std::map<std::string_view, const api::Pod*> by_id;  // an active pod before one that has ended
  for (const auto& pod : observed.pods) {
    const auto id = pod->label(api::kLabelInstanceId);
    if (!id || id->empty()) continue;
    const api::Pod*& known = by_id[*id];
    if (known == nullptr || workload::is_active(*pod)) known = pod.get();
  }
  std::vector<api::ClaimPtr> kept;
  runtime::Step step;
  for (const auto& claim : observed.claims) {
    const auto label = claim->meta.labels.find(api::kLabelInstanceId);
    const auto pod = label == claim->meta.labels.end() ? by_id.end() : by_id.find(std::string_view(label->second));
    if (claim->meta.deletion_timestamp || (pod != by_id.end() && workload::is_active(*pod->second))) {
      kept.push_back(claim);
      continue;
    }
    const bool ended = pod != by_id.end();
    step.chains.push_back(
        {ended ? hand_over(*claim, *pod->second, set.meta.uid) : claim_deletion(*claim, "delete claim without a pod")});
    plan.reasons.push_back({Reason::Verdict::kActing, claim->meta.name, std::string(kRule),
                            ended ? "goes with pod " + std::string(pod->second->name()) + ", which has ended"
                                  : "deleting: no pod has it, and none shall take it over"});
  }
  if (!step.chains.empty()) plan.steps.push_back(std::move(step));
  return kept;
}

}  // namespace kruise::controllers::cloneset
