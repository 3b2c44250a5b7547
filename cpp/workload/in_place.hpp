// The in-place engine: changes images and metadata of a running pod and knows when the pod has taken them. Shared by all
// workloads that update in place.
//
//     NotReady (status patch) -> spec patch, or grace annotation and the spec patch later -> containers restart -> spec patch of
//     the next batch of containers, if any -> ... -> Ready (status patch)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/pod.hpp"
#include "runtime/plan.hpp"
#include "workload/in_place_batch.hpp"
#include "workload/in_place_state.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::workload {

/// What leads from one template to another where that is possible in place.
struct InPlaceChange {
  std::map<std::string, std::string, std::less<>> images{};  // container -> new image
  MetadataPatch metadata{};
  bool operator==(const InPlaceChange&) const = default;
};

/// What the target revision's template says that a change from one revision does not. Outlives the calls.
struct InPlaceTemplate {
  std::map<std::string, std::string, std::less<>> images{};
  /// Empty where containers are not to be restarted for their variables.
  TemplateEnv env{};
};

struct InPlaceTarget {
  std::string revision{};        // name of the revision object
  std::string revision_label{};  // value of controller-revision-hash: the name, or its hash where labels are short
  std::int64_t grace_seconds = 0;
  InPlaceTemplate wanted{};
};

/// Starts an update: makes the pod NotReady, then writes label, lifecycle state, annotations and change in one patch that takes
/// the version the first write answered as precondition. A pod seen NotReady needs no first write: the version it was seen at
/// proves it. What an update before has left for later batches becomes part of this one. The caller may add to the last write
/// (events).
[[nodiscard]] runtime::Chain start_in_place(const api::Pod&, const InPlaceChange&, const InPlaceTarget&, base::Time now);

/// The same for a pod that waits out the grace period of an update that is no longer wanted: `grace` never happened, `change`
/// leads from its revision to the wanted one and is applied at once, since the pod is NotReady already.
[[nodiscard]] runtime::Chain overtake_grace(const api::Pod&, const InPlaceGrace&, const InPlaceChange& change,
                                            const InPlaceTarget&, base::Time now);

struct Completeness {
  bool complete = true;
  std::string why{};                        // what is missing, for people
  std::optional<base::Duration> recheck{};  // no event will tell: look again after this
};

/// What the engine found out about a pod, and what it put into the pod's patch.
struct InPlaceProgress {
  Completeness completeness{};
  bool in_grace = false;                 // its change is held back, or was until now
  std::optional<base::Duration> wait{};  // rest of the grace period, whole seconds
  std::optional<std::string> error{};    // an annotation that cannot be read; nothing is patched
  std::string purpose{};                 // of what was patched, for people; empty for readiness
};

/// Carries an update on: ends the grace period, changes the next batch of containers, or restores readiness once all containers
/// run what they should.
[[nodiscard]] InPlaceProgress refresh_in_place(const api::Pod&, base::Time now, PodPatch&);

/// Whether all is changed and the containers run it.
[[nodiscard]] Completeness containers_complete(const api::Pod&, const InPlaceState&, base::Time now);

}  // namespace kruise::workload
