// What one pass knows: the set with defaults filled in, its pods with what is asked of each looked up once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/generated/clone_set.hpp"
#include "controllers/cloneset/numbers.hpp"
#include "controllers/cloneset/plan.hpp"
#include "runtime/gates.hpp"
#include "workload/pod_state.hpp"
#include "workload/revisions.hpp"

namespace kruise::controllers::cloneset {

enum class UpdateType : std::uint8_t { kReCreate, kInPlaceIfPossible, kInPlaceOnly, kOnDelete };

/// One active pod of the set.
struct PodFacts {
  static constexpr std::int32_t kUnknownRevision = -1;

  const api::Pod* pod = nullptr;
  std::int32_t revision = kUnknownRevision;  // index into Pass::revisions
  workload::LifecycleState state = workload::LifecycleState::kAbsent;
  bool at_update = false;
  bool at_current = false;
  bool ready = false;
  bool available = false;
  bool planned = false;  // named for deletion, by label or by the set
};

/// Why a pod is not available: "not ready", "updating", ...; empty for one that is.
[[nodiscard]] std::string why_unavailable(const PodFacts&);

/// What a phase did. An error has kept it from doing something; it stands in the set's conditions.
struct Outcome {
  bool changed = false;
  std::optional<std::string> error{};
};

struct Pass {
  Pass(const api::CloneSet&, const Observed&, const runtime::Context&);

  const api::CloneSet& set;
  const Observed& observed;
  const base::Time now;
  const runtime::Gates gates;
  base::Random random;
  Targets targets;
  UpdateType type = UpdateType::kReCreate;
  std::vector<workload::RevisionView> revisions;
  std::size_t update = 0;      // index of the wanted revision
  std::size_t current = 0;     // and of the one that the partition keeps
  std::vector<PodFacts> pods;  // in order of name

  [[nodiscard]] bool at_rest() const { return update == current; }
  [[nodiscard]] std::int32_t min_ready_seconds() const { return set.spec.min_ready_seconds.value_or(0); }
  [[nodiscard]] const std::string& update_name() const { return revisions[update].name(); }
  /// What the label `controller-revision-hash` of a pod at this revision says: its name, or with short hashes its last part.
  [[nodiscard]] std::string revision_label(const std::string& revision) const;
  enum class Phase : std::uint8_t { kScale, kUpdate };
  [[nodiscard]] Numbers numbers(Phase) const;
  /// Adds the facts of a pod that is the set's. The pod must outlive the pass.
  void add(const api::Pod&);
  /// "web-a (not ready), web-b (updating) and 3 more"
  [[nodiscard]] std::string unavailable_pods() const;
};

/// The shorter wish wins.
void wish(std::optional<base::Duration>& requeue, base::Duration after);

}  // namespace kruise::controllers::cloneset
