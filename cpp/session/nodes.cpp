#include "session/nodes.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/random.hpp"
#include "cluster/gc/garbage_collector.hpp"
#include "cluster/sim/kubelets.hpp"
#include "cluster/sim/scheduler.hpp"
#include "cluster/sim/volume_binder.hpp"
#include "session/connection.hpp"

namespace kruise::session {
namespace {

namespace sim = cluster::sim;
using nlohmann::json;

sim::Delay delay(double seconds, double jitter) {
  const auto duration = [](double s) { return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(s)); };
  return {duration(seconds), duration(seconds * jitter)};
}

sim::KubeletOptions kubelet_options(const NodeOptions& o) {
  sim::KubeletOptions made;
  made.nodes = o.count;
  made.pull = delay(o.pull_s, o.jitter);
  made.start = delay(o.start_s, o.jitter);
  made.ready = delay(o.ready_s, o.jitter);
  made.terminate = delay(o.stop_s, o.jitter);
  made.node_grace = delay(o.node_grace_s, 0).least;
  made.pull_backoff = delay(o.pull_backoff_s, 0).least;
  return made;
}

std::string text(const json& command, const char* member) {
  const auto found = command.find(member);
  if (found == command.end() || !found->is_string()) throw Refused(std::string("kubelets: \"") + member + "\" is missing");
  return found->get<std::string>();
}

void require(bool known, const std::string& what) {
  if (!known) throw Refused("kubelets: there is no " + what);
}

}  // namespace

struct Nodes::Parts {
  Parts(client::Client& api, const NodeOptions& o)
      : random(o.seed),
        kubelets(api, random.stream("kubelets"), kubelet_options(o)),
        scheduler(api, random.stream("scheduler"), {.bind = delay(o.schedule_s, o.jitter)}),
        binder(api, random.stream("binder"), {.make_volumes = !o.stand_alone, .release_claims = o.stand_alone}) {
    if (o.stand_alone) collector.emplace(api);
  }

  base::Random random;
  sim::Kubelets kubelets;
  sim::Scheduler scheduler;
  sim::VolumeBinder binder;
  std::optional<cluster::gc::GarbageCollector> collector;
};

Nodes::Nodes(client::Client& api, const NodeOptions& options) : parts_(std::make_unique<Parts>(api, options)) {}
Nodes::~Nodes() = default;

void Nodes::start() {
  parts_->kubelets.start();
  parts_->scheduler.start();
  parts_->binder.start();
  if (parts_->collector) parts_->collector->start();
}

void Nodes::command(const std::string& text_json) {
  const json command = json::parse(text_json, nullptr, false);
  if (!command.is_object()) throw Refused("kubelets: a command is a JSON object");
  sim::Kubelets& kubelets = parts_->kubelets;
  const std::string verb = text(command, "do");
  if (verb == "fail_image") {
    kubelets.fail_image(text(command, "image"));
  } else if (verb == "heal_image") {
    kubelets.fail_image(text(command, "image"), false);
    kubelets.never_ready(text(command, "image"), false);
  } else if (verb == "never_ready") {
    kubelets.never_ready(text(command, "image"));
  } else if (verb == "slow") {
    kubelets.slow_down(command.value("factor", 1.0));
  } else if (verb == "same_image") {
    const std::string id = "sha256:" + text(command, "other");
    kubelets.set_image_id(text(command, "other"), id);
    kubelets.set_image_id(text(command, "image"), id);
  } else if (verb == "lose_node") {
    require(kubelets.lose_node(text(command, "node")), "node " + text(command, "node"));
  } else if (verb == "restore_node") {
    require(kubelets.recover_node(text(command, "node")), "lost node " + text(command, "node"));
  } else if (verb == "fail_pod") {
    const std::string key = text(command, "namespace") + "/" + text(command, "name");
    require(kubelets.fail_pod(key), "pod " + key);
  } else if (verb == "crash_container") {
    const std::string key = text(command, "namespace") + "/" + text(command, "name");
    require(kubelets.crash_container(key, text(command, "container")),
            "running container " + text(command, "container") + " in " + key);
  } else {
    throw Refused("kubelets: unknown command \"" + verb + "\"");
  }
}

}  // namespace kruise::session
