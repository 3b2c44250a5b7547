#include "controllers/rig.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "api/names.hpp"
#include "cache/informer.hpp"
#include "cache/pod_decoder.hpp"
#include "client/request.hpp"
#include "controllers/cloneset/watches.hpp"
#include "controllers/cloneset_builders.hpp"
#include "runtime/caches.hpp"

namespace kruise::testing {
namespace {

using nlohmann::json;
constexpr std::string_view kAgent = "kruise-manager/cloneset-controller";

std::string clone_set_crd() {
  std::ifstream file(std::string(KRUISE_SOURCE_DIR) + "/charts/kruise/crds/apps.kruise.io_clonesets.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

// ---- controller

namespace {

/// Holds news of pods back for a while, then lets them through for as long.
class Lag final : public cluster::FaultPlan {
 public:
  Lag(const base::Clock& clock, std::shared_ptr<const base::Duration> span) : clock_(clock), span_(std::move(span)) {}
  cluster::Fault on_request(const client::Request&) override { return {}; }
  cluster::WatchFault on_event(const client::Request& watch) override {
    const base::MonoTime now = clock_.mono();
    if (*span_ == base::Duration{0} || now < open_until_ || watch.path.find("/pods") == std::string::npos) return {};
    open_until_ = now + 2 * *span_;
    return {.kind = cluster::WatchFault::Kind::kDelay, .delay = *span_};
  }

 private:
  const base::Clock& clock_;
  std::shared_ptr<const base::Duration> span_;
  base::MonoTime open_until_{};
};

template <class T>
std::unique_ptr<cache::Informer<T>> informer(client::Client& client, const api::Resource& resource, base::Random random) {
  if constexpr (std::is_same_v<T, api::Pod>) {
    return std::make_unique<cache::Informer<T>>(client, resource, cache::pod_decoder(), random);
  } else {
    auto decoder = cache::decoder_from<T>([](std::string_view text) { return api::try_decode_shared<T>(text); });
    return std::make_unique<cache::Informer<T>>(client, resource, std::move(decoder), random);
  }
}

}  // namespace

struct Rig::Controller final : runtime::Versions {
  Controller(cluster::ApiServer& server, base::VirtualLoop& loop, std::uint64_t seed, std::shared_ptr<const base::Duration> lag)
      : client(server, loop),
        sets(informer<api::CloneSet>(client, api::kCloneSets, base::Random(seed))),
        pods(informer<api::Pod>(client, api::kPods, base::Random(seed + 1))),
        claims(informer<api::Claim>(client, api::kClaims, base::Random(seed + 2))),
        revisions(informer<api::Revision>(client, api::kRevisions, base::Random(seed + 3))),
        own_writes({}, client, *this, metrics),
        events(client, std::string(kAgent)) {
    client.inject(std::make_shared<Lag>(loop.clock(), std::move(lag)));
    const controllers::cloneset::Stores stores{sets->store(), pods->store(), claims->store(), revisions->store()};
    controller = std::make_unique<runtime::ControllerLoop>(
        controllers::cloneset::make_cloneset_reconciler(stores),
        runtime::ControllerLoop::Options{.user_agent = std::string(kAgent), .seed = seed},
        runtime::Surroundings{client, own_writes, events, metrics, gates, loop, nullptr, {}});
    controllers::cloneset::watch(stores, [this](const api::Key& key, runtime::Cause cause) { controller->add(key, cause); });
    const auto progress = [this] {
      own_writes.progress();
      if (!started && sets->synced() && pods->synced() && claims->synced() && revisions->synced()) {
        started = true;
        controller->start();
      }
    };
    sets->store().on_progress(progress);
    pods->store().on_progress(progress);
    claims->store().on_progress(progress);
    revisions->store().on_progress(progress);
    for (cache::AnyInformer* i : informers()) i->start();
  }

  std::vector<cache::AnyInformer*> informers() { return {sets.get(), pods.get(), claims.get(), revisions.get()}; }

  std::optional<std::uint64_t> reached(const api::Resource& resource) const override {
    if (resource == api::kCloneSets) return sets->store().version();
    if (resource == api::kPods) return pods->store().version();
    if (resource == api::kClaims) return claims->store().version();
    if (resource == api::kRevisions) return revisions->store().version();
    return std::nullopt;
  }
  std::optional<runtime::Seen> object(const api::Resource& resource, const api::Key& key) const override {
    if (resource == api::kPods) {
      if (const auto pod = pods->store().get(key)) return runtime::seen(*pod);
    }
    const auto of = [](const auto& object) { return object ? std::optional(runtime::seen(*object)) : std::nullopt; };
    if (resource == api::kClaims) return of(claims->store().get(key));
    if (resource == api::kRevisions) return of(revisions->store().get(key));
    return std::nullopt;
  }
  std::uint64_t lists(const api::Resource&) const override { return 0; }
  void refresh(const api::Resource&) override {}

  cluster::LocalClient client;
  base::Metrics metrics;
  runtime::Gates gates;
  std::unique_ptr<cache::Informer<api::CloneSet>> sets;
  std::unique_ptr<cache::Informer<api::Pod>> pods;
  std::unique_ptr<cache::Informer<api::Claim>> claims;
  std::unique_ptr<cache::Informer<api::Revision>> revisions;
  runtime::OwnWrites own_writes;
  runtime::EventRecorder events;
  std::unique_ptr<runtime::ControllerLoop> controller;
  bool started = false;
};

// ---- rig

Rig::Rig(std::uint64_t seed)
    : loop(at(0)),
      server({.clock = &loop, .seed = seed, .state_path = {}}),
      client(server, loop),
      nodes(client, base::Random(seed + 10)),
      seed_(seed),
      scheduler_(client, base::Random(seed + 11)),
      binder_(client, base::Random(seed + 12)) {
  server.observe_writes([this](const cluster::StorageEvent& event) { invariants.see(event); });
  server.install_crd(clone_set_crd());
  nodes.start();
  scheduler_.start();
  binder_.start();
  restart_controller();
}

Rig::~Rig() = default;

void Rig::restart_controller() {
  controller_.reset();
  controller_ = std::make_unique<Controller>(server, loop, seed_ += 100, lag_);
  fault(fault_share_);
}

void Rig::fault(double share) {
  fault_share_ = share;
  const auto random = std::make_shared<base::Random>(seed_);
  controller_->client.inject([share, random](const client::Request&) -> cluster::Fault {
    if (random->unit() >= share) return {};
    switch (random->below(5)) {
      case 0:
        return {.kind = cluster::Fault::Kind::kRefuse};
      case 1:
        return {.kind = cluster::Fault::Kind::kBreakAfterWrite};
      case 2:
        return {.kind = cluster::Fault::Kind::kDelay, .delay = std::chrono::milliseconds(random->below(3000))};
      default:
        return {.kind = cluster::Fault::Kind::kAnswer, .code = random->below(2) == 0 ? 409 : 500};
    }
  });
}

void Rig::inject(std::function<cluster::Fault(const client::Request&)> faults) { controller_->client.inject(std::move(faults)); }

void Rig::lag(base::Duration span) { *lag_ = span; }

double Rig::failed_passes() const {
  return controller_->metrics.counter("controller_runtime_reconcile_errors_total", "", {{"controller", "cloneset-controller"}})
      .value();
}

std::uint64_t Rig::looks() const { return controller_->controller->reconciles(); }

json Rig::send(client::Request request) {
  request.user_agent = "user";
  const auto answer = server.handle(request);
  if (answer.code >= 400) throw std::runtime_error(answer.body);
  return json::parse(answer.body);
}

void Rig::create(const api::CloneSet& set) {
  json object = json::parse(api::encode(set));
  object["apiVersion"] = "apps.kruise.io/v1alpha1";
  object["kind"] = "CloneSet";
  object["metadata"] = {{"name", set.meta.name}, {"namespace", set.meta.ns}, {"labels", set.meta.labels}};
  object.erase("status");
  send(client::create(api::kCloneSets, set.meta.ns, object.dump()));
}

void Rig::patch(const std::string& merge_patch, const std::string& name) {
  send(client::patch(api::kCloneSets, {"default", name}, client::PatchType::kMerge, merge_patch));
}

json Rig::set(const std::string& name) { return send(client::get(api::kCloneSets, {"default", name})); }

std::vector<json> Rig::list(const api::Resource& resource) {
  std::vector<json> items;
  const json answer = send(client::list(resource, "default"));
  for (const auto& item : answer["items"]) items.push_back(item);
  return items;
}

std::vector<json> Rig::pods() {
  auto all = list(api::kPods);
  std::erase_if(all, [](const json& pod) { return !is_active_member(pod); });
  return all;
}

json Rig::pod(const std::string& name) { return send(client::get(api::kPods, {"default", name})); }

void Rig::patch_pod(const std::string& name, const std::string& merge_patch) {
  send(client::patch(api::kPods, {"default", name}, client::PatchType::kMerge, merge_patch));
}

bool Rig::wait(const std::function<bool()>& done, base::Duration limit) {
  // Asking is dear: in steps of virtual time.
  for (base::Duration waited{0}; waited < limit; waited += std::chrono::milliseconds(250)) {
    if (done()) return true;
    loop.run_for(std::chrono::milliseconds(250));
  }
  return done();
}

bool Rig::rolled_out(const std::string& name) {
  const json object = set(name);
  const json status = object.value("status", json::object());
  const int replicas = object["spec"].value("replicas", 1);
  return status.value("observedGeneration", 0) == object["metadata"].value("generation", 0) &&
         status.value("replicas", -1) == replicas && status.value("updatedAvailableReplicas", 0) == replicas &&
         status.value("updatedReplicas", -1) == replicas;
}

int Rig::with_image(const std::string& image) {
  int n = 0;
  for (const auto& pod : pods()) n += pod["spec"]["containers"][0]["image"] == image ? 1 : 0;
  return n;
}

}  // namespace kruise::testing
