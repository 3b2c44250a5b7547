// plan_10k_ms: the plan of a 10,000-pod CloneSet in the middle of an update in place.
#include <memory>
#include <stdexcept>
#include <string>

#include "api/names.hpp"
#include "base/json_writer.hpp"
#include "cache/pod_decoder.hpp"
#include "client/client.hpp"
#include "controllers/cloneset/plan.hpp"
#include "harness.hpp"
#include "workload/in_place_state.hpp"

namespace kruise::bench {
namespace {

using controllers::cloneset::Observed;

constexpr int kPods = 10'000;
constexpr int kUpdated = 4'000;
constexpr int kUpdating = 2'000;
const base::Time kNow{std::chrono::seconds(1'700'000'000)};

api::CloneSet set_with(const std::string& image) {
  api::CloneSet set;
  set.meta.name = "web";
  set.meta.ns = "default";
  set.meta.uid = "set-uid";
  set.meta.generation = 2;
  set.spec.replicas = kPods;
  set.spec.selector.match_labels = {{"app", "web"}};
  set.spec.update_strategy.type = "InPlaceIfPossible";
  set.spec.update_strategy.max_unavailable = "25%";
  set.spec.template_.text =
      R"({"metadata":{"labels":{"app":"web","tier":"front"}},"spec":{"containers":[{"name":"main","image":")" + image +
      R"(","ports":[{"containerPort":80}],"env":[{"name":"A","value":"b"}],
      "resources":{"requests":{"cpu":"500m","memory":"1Gi"}}},{"name":"agent","image":"agent:1"}]}})";
  return set;
}

api::RevisionPtr revision_of(const api::CloneSet& set, std::int64_t number) {
  const auto first = controllers::cloneset::plan(set, {}, {.now = kNow});
  auto revision = std::make_shared<api::Revision>(api::decode<api::Revision>(first.steps.at(0).chains.at(0).at(0).body));
  revision->number = number;
  revision->meta.uid = revision->meta.name;
  return revision;
}

void write_condition(base::JsonWriter& w, std::string_view type, bool is, const std::string& since) {
  w.begin_object()
      .key("type")
      .string(type)
      .key("status")
      .string(is ? "True" : "False")
      .key("lastTransitionTime")
      .string(since)
      .end_object();
}

void write_status(base::JsonWriter& w, std::string_view name, const std::string& image, int restarts, int i) {
  const std::string digits = std::to_string(1'000'000 + i).substr(1);
  w.begin_object().key("name").string(name).key("image").string(image).key("imageID").string("sha256:" + image);
  w.key("containerID").string("containerd://" + std::string(58, name[0] == 'm' ? 'a' : 'b') + digits);
  w.key("ready").boolean(true).key("restartCount").integer(restarts).end_object();
}

/// As the API server writes it, but for what no plan reads.
std::string pod_json(int i, const std::string& revision, bool updated, bool updating) {
  const std::string id = std::to_string(100'000 + i).substr(1);
  const std::string image = updated ? "nginx:2" : "nginx:1";
  const std::string since = base::format_time(kNow - std::chrono::seconds(100 + i % 50));
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object();
  w.key("name").string("web-" + id).key("namespace").string("default").key("uid").string("00000000-0000-4000-8000-0000000" + id);
  w.key("resourceVersion").string(std::to_string(1'000 + i));
  w.key("creationTimestamp").string(base::format_time(kNow - std::chrono::seconds(10'000 + i % 100)));
  w.key("labels").begin_object().key("app").string("web").key("tier").string("front").key(api::kLabelRevision).string(revision);
  w.key(api::kLabelPodTemplateHash).string(revision.substr(4)).key(api::kLabelInstanceId).string(id);
  w.key(api::kLabelLifecycleState).string(updating ? "Updating" : "Normal").end_object();
  w.key("annotations").begin_object().key(api::kAnnotationLifecycleTimestamp).string(since);
  if (updated) {
    const workload::InPlaceState state{
        .revision = revision,
        .update_timestamp = kNow - std::chrono::seconds(5),
        .last_container_statuses = {{"main", {"sha256:nginx:1", "containerd://" + std::string(64, 'a')}}},
        .update_images = true,
        .batches = {{since, {"main"}}}};
    w.key(api::kAnnotationInPlaceState).string(state.text());
  }
  w.end_object().key("ownerReferences").begin_array().begin_object().key("apiVersion").string("apps.kruise.io/v1alpha1");
  w.key("kind").string("CloneSet").key("name").string("web").key("uid").string("set-uid").key("controller").boolean(true);
  w.key("blockOwnerDeletion").boolean(true).end_object().end_array().end_object();
  w.key("spec").begin_object().key("nodeName").string("node-" + std::to_string(i % 200)).key("containers").begin_array();
  w.begin_object().key("name").string("main").key("image").string(image).end_object();
  w.begin_object().key("name").string("agent").key("image").string("agent:1").end_object().end_array();
  w.key("readinessGates")
      .begin_array()
      .begin_object()
      .key("conditionType")
      .string(api::kConditionInPlaceUpdateReady)
      .end_object()
      .end_array();
  w.end_object().key("status").begin_object().key("phase").string("Running").key("conditions").begin_array();
  write_condition(w, "PodScheduled", true, since);
  write_condition(w, api::kConditionInPlaceUpdateReady, !updating, since);
  write_condition(w, api::kConditionContainersReady, true, since);
  write_condition(w, api::kConditionReady, !updating, since);
  w.end_array().key("containerStatuses").begin_array();
  write_status(w, "main", updating ? "nginx:1" : image, i % 3, i);
  write_status(w, "agent", "agent:1", 0, i);
  w.end_array().end_object().end_object();
  return std::move(w).text();
}

/// From bytes, as the watch cache makes it.
api::PodPtr decode(cache::Decoder<api::Pod>& decoder, std::string json) {
  const std::size_t size = json.size();
  json.append(client::Client::kPadding, '\0');
  auto pod = decoder.decode(std::string_view(json).substr(0, size));
  if (!pod) throw std::logic_error(pod.error().text());
  return *pod;
}

double plan_10k_ms() {
  api::CloneSet set = set_with("nginx:2");
  Observed observed;
  observed.templates = std::make_shared<workload::TemplateCache>();
  observed.revisions = {revision_of(set_with("nginx:1"), 1), revision_of(set, 2)};
  set.status.current_revision = observed.revisions[0]->meta.name;
  const auto decoder = cache::pod_decoder();
  for (int i = 0; i < kPods; ++i) {
    const bool updated = i < kUpdated + kUpdating;
    const bool updating = i >= kUpdated && updated;
    observed.pods.push_back(decode(*decoder, pod_json(i, observed.revisions[updated ? 1 : 0]->meta.name, updated, updating)));
  }
  const runtime::Context context{.now = kNow, .random = base::Random(1)};
  std::size_t chains = 0;
  const auto work = [&] {
    const auto plan = controllers::cloneset::plan(set, observed, context);
    chains = plan.steps.empty() ? 0 : plan.steps.back().chains.size();
  };
  work();  // templates are parsed once in the life of a manager
  const double ms = processor_milliseconds(work);
  if (chains != 500) throw std::logic_error("the plan starts " + std::to_string(chains) + " pods, 500 are free in the budget");
  return ms;
}

}  // namespace

std::vector<Figure> plan_figures() { return {{"plan_10k_ms", "ms", plan_10k_ms}}; }

}  // namespace kruise::bench
