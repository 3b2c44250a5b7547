// Random sets and pods, with fields absent and odd: no plan crashes, and none breaks a budget. The checker counts for itself and
// shares no code with the plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "controllers/cloneset_builders.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::controllers::cloneset {
namespace {

using namespace kruise::testing;  // NOLINT: builders
using nlohmann::json;

template <class T>
const T& any(base::Random& random, const std::vector<T>& from) {
  return from[random.below(from.size())];
}

api::LifecycleHook random_hook(base::Random& random) {
  api::LifecycleHook hook;
  if (random.below(2) == 0) hook.labels_handler["hold"] = any<std::string>(random, {"true", ""});
  if (random.below(3) == 0) hook.finalizers_handler = {"example.com/hold"};
  return hook;
}

SetBuilder random_set(base::Random& random) {
  SetBuilder set = clone_set();
  auto& spec = set.set.spec;
  spec.replicas.reset();
  if (random.below(10) != 0) spec.replicas = static_cast<std::int32_t>(random.below(8));
  set.type(any<std::string>(random, {"", "ReCreate", "InPlaceIfPossible", "InPlaceIfPossible", "InPlaceOnly", "OnDelete"}));
  auto& update = spec.update_strategy;
  const std::vector<api::IntOrString> amounts{0, 1, 2, 3, 9, -2, "0%", "10%", "33.3%", "50%", "100%", "250%"};
  if (random.below(2) == 0) update.partition = any(random, amounts);
  if (random.below(4) != 0) update.max_unavailable = any(random, amounts);
  if (random.below(3) == 0) update.max_surge = any(random, amounts);
  if (random.below(4) == 0) spec.scale_strategy.max_unavailable = any(random, amounts);
  update.paused = random.below(8) == 0;
  if (random.below(4) == 0) spec.min_ready_seconds = static_cast<std::int32_t>(random.below(60));
  if (random.below(4) == 0) set.grace(static_cast<std::int32_t>(random.below(60)));
  if (random.below(3) == 0) set.claim_template("data");
  if (random.below(4) == 0) set.to_delete({"web-aaaab", "web-nobody"});
  if (random.below(3) == 0) {
    api::Lifecycle lifecycle;
    if (random.below(2) == 0) lifecycle.pre_delete = random_hook(random);
    if (random.below(2) == 0) lifecycle.in_place_update = random_hook(random);
    if (random.below(2) == 0) lifecycle.pre_normal = random_hook(random);
    set.lifecycle(lifecycle);
  }
  if (random.below(20) == 0) set.being_deleted();
  if (random.below(10) == 0) set.set.meta.labels[std::string(api::kLabelExcludePreparingDelete)] = "true";
  if (random.below(6) == 0) update.scatter_strategy = {{.key = "k", .value = "v"}};
  if (random.below(6) == 0) update.priority_strategy.order_priority = {{.ordered_key = "k"}};
  return set;
}

void shake(base::Random& random, PodBuilder& p) {
  auto& meta = p.fields.meta;
  if (random.below(3) == 0) p.not_ready();
  if (random.below(4) == 0) p.in_place_ready(false);
  if (random.below(8) == 0) p.drop_condition(api::kConditionInPlaceUpdateReady);
  if (random.below(12) == 0) p.fields.conditions.clear();
  if (random.below(8) == 0) p.ready(-static_cast<std::int64_t>(random.below(60)));
  if (random.below(12) == 0) p.no_gate();
  if (random.below(2) == 0) {
    p.state(any<std::string>(
        random, {"Normal", "PreparingNormal", "PreparingUpdate", "Updating", "Updated", "PreparingDelete", "", "Odd"}));
  }
  if (random.below(10) == 0)
    p.phase(any<api::PodPhase>(random,
                               {api::PodPhase::kNone, api::PodPhase::kPending, api::PodPhase::kFailed, api::PodPhase::kUnknown}));
  if (random.below(15) == 0) p.terminating();
  if (random.below(8) == 0) p.specified_delete();
  if (random.below(4) == 0) p.label("hold", any<std::string>(random, {"true", "", "no"}));
  if (random.below(6) == 0) p.finalizer("example.com/hold");
  if (random.below(5) == 0) p.label("k", any<std::string>(random, {"v", "x-3", ""}));
  if (random.below(10) == 0) p.node("");
  if (random.below(25) == 0) meta.labels.erase(std::string(api::kLabelInstanceId));
  if (random.below(25) == 0) meta.labels.erase(std::string(api::kLabelRevision));
  if (random.below(25) == 0) meta.labels.clear();
  if (random.below(25) == 0) meta.owners.clear();
  if (random.below(25) == 0) meta.creation_timestamp.reset();
  if (random.below(15) == 0) p.fields.statuses.clear();
  if (random.below(30) == 0) p.fields.containers.clear();
  if (random.below(5) == 0) {
    p.annotation(
        api::kAnnotationInPlaceState,
        any<std::string>(
            random,
            {"", "{", "{}", "[]", "null", R"({"lastContainerStatuses":{"main":{"imageID":"id-nginx:1"}}})",
             R"({"updateTimestamp":"2021-03-01T07:59:00Z","lastContainerStatuses":{"main":{}},"nextContainerImages":{"x":"y"}})",
             R"({"updateTimestamp":5,"lastContainerStatuses":[]})"}));
  }
  if (random.below(8) == 0) {
    p.annotation(api::kAnnotationInPlaceGrace,
                 any<std::string>(random, {"", "{}", "x", R"({"graceSeconds":"9"})",
                                           R"({"graceSeconds":90,"containerImages":{"main":"nginx:2"}})",
                                           R"({"metaDataPatch":"e30=","revision":"web-x"})"}));
  }
  if (random.below(10) == 0)
    p.annotation(api::kAnnotationRuntimeContainersMeta, any<std::string>(random, {"{}", "[1]", R"({"containers":[{}]})"}));
}

/// What the checker reads off a pod by itself.
struct Judged {
  bool counts = false;  // active and the set's
  bool available = false;
  bool at_update = false;
};

Judged judge(const api::PodFields& pod, const World& world, const api::CloneSet& set) {
  Judged j;
  const auto label = [&](const char* key) {
    const auto found = pod.meta.labels.find(key);
    return found == pod.meta.labels.end() ? std::string() : found->second;
  };
  bool owned = false;
  for (const auto& owner : pod.meta.owners) owned = owned || (owner.controller && owner.uid == kSetUid);
  j.counts = owned && label("app") == "web" && !pod.meta.deletion_timestamp && pod.phase != api::PodPhase::kFailed &&
             pod.phase != api::PodPhase::kSucceeded;
  bool ready = pod.phase == api::PodPhase::kRunning;
  bool has_ready = false;
  for (const auto& c : pod.conditions) {
    if (c.type == "Ready") {
      has_ready = c.status == api::Tristate::kTrue;
      if (set.spec.min_ready_seconds.value_or(0) > 0)
        has_ready =
            has_ready && c.last_transition && *c.last_transition + std::chrono::seconds(*set.spec.min_ready_seconds) < at(0);
    }
    if (c.type == "InPlaceUpdateReady" && c.status != api::Tristate::kTrue) ready = false;
  }
  const std::string state = label("lifecycle.apps.kruise.io/state");
  j.available = j.counts && ready && has_ready && (state.empty() || state == "Normal");
  const std::string revision = label("controller-revision-hash");
  const auto hash = [](const std::string& r) { return r.substr(r.rfind('-') + 1); };
  j.at_update = !revision.empty() && hash(revision) == hash(world.new_revision);
  return j;
}

std::int64_t resolved(const std::optional<api::IntOrString>& v, std::int64_t total, bool up, const api::IntOrString& fallback) {
  const api::IntOrString& x = v ? *v : fallback;
  if (x.value.index() == 0) return std::max<std::int64_t>(std::get<0>(x.value), 0);
  const double exact = std::stod(std::get<1>(x.value)) * static_cast<double>(total) / 100.0;
  return static_cast<std::int64_t>(up ? std::ceil(exact) : std::floor(exact));
}

struct Seen {
  int refused = 0, created = 0, deleted = 0, updated = 0;
};

/// What is wrong with the plan; empty when all is well.
std::string check(const World& world, const std::vector<api::PodFields>& pods, const runtime::Plan& plan, Seen& seen) {
  const auto& set = world.set.set;
  const std::int64_t replicas = set.spec.replicas.value_or(1);
  const auto& update = set.spec.update_strategy;
  const std::int64_t surge = update.paused ? 0 : resolved(update.max_surge, replicas, true, 0);
  const std::int64_t budget = resolved(update.max_unavailable, replicas, surge == 0, "20%");
  std::int64_t partition = resolved(update.partition, replicas, true, 0);
  const bool percent = update.partition && update.partition->value.index() == 1 && std::get<1>(update.partition->value) != "100%";
  if (percent && partition == replicas && replicas > 1) --partition;
  partition = std::min(partition, replicas);

  std::map<std::string, Judged> judged;
  std::int64_t all = 0, unavailable = 0, old = 0, leaving = 0;
  for (const auto& pod : pods) {
    const Judged j = judge(pod, world, set);
    judged[pod.meta.name] = j;
    if (!j.counts) continue;
    ++all;
    unavailable += j.available ? 0 : 1;
    old += j.at_update ? 0 : 1;
    const auto state = pod.meta.labels.find("lifecycle.apps.kruise.io/state");
    leaving += state != pod.meta.labels.end() && state->second == "PreparingDelete" ? 1 : 0;
  }
  const auto exclude = set.meta.labels.find(std::string(api::kLabelExcludePreparingDelete));
  const std::int64_t not_counted = exclude != set.meta.labels.end() ? leaving : 0;
  std::int64_t created = 0, disturbed = 0, moved = 0;
  std::set<std::string> written;
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) {
        if (!(*write.resource == api::kPods)) continue;
        if (write.verb == runtime::Write::Verb::kCreate) {
          ++created;
          if (!json::accept(write.body)) return "creates what is no JSON";
          continue;
        }
        if (!judged.contains(write.key.name)) return "writes to a pod that is not there";
        if (write.uid.empty() || (!write.version_of_previous && write.resource_version.empty()))
          return "writes without preconditions";
        const Judged& j = judged[write.key.name];
        const json body = write.verb == runtime::Write::Verb::kPatch ? json::parse(write.body) : json();
        if (!body.is_null() && body["metadata"].contains("ownerReferences")) continue;
        if (!j.counts) return "writes to a pod that is not the set's: " + write.key.name + " " + write.purpose;
        const json labels = body.is_null() ? json::object() : body["metadata"].value("labels", json::object());
        const bool unready =
            write.verb == runtime::Write::Verb::kDelete || write.body.find("\"False\"") != std::string::npos ||
            (labels.contains("lifecycle.apps.kruise.io/state") && labels["lifecycle.apps.kruise.io/state"] != "Normal");
        if (unready && j.available && written.insert(write.key.name).second) ++disturbed;
        if (labels.contains("controller-revision-hash") && labels["controller-revision-hash"] == world.new_revision &&
            !j.at_update)
          ++moved;
        seen.deleted += write.verb == runtime::Write::Verb::kDelete ? 1 : 0;
        seen.updated += labels.contains("controller-revision-hash") ? 1 : 0;
      }
    }
  }
  seen.created += static_cast<int>(created);
  // No write makes an available pod unavailable when those unavailable already use up the budget and the pods above replicas.
  // (Scaling in from more pods than wanted is what the "pods above replicas" are for.)
  const std::string figures = "disturbed " + std::to_string(disturbed) + ", unavailable " + std::to_string(unavailable) +
                              ", budget " + std::to_string(budget) + ", all " + std::to_string(all) + ", replicas " +
                              std::to_string(replicas) + ", old " + std::to_string(old) + ", partition " +
                              std::to_string(partition);
  if (disturbed > 0 && disturbed + unavailable > std::max<std::int64_t>(budget + all - replicas, 0))
    return "over the budget: " + figures;
  if (created > 0 && all - not_counted + created > replicas + surge) return "too many pods: " + figures;
  // None moves a pod on when no more than the partition are left at older revisions.
  if (moved > 0 && old - moved < partition) return "moved beyond the partition: " + figures;
  return {};
}

// CloneSet §26, 1.5; users #46, #127, #489, #835, #1943, #2486: missing maps and labels crashed the manager.
TEST(FuzzTest, NoPlanCrashesOrBreaksABudget) {
  Seen seen;
  const World prototype(clone_set());
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    base::Random random(seed);
    World world = prototype;
    const std::string template_text = world.set.set.spec.template_.text;
    const std::string current = world.set.set.status.current_revision;
    world.set = random_set(random);
    world.set.pod_template(template_text)
        .current(random.below(4) == 0    ? world.new_revision
                 : random.below(10) == 0 ? "web-gone"
                                         : current);
    std::vector<api::PodFields> pods;
    const auto count = static_cast<std::int32_t>(random.below(9));
    if (random.below(2) == 0) world.set.replicas(count);
    const bool calm = random.below(2) == 0;
    for (auto n = count; n > 0; --n) {
      const std::string id(5, static_cast<char>('a' + n));
      auto p =
          member("web", id, any<std::string>(random, {world.old_revision, world.new_revision, world.old_revision, "web-other"}));
      if (!calm || random.below(4) == 0) shake(random, p);
      if (p.fields.meta.owners.empty() && random.below(2) == 0) p.owner(owner_of("web", false));
      pods.push_back(p.fields);
      world.add(p);
      if (random.below(3) == 0) world.observed.claims.push_back(claim("data-web-" + id, random.below(5) == 0 ? "" : id));
    }
    if (random.below(3) == 0) world.observed.claims.push_back(claim("data-web-spare", "spare"));
    if (random.below(10) == 0) world.observed.revisions.erase(world.observed.revisions.begin());
    if (random.below(20) == 0) {
      auto broken = std::make_shared<api::Revision>(*world.observed.revisions[0]);
      broken->data.text = "{}";
      world.observed.revisions[0] = broken;
    }
    const auto plan = world.plan();
    if (!plan.reasons.empty() && plan.reasons[0].verdict == runtime::Reason::Verdict::kInvalid &&
        plan.reasons[0].rule == "validation") {
      ++seen.refused;
      ASSERT_TRUE(plan.steps.empty());
      continue;
    }
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + reasons(plan));
    ASSERT_EQ(check(world, pods, plan, seen), "");
  }
  // The dice must have reached everything.
  EXPECT_GT(seen.created, 300);
  EXPECT_GT(seen.deleted, 100);
  EXPECT_GT(seen.updated, 100);
  EXPECT_GT(seen.refused, 10);
}

// The checker itself: what a wrong plan of a healthy set would write.
class CheckerTest : public ::testing::Test {
 protected:
  CheckerTest() : world(clone_set().replicas(3).max_unavailable(1).partition(2)) {
    for (const char* id : {"aaaaa", "bbbbb", "ccccc"}) {
      auto p = member("web", id, world.old_revision);
      pods.push_back(p.fields);
      world.add(p);
    }
  }
  /// What the checker says of a plan that does this to the first `count` pods.
  std::string verdict(int count, const std::function<runtime::Write(const api::Pod&)>& write) {
    runtime::Plan plan;
    plan.steps.emplace_back();
    for (int i = 0; i < count; ++i) plan.steps[0].chains.push_back({write(*world.observed.pods[static_cast<std::size_t>(i)])});
    return check(world, pods, plan, seen);
  }
  static runtime::Write deletion(const api::Pod& pod) {
    return workload::pod_write(pod, runtime::Write::Verb::kDelete, "delete");
  }
  runtime::Write move(const api::Pod& pod) const {
    auto write = workload::pod_write(pod, runtime::Write::Verb::kPatch, "update");
    write.body = json({{"metadata", {{"labels", {{"controller-revision-hash", world.new_revision}}}}}}).dump();
    return write;
  }

  World world;
  std::vector<api::PodFields> pods;
  Seen seen;
};

TEST_F(CheckerTest, CatchesPlantedBugs) {
  using ::testing::StartsWith;
  EXPECT_EQ(verdict(1, deletion), "");
  EXPECT_THAT(verdict(2, deletion), StartsWith("over the budget"));
  EXPECT_EQ(verdict(1, [this](const api::Pod& pod) { return move(pod); }), "");
  EXPECT_THAT(verdict(2, [this](const api::Pod& pod) { return move(pod); }), StartsWith("moved beyond the partition"));
  const auto creation = [](const api::Pod&) {
    runtime::Write write;
    write.resource = &api::kPods;
    write.body = "{}";
    return write;
  };
  EXPECT_THAT(verdict(1, creation), StartsWith("too many pods"));
  EXPECT_THAT(verdict(1,
                      [](const api::Pod& pod) {
                        auto write = deletion(pod);
                        write.uid.clear();
                        return write;
                      }),
              StartsWith("writes without preconditions"));
  pods[0].meta.owners.clear();
  EXPECT_THAT(verdict(1, deletion), StartsWith("writes to a pod that is not the set's"));
}

}  // namespace
}  // namespace kruise::controllers::cloneset
