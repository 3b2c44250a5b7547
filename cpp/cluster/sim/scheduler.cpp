#include "cluster/sim/scheduler.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json_writer.hpp"
#include "client/request.hpp"
#include "cluster/sim/function_sink.hpp"
#include "cluster/sim/records.hpp"

namespace kruise::cluster::sim {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);
constexpr std::string_view kSchedulerName = "default-scheduler";

using Labels = std::vector<std::pair<std::string, std::string>>;

bool selects(const Labels& selector, const Labels& labels) {
  return std::ranges::all_of(selector, [&](const auto& wanted) { return std::ranges::find(labels, wanted) != labels.end(); });
}

}  // namespace

class Scheduler::Impl {
 public:
  Impl(client::Client& client, base::Random random, SchedulerOptions options)
      : client_(client),
        random_(random),
        options_(options),
        node_sink_([this](std::string_view json) { return node_seen(json); },
                   [this](const std::string& key) { nodes_.erase(key); }),
        pod_sink_([this](std::string_view json) { return pod_seen(json); }, [this](const std::string& key) { pod_gone(key); }),
        nodes_followed_(client, api::kNodes, node_sink_),
        pods_followed_(client, api::kPods, pod_sink_) {}

  void start() {
    life_ = std::make_unique<base::Lifetime>();
    nodes_followed_.start();
    pods_followed_.start();
  }
  void stop() {
    nodes_followed_.stop();
    pods_followed_.stop();
    life_.reset();
    waiting_.clear();
    placed_.clear();
    nodes_.clear();
  }
  [[nodiscard]] std::uint64_t bound() const { return bound_; }

 private:
  struct Node {
    std::string name;
    bool usable = false;
    Labels labels;
    std::size_t pods = 0;
  };
  struct Waiting {  // a pod without node
    std::string ns, name, uid;
    Labels selector;
    bool planned = false;  // a binding is planned or on its way
    bool told = false;     // that it fits nowhere
  };

  Seen node_seen(std::string_view json) {
    if (!read(json, node_record_)) return {};
    Seen seen{node_record_.key(), node_record_.version};
    take_node(nodes_[seen.key]);
    return seen;
  }

  void take_node(Node& node) {
    if (node.name.empty()) {
      node.name = node_record_.name;
      node.pods =
          static_cast<std::size_t>(std::ranges::count_if(placed_, [&](const auto& pod) { return pod.second == node.name; }));
    }
    node.labels = node_record_.labels;
    const bool usable = node_record_.ready && !node_record_.unschedulable && !node_record_.deleting;
    const bool more = usable && !node.usable;
    node.usable = usable;
    if (!more) return;
    for (auto& [key, pod] : waiting_) plan(key, pod);
  }

  Seen pod_seen(std::string_view json) {
    if (!read(json, pod_record_)) return {};
    Seen seen{pod_record_.key(), pod_record_.version};
    take_pod(seen.key);
    return seen;
  }

  void take_pod(const std::string& key) {
    const bool wants = pod_record_.node.empty() && !pod_record_.deleting && !pod_record_.finished() &&
                       !pod_record_.scheduling_gates &&
                       (pod_record_.scheduler.empty() || pod_record_.scheduler == kSchedulerName);
    place(key, pod_record_.finished() ? std::string() : pod_record_.node);
    if (!wants) {
      waiting_.erase(key);
      return;
    }
    Waiting& pod = waiting_[key];
    if (pod.uid != pod_record_.uid) {
      pod = {};
      pod.ns = pod_record_.ns;
      pod.name = pod_record_.name;
      pod.uid = pod_record_.uid;
      pod.selector = pod_record_.node_selector;
    }
    plan(key, pod);
  }

  void pod_gone(const std::string& key) {
    waiting_.erase(key);
    place(key, {});
  }

  Node* find_node(const std::string& name) {
    const auto found = nodes_.find("/" + name);
    return found == nodes_.end() ? nullptr : &found->second;
  }

  /// Counts the pod on this node (none: on no node) and no longer on the one before.
  void place(const std::string& key, const std::string& node) {
    const auto known = placed_.find(key);
    if (known != placed_.end()) {
      if (known->second == node) return;
      if (Node* before = find_node(known->second)) --before->pods;
      placed_.erase(known);
    }
    if (node.empty()) return;
    placed_[key] = node;
    if (Node* now = find_node(node)) ++now->pods;
  }

  void plan(const std::string& key, Waiting& pod) {
    if (pod.planned) return;
    pod.planned = true;
    plan_after(draw(options_.bind, 1.0, random_), key, pod.uid);
  }

  void plan_after(base::Duration delay, const std::string& key, const std::string& uid) {
    client_.executor().post_after(delay, life_->bind([this, key, uid] {
      const auto found = waiting_.find(key);
      if (found != waiting_.end() && found->second.uid == uid) bind(key, found->second);
    }));
  }

  /// Of the usable nodes the one with the fewest pods, the first by name among equals.
  Node* choose(const Waiting& pod) {
    Node* best = nullptr;
    for (auto& [key, node] : nodes_) {
      if (node.usable && selects(pod.selector, node.labels) && (best == nullptr || node.pods < best->pods)) best = &node;
    }
    return best;
  }

  void bind(const std::string& key, Waiting& pod) {
    const Node* node = choose(pod);
    if (node == nullptr) {
      pod.planned = false;
      return tell_unschedulable(pod);
    }
    base::JsonWriter w;
    w.begin_object().key("apiVersion").string("v1").key("kind").string("Binding");
    w.key("metadata")
        .begin_object()
        .key("name")
        .string(pod.name)
        .key("namespace")
        .string(pod.ns)
        .key("uid")
        .string(pod.uid)
        .end_object();
    w.key("target")
        .begin_object()
        .key("apiVersion")
        .string("v1")
        .key("kind")
        .string("Node")
        .key("name")
        .string(node->name)
        .end_object();
    w.end_object();
    client::Request request;
    request.method = "POST";
    request.path = client::path_of(api::kPods, pod.ns, pod.name, "binding");
    request.content_type = "application/json";
    request.body = std::move(w).text();
    place(key, node->name);
    client_.send(std::move(request),
                 life_->bind([this, key, uid = pod.uid](const client::Outcome& outcome) { answered(key, uid, outcome); }));
  }

  void answered(const std::string& key, const std::string& uid, const client::Outcome& outcome) {
    if (outcome) {
      ++bound_;
      return;
    }
    const auto found = waiting_.find(key);
    if (found == waiting_.end() || found->second.uid != uid) return;
    place(key, {});
    // Bound by somebody else, or gone: the watch will tell. Anything else is tried again.
    if (!outcome.error().conflict() && !outcome.error().not_found()) plan_after(kRetryDelay, key, uid);
  }

  void tell_unschedulable(Waiting& pod) {
    if (pod.told) return;
    pod.told = true;
    base::JsonWriter w;
    w.begin_object().key("metadata").begin_object().key("uid").string(pod.uid).end_object();
    w.key("status").begin_object().key("conditions").begin_array().begin_object();
    w.key("type").string("PodScheduled").key("status").string("False").key("reason").string("Unschedulable");
    w.key("message").string("0/" + std::to_string(nodes_.size()) +
                            " nodes are available: none is ready, schedulable and selected.");
    w.key("lastTransitionTime").string(base::format_time(client_.executor().clock().now()));
    w.end_object().end_array().end_object().end_object();
    client_.send(client::patch(api::kPods, {pod.ns, pod.name}, client::PatchType::kStrategic, std::move(w).text(),
                               {.subresource = "status"}),
                 life_->bind([](const client::Outcome&) {}));
  }

  client::Client& client_;
  base::Random random_;
  const SchedulerOptions options_;
  FunctionSink node_sink_;
  FunctionSink pod_sink_;
  Follower nodes_followed_;
  Follower pods_followed_;
  std::map<std::string, Node> nodes_;                    // by key ("/name"), so that ties are broken alike in each run
  std::map<std::string, Waiting> waiting_;               // by key
  std::unordered_map<std::string, std::string> placed_;  // pod -> node
  PodRecord pod_record_;
  NodeRecord node_record_;
  std::uint64_t bound_ = 0;
  std::unique_ptr<base::Lifetime> life_;
};

Scheduler::Scheduler(client::Client& client, base::Random random, SchedulerOptions options)
    : impl_(std::make_unique<Impl>(client, random, options)) {}
Scheduler::~Scheduler() { impl_->stop(); }
void Scheduler::start() { impl_->start(); }
void Scheduler::stop() { impl_->stop(); }
std::uint64_t Scheduler::bound() const { return impl_->bound(); }

}  // namespace kruise::cluster::sim
