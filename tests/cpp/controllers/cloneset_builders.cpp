#include "controllers/cloneset_builders.hpp"

#include <stdexcept>

namespace kruise::testing {
namespace {

/// "aaaab", "aaaac", ...: in order of name, so in list order.
std::string id_of(int n) {
  std::string id(5, 'a');
  for (int i = 4; i >= 0; --i, n /= 26) id[static_cast<std::size_t>(i)] = static_cast<char>('a' + n % 26);
  return id;
}

const std::shared_ptr<workload::TemplateCache>& shared_templates() {
  static const auto kCache = std::make_shared<workload::TemplateCache>();
  return kCache;
}

std::string word(runtime::Write::Verb verb) {
  switch (verb) {
    case runtime::Write::Verb::kCreate:
      return "create";
    case runtime::Write::Verb::kPatch:
      return "patch";
    case runtime::Write::Verb::kDelete:
      return "delete";
  }
  return "";
}

std::string kind_word(const api::Resource& resource) {
  if (resource == api::kPods) return "pod";
  if (resource == api::kClaims) return "claim";
  if (resource == api::kRevisions) return "revision";
  return "set";
}

std::string line(const runtime::Write& write) {
  std::string text = word(write.verb) + " " + kind_word(*write.resource);
  if (!write.subresource.empty()) text += "/" + write.subresource;
  text += " " + write.key.name;
  if (write.verb == runtime::Write::Verb::kPatch) text += ": " + write.purpose;
  return text;
}

}  // namespace

SetBuilder::SetBuilder(std::string name) {
  set.meta.name = std::move(name);
  set.meta.ns = "default";
  set.meta.uid = kSetUid;
  set.meta.generation = 1;
  set.meta.resource_version = "50";
  set.spec.replicas = 1;
  set.spec.selector.match_labels = {{"app", set.meta.name}};
  image("nginx:1");
}

SetBuilder& SetBuilder::replicas(std::int32_t n) {
  set.spec.replicas = n;
  return *this;
}
SetBuilder& SetBuilder::image(const std::string& image) { return pod_template(template_json(set.meta.name, image)); }
SetBuilder& SetBuilder::pod_template(std::string json) {
  set.spec.template_.text = std::move(json);
  return *this;
}
SetBuilder& SetBuilder::type(std::string word) {
  set.spec.update_strategy.type = std::move(word);
  return *this;
}
SetBuilder& SetBuilder::partition(api::IntOrString v) {
  set.spec.update_strategy.partition = std::move(v);
  return *this;
}
SetBuilder& SetBuilder::max_unavailable(api::IntOrString v) {
  set.spec.update_strategy.max_unavailable = std::move(v);
  return *this;
}
SetBuilder& SetBuilder::max_surge(api::IntOrString v) {
  set.spec.update_strategy.max_surge = std::move(v);
  return *this;
}
SetBuilder& SetBuilder::paused(bool is) {
  set.spec.update_strategy.paused = is;
  return *this;
}
SetBuilder& SetBuilder::min_ready(std::int32_t seconds) {
  set.spec.min_ready_seconds = seconds;
  return *this;
}
SetBuilder& SetBuilder::grace(std::int32_t seconds) {
  set.spec.update_strategy.in_place_update_strategy.grace_period_seconds = seconds;
  return *this;
}
SetBuilder& SetBuilder::claim_template(const std::string& name) {
  set.spec.volume_claim_templates.push_back(
      {R"({"metadata":{"name":")" + name +
       R"("},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})"});
  return *this;
}
SetBuilder& SetBuilder::to_delete(std::vector<std::string> names) {
  set.spec.scale_strategy.pods_to_delete = std::move(names);
  return *this;
}
SetBuilder& SetBuilder::current(std::string revision) {
  set.status.current_revision = std::move(revision);
  return *this;
}
SetBuilder& SetBuilder::lifecycle(api::Lifecycle lifecycle) {
  set.spec.lifecycle = std::move(lifecycle);
  return *this;
}
SetBuilder& SetBuilder::being_deleted() {
  set.meta.deletion_timestamp = at(-1);
  return *this;
}

std::string template_json(const std::string& app, const std::string& image) {
  return R"({"metadata":{"labels":{"app":")" + app + R"("}},"spec":{"containers":[{"name":"main","image":")" + image + R"("}]}})";
}

api::RevisionPtr revision_of(const api::CloneSet& set, std::int64_t number) {
  // Tests make thousands of worlds out of the same few templates.
  controllers::cloneset::Observed nothing;
  nothing.templates = shared_templates();
  const auto plan = controllers::cloneset::plan(set, nothing, {.now = at(0)});
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) {
        if (!(*write.resource == api::kRevisions)) continue;
        auto revision = std::make_shared<api::Revision>(api::decode<api::Revision>(write.body));
        revision->number = number;
        revision->meta.uid = "uid-" + revision->meta.name;
        revision->meta.resource_version = "10";
        revision->meta.creation_timestamp = at(number);
        return revision;
      }
    }
  }
  throw std::logic_error("the plan makes no revision");
}

api::OwnerReference owner_of(const std::string& set, bool controller) {
  return {"apps.kruise.io/v1alpha1", "CloneSet", set, kSetUid, controller, controller};
}

PodBuilder member(const std::string& set, const std::string& id, const std::string& revision) {
  return pod(set + "-" + id)
      .ready()
      .label("app", set)
      .revision(revision)
      .label(api::kLabelPodTemplateHash, revision.substr(revision.rfind('-') + 1))
      .instance(id)
      .state(api::kLifecycleNormal)
      .owner(owner_of(set));
}

api::ClaimPtr claim(const std::string& name, const std::string& id) {
  auto claim = std::make_shared<api::Claim>();
  claim->meta.name = name;
  claim->meta.ns = "default";
  claim->meta.uid = "uid-" + name;
  claim->meta.labels = {{std::string(api::kLabelInstanceId), id}};
  claim->meta.owners = {owner_of("web")};
  return claim;
}

World::World(SetBuilder s) : set(std::move(s)) {
  SetBuilder before = set;
  before.image("nginx:1");
  SetBuilder after = set;
  after.image("nginx:2");
  set.image("nginx:2");
  observed.templates = shared_templates();
  observed.revisions = {revision_of(before, 1), revision_of(after, 2)};
  old_revision = observed.revisions[0]->meta.name;
  new_revision = observed.revisions[1]->meta.name;
  set.current(old_revision);
}

World& World::old_pods(int n, const std::function<void(PodBuilder&)>& change) {
  for (int i = 0; i < n; ++i) {
    PodBuilder builder = member(set.set.meta.name, id_of(++made_), old_revision);
    if (change) change(builder);
    add(builder);
  }
  return *this;
}

World& World::new_pods(int n, const std::function<void(PodBuilder&)>& change) {
  for (int i = 0; i < n; ++i) {
    PodBuilder builder = member(set.set.meta.name, id_of(++made_), new_revision).image("nginx:2").status("nginx:2", "id-nginx:2");
    if (change) change(builder);
    add(builder);
  }
  return *this;
}

World& World::add(const PodBuilder& builder) {
  observed.pods.push_back(builder.ptr());
  return *this;
}

runtime::Plan World::plan(std::int64_t at_s) const {
  return controllers::cloneset::plan(set.set, observed, {.now = at(at_s), .gates = &gates, .random = base::Random(1)});
}

std::vector<std::string> lines(const runtime::Plan& plan) {
  std::vector<std::string> all;
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) all.push_back(line(write));
    }
  }
  for (const auto& write : plan.cleanup) all.push_back(line(write));
  return all;
}

int writes(const runtime::Plan& plan, const std::string& prefix) {
  int n = 0;
  for (const auto& l : lines(plan)) n += l.starts_with(prefix) ? 1 : 0;
  return n;
}

std::string reasons(const runtime::Plan& plan) {
  std::string text;
  for (const auto& r : plan.reasons) text += r.object + " " + r.rule + ": " + r.text + "\n";
  return text;
}

}  // namespace kruise::testing
