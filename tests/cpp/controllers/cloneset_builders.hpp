// CloneSets, revisions and claims in one line, and readable forms of what a plan wants to write.
#pragma once

#include <string>
#include <vector>

#include "controllers/cloneset/plan.hpp"
#include "runtime/gates.hpp"
#include "workload/builders.hpp"

namespace kruise::testing {

inline const std::string kSetUid = "set-uid";

class SetBuilder {
 public:
  explicit SetBuilder(std::string name);

  SetBuilder& replicas(std::int32_t n);
  /// The template's one container, named main.
  SetBuilder& image(const std::string& image);
  SetBuilder& pod_template(std::string json);
  SetBuilder& type(std::string word);
  SetBuilder& in_place() { return type("InPlaceIfPossible"); }
  SetBuilder& partition(api::IntOrString v);
  SetBuilder& max_unavailable(api::IntOrString v);
  SetBuilder& max_surge(api::IntOrString v);
  SetBuilder& paused(bool is = true);
  SetBuilder& min_ready(std::int32_t seconds);
  SetBuilder& grace(std::int32_t seconds);
  SetBuilder& claim_template(const std::string& name);
  SetBuilder& to_delete(std::vector<std::string> names);
  SetBuilder& current(std::string revision);
  SetBuilder& lifecycle(api::Lifecycle);
  SetBuilder& being_deleted();

  operator const api::CloneSet&() const { return set; }  // NOLINT: reads as the set it is

  api::CloneSet set;
};
[[nodiscard]] inline SetBuilder clone_set(std::string name = "web") { return SetBuilder(std::move(name)); }

/// A template with label app=<set>, and one container with this image.
[[nodiscard]] std::string template_json(const std::string& app, const std::string& image);

/// The revision that a set's template makes, as the controller itself would create it.
[[nodiscard]] api::RevisionPtr revision_of(const api::CloneSet&, std::int64_t number);

/// Pods of a set: `member("web", "aaaaa", revision)` is ready, in service and owned.
[[nodiscard]] PodBuilder member(const std::string& set, const std::string& id, const std::string& revision);
[[nodiscard]] api::ClaimPtr claim(const std::string& name, const std::string& id);
[[nodiscard]] api::OwnerReference owner_of(const std::string& set, bool controller = true);

/// A set with two revisions: `old` (nginx:1) and `updated` (nginx:2, the set's template).
struct World {
  explicit World(SetBuilder s);

  World& old_pods(int n, const std::function<void(PodBuilder&)>& change = {});
  World& new_pods(int n, const std::function<void(PodBuilder&)>& change = {});
  World& add(const PodBuilder&);
  [[nodiscard]] runtime::Plan plan(std::int64_t at_s = 0) const;

  SetBuilder set;
  std::string old_revision;
  std::string new_revision;
  controllers::cloneset::Observed observed;
  runtime::Gates gates;

 private:
  int made_ = 0;
};

/// Every write as one line, in order: `create pod web-aaaaa`, `patch pod web-aaaaa: set state Normal`, `delete claim
/// data-web-aaaaa`, chains and steps without distinction; the status is left out.
[[nodiscard]] std::vector<std::string> lines(const runtime::Plan&);
/// How many writes begin so.
[[nodiscard]] int writes(const runtime::Plan&, const std::string& prefix);
/// Reasons as `web-aaaaa partition: held: ...`.
[[nodiscard]] std::string reasons(const runtime::Plan&);

}  // namespace kruise::testing
