// Instance ids: what a pod and its claims have in common, and what makes a new pod take over the claims of one that is gone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "controllers/cloneset/plan.hpp"

namespace kruise::controllers::cloneset {

struct InstanceId {
  std::string id;
  /// A pod of the id's name is still terminating: its successor, which takes over its claims, has to wait.
  bool waits = false;
};

/// Ids for `count` new pods of the set `name`, in order: ids of claims without a pod first, then fresh ones.
[[nodiscard]] std::vector<InstanceId> choose_instance_ids(std::string_view name, const Observed&, std::size_t count,
                                                          base::Random&);

/// Ids of claims that no active pod has, in order: those whose claims a new pod would take over.
[[nodiscard]] std::vector<std::string> free_instance_ids(const std::vector<api::PodPtr>& pods,
                                                         const std::vector<api::ClaimPtr>& claims);

/// The text with the ids in names of the set's pods and claims as `*`: two failures to create pods read alike.
[[nodiscard]] std::string with_ids_masked(std::string_view text, std::string_view set_name);

}  // namespace kruise::controllers::cloneset
