#include "cluster/sim/node_reporter.hpp"

#include <algorithm>

#include "api/lease.hpp"
#include "api/node.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "client/request.hpp"

namespace kruise::cluster::sim {
namespace {

using base::JsonWriter;

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
/// A kubelet renews its lease four times within the lease's duration; here that is once a heartbeat.
constexpr int kRenewalsPerLease = 4;
constexpr std::int32_t kLeaseSecondsOfKubelets = 40;

std::int32_t lease_seconds(base::Duration heartbeat) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(heartbeat * kRenewalsPerLease).count();
  return std::max(static_cast<std::int32_t>(seconds), kLeaseSecondsOfKubelets);
}

void write_condition(JsonWriter& w, std::string_view type, std::string_view status, std::string_view reason,
                     std::string_view message, const std::string& now) {
  w.begin_object().key("type").string(type).key("status").string(status).key("reason").string(reason).key("message").string(
      message);
  w.key("lastHeartbeatTime").string(now).key("lastTransitionTime").string(now).end_object();
}

std::string ready_body(std::string_view status, std::string_view reason, std::string_view message, const std::string& now) {
  JsonWriter w;
  w.begin_object().key("status").begin_object().key("conditions").begin_array();
  write_condition(w, "Ready", status, reason, message, now);
  w.end_array().end_object().end_object();
  return std::move(w).text();
}

void write_amounts(JsonWriter& w, int pods) {
  w.begin_object().key("cpu").string("256").key("memory").string("1Ti").key("ephemeral-storage").string("1Ti");
  w.key("pods").string(std::to_string(pods)).end_object();
}

std::string full_status(const std::string& name, const std::string& ip, int pods, const std::string& now) {
  JsonWriter w;
  w.begin_object().key("status").begin_object();
  w.key("capacity");
  write_amounts(w, pods);
  w.key("allocatable");
  write_amounts(w, pods);
  w.key("addresses").begin_array();
  w.begin_object().key("type").string("InternalIP").key("address").string(ip).end_object();
  w.begin_object().key("type").string("Hostname").key("address").string(name).end_object().end_array();
  w.key("conditions").begin_array();
  for (const char* pressure : {"MemoryPressure", "DiskPressure", "PIDPressure"}) {
    write_condition(w, pressure, "False", "KubeletHasNoPressure", "simulated", now);
  }
  write_condition(w, "Ready", "True", "KubeletReady", "simulated kubelet is posting ready status", now);
  w.end_array().key("nodeInfo").begin_object();
  for (const auto& [key, value] : {std::pair{"machineID", name.c_str()},
                                   {"systemUUID", name.c_str()},
                                   {"bootID", name.c_str()},
                                   {"kernelVersion", "0-simulated"},
                                   {"osImage", "simulated"},
                                   {"containerRuntimeVersion", "simulated://0"},
                                   {"kubeletVersion", "v1.34.0-simulated"},
                                   {"kubeProxyVersion", ""},
                                   {"operatingSystem", "linux"},
                                   {"architecture", "amd64"}}) {
    w.key(key).string(value);
  }
  w.end_object().end_object().end_object();
  return std::move(w).text();
}

}  // namespace

NodeReporter::NodeReporter(client::Client& client, const KubeletOptions& options) : client_(client), options_(options) {
  for (int i = 0; i < options.nodes; ++i) {
    const std::string name = options.node_prefix + std::to_string(i);
    numbers_[name] = nodes_.size();
    nodes_.push_back({name, "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)});
  }
}

void NodeReporter::start() {
  life_ = std::make_unique<base::Lifetime>();
  for (std::size_t node = 0; node < nodes_.size(); ++node) register_node(node);
}

void NodeReporter::stop() { life_.reset(); }

std::optional<std::size_t> NodeReporter::find(std::string_view name) const {
  const auto found = numbers_.find(std::string(name));
  if (found == numbers_.end()) return {};
  return found->second;
}

std::string NodeReporter::now() const { return base::format_time(client_.executor().clock().now()); }

void NodeReporter::register_node(std::size_t node) {
  const std::string& name = nodes_[node].name;
  JsonWriter w;
  w.begin_object()
      .key("apiVersion")
      .string("v1")
      .key("kind")
      .string("Node")
      .key("metadata")
      .begin_object()
      .key("name")
      .string(name);
  w.key("labels").begin_object().key("kubernetes.io/hostname").string(name).key("kubernetes.io/os").string("linux");
  w.key("kubernetes.io/arch").string("amd64");
  for (const auto& [key, value] : options_.node_labels) w.key(key).string(value);
  w.end_object().end_object().end_object();
  const auto registered = [this, node](const client::Outcome& outcome) {
    if (!outcome && !outcome.error().already_exists()) {
      base::log::warning("a simulated node cannot register",
                         {{"node", base::log::Object{"", nodes_[node].name}}, {"why", outcome.error().text()}});
      client_.executor().post_after(kRetryDelay, life_->bind([this, node] { register_node(node); }));
      return;
    }
    if (outcome) {
      // Admission tainted the new node as not ready; taking that off is the node controller's part, which is played here too.
      client_.send(client::patch(api::kNodes, {"", nodes_[node].name}, client::PatchType::kMerge, R"({"spec":{"taints":null}})"),
                   life_->bind([](const client::Outcome&) {}));
      create_lease(node, api::decode<api::Node>(outcome->body).meta.uid);
    } else {
      nodes_[node].has_lease = true;  // of the process that registered it
      renew_lease(node);
    }
    report(node, full_status(nodes_[node].name, nodes_[node].ip, options_.pods_per_node, now()));
    beat(node);
  };
  client_.send(client::create(api::kNodes, "", std::move(w).text()), life_->bind(registered));
}

/// Repeated until it arrives, unless a newer one makes it old.
void NodeReporter::report(std::size_t node, const std::string& body) {
  const auto number = ++nodes_[node].reports;
  client::Request request =
      client::patch(api::kNodes, {"", nodes_[node].name}, client::PatchType::kStrategic, body, {.subresource = "status"});
  client_.send(std::move(request), life_->bind([this, node, number, body](const client::Outcome& outcome) {
    if (outcome || outcome.error().not_found()) return;
    client_.executor().post_after(kRetryDelay, life_->bind([this, node, number, body] {
      if (nodes_[node].reports == number) report(node, body);
    }));
  }));
}

void NodeReporter::beat(std::size_t node) {
  if (options_.heartbeat.count() <= 0) return;
  client_.executor().post_after(options_.heartbeat, life_->bind([this, node] {
    if (!nodes_[node].lost) {
      JsonWriter w;
      w.begin_object().key("status").begin_object().key("conditions").begin_array();
      w.begin_object().key("type").string("Ready").key("status").string("True");
      w.key("lastHeartbeatTime").string(now()).end_object().end_array().end_object().end_object();
      report(node, std::move(w).text());
      renew_lease(node);
    }
    beat(node);
  }));
}

/// It goes with its node.
void NodeReporter::create_lease(std::size_t node, const std::string& uid) {
  api::Lease lease;
  lease.meta.ns = kLeaseNamespace;
  lease.meta.name = lease.holder = nodes_[node].name;
  lease.meta.owners = {{.api_version = "v1", .kind = "Node", .name = lease.holder, .uid = uid}};
  lease.duration_seconds = lease_seconds(options_.heartbeat);
  lease.renewed = client_.executor().clock().now();
  client_.send(client::create(api::kLeases, kLeaseNamespace, api::encode(lease)),
               life_->bind([this, node, uid](const client::Outcome& outcome) {
                 nodes_[node].has_lease = outcome || outcome.error().already_exists();
                 if (nodes_[node].has_lease) return;
                 client_.executor().post_after(kRetryDelay, life_->bind([this, node, uid] { create_lease(node, uid); }));
               }));
}

/// One that is missed does no harm: the next is in time still.
void NodeReporter::renew_lease(std::size_t node) {
  if (!nodes_[node].has_lease) return;
  JsonWriter w;
  w.begin_object().key("spec").begin_object().key("renewTime");
  w.string(base::format_micro_time(client_.executor().clock().now())).end_object().end_object();
  client_.send(client::patch(api::kLeases, {std::string(kLeaseNamespace), nodes_[node].name}, client::PatchType::kMerge,
                             std::move(w).text()),
               life_->bind([](const client::Outcome&) {}));
}

void NodeReporter::lose(std::size_t node, std::function<void()> unknown) {
  nodes_[node].lost = true;
  const auto loss = ++nodes_[node].losses;
  client_.executor().post_after(options_.node_grace, life_->bind([this, node, loss, unknown = std::move(unknown)] {
    if (!nodes_[node].lost || nodes_[node].losses != loss) return;
    report(node, ready_body("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", now()));
    unknown();
  }));
}

void NodeReporter::recover(std::size_t node) {
  nodes_[node].lost = false;
  report(node, ready_body("True", "KubeletReady", "simulated kubelet is posting ready status", now()));
}

}  // namespace kruise::cluster::sim
