#include "cluster/sim/kubelets.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "client/request.hpp"
#include "cluster/sim/follower.hpp"
#include "cluster/sim/node_reporter.hpp"
#include "cluster/sim/pod_state.hpp"
#include "cluster/sim/records.hpp"

namespace kruise::cluster::sim {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);
constexpr int kPullBackoffDoublingsMax = 20;

/// metadata.resourceVersion of an object's text: the first member of that name (quotes within values are escaped).
std::uint64_t version_of(std::string_view json) {
  constexpr std::string_view kName = R"("resourceVersion":")";
  const auto at = json.find(kName);
  std::uint64_t version = 0;
  if (at != std::string_view::npos) std::from_chars(json.data() + at + kName.size(), json.data() + json.size(), version);
  return version;
}

}  // namespace

/// Level-triggered: whatever happened, `sync` looks at what a pod's containers are and should be, and starts what leads there.
class Kubelets::Impl final : private Sink {
 public:
  Impl(client::Client& client, base::Random random, KubeletOptions options)
      : client_(client),
        random_(random),
        options_(std::move(options)),
        nodes_(client, options_),
        pods_followed_(client, api::kPods, *this),
        slowness_(nodes_.size(), 1.0),
        pulled_(nodes_.size()) {}

  void start() {
    life_ = std::make_unique<base::Lifetime>();
    nodes_.start();
    pods_followed_.start();
  }
  void stop() {
    pods_followed_.stop();
    nodes_.stop();
    life_.reset();
    pods_.clear();
  }

  void slow_down(double factor, std::string_view node) {
    if (const auto number = nodes_.find(node)) slowness_[*number] = factor;
    if (node.empty()) std::ranges::fill(slowness_, factor);
  }

  void fail_image(std::string_view image, bool fails) {
    fails ? void(failing_images_.emplace(image)) : void(failing_images_.erase(std::string(image)));
    for (auto& node : pulled_) node.erase(std::string(image));
    for (auto& [key, pod] : pods_) {
      for (auto& container : pod->containers) {
        if (container.wanted_image == image && !container.running()) release(container);  // out of its back-off
      }
      sync(key, *pod);
    }
  }

  void never_ready(std::string_view image, bool never) {
    never ? void(unready_images_.emplace(image)) : void(unready_images_.erase(std::string(image)));
    for (auto& [key, pod] : pods_) sync(key, *pod);
  }

  void never_ready_pod(std::string_view key, bool never) {
    never ? void(unready_pods_.emplace(key)) : void(unready_pods_.erase(std::string(key)));
    if (PodState* pod = find(std::string(key))) sync(std::string(key), *pod);
  }

  void set_image_id(std::string_view image, std::string_view id) { image_ids_[std::string(image)] = id; }

  bool crash_container(std::string_view name, std::string_view container_name) {
    const std::string key(name);
    PodState* pod = find(key);
    if (pod == nullptr || pod->finished() || pod->deleting) return false;
    const auto container = std::ranges::find(pod->containers, container_name, &ContainerState::name);
    if (container == pod->containers.end() || !container->running()) return false;
    release(*container);
    end_container(*container, 1);
    container->waiting_reason = "CrashLoopBackOff";
    report(key, *pod);
    sync(key, *pod);
    return true;
  }

  bool fail_pod(std::string_view name, std::string_view reason) {
    const std::string key(name);
    PodState* pod = find(key);
    if (pod == nullptr || pod->finished()) return false;
    for (auto& container : pod->containers) {
      release(container);
      container.ready = false;
    }
    pod->phase = "Failed";
    pod->reason = reason;
    report(key, *pod);
    return true;
  }

  bool lose_node(std::string_view name) {
    const auto node = nodes_.find(name);
    if (!node || nodes_.lost(*node)) return false;
    for (auto& [key, pod] : pods_) {
      if (pod->node != *node) continue;
      for (auto& container : pod->containers) release(container);
      pod->terminating = false;
    }
    nodes_.lose(*node, [this, node = *node] { mark_not_ready(node); });
    return true;
  }

  bool recover_node(std::string_view name) {
    const auto node = nodes_.find(name);
    if (!node || !nodes_.lost(*node)) return false;
    nodes_.recover(*node);
    for (auto& [key, pod] : pods_) {
      if (pod->node != *node) continue;
      if (pod->dirty) report(key, *pod);
      sync(key, *pod);
    }
    return true;
  }

  [[nodiscard]] KubeletStats stats() const {
    KubeletStats out = stats_;
    out.pods = pods_.size();
    out.ready =
        static_cast<std::uint64_t>(std::ranges::count_if(pods_, [](const auto& entry) { return entry.second->all_ready(); }));
    return out;
  }

 private:
  struct Move {  // a container and the token under which its timer was set
    std::size_t container;
    std::uint64_t token;
  };
  using Moves = std::vector<Move>;

  PodState* find(const std::string& key) {
    const auto found = pods_.find(key);
    return found == pods_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::string now() const { return base::format_time(client_.executor().clock().now()); }
  base::Duration drawn(const Delay& delay, const PodState& pod) {
    return draw(delay, slowness_[pod.node], options_.quantum, random_);
  }

  /// The container's timer, if any, does nothing any more.
  void release(ContainerState& container) {
    container.token = ++tokens_;
    container.busy = false;
  }

  // --- what the watch tells

  Seen seen(std::string_view json) override {
    if (!read(json, record_)) return {};
    Seen seen{record_.key(), record_.version};
    if (const auto node = nodes_.find(record_.node)) take(seen.key, *node);
    return seen;
  }

  void take(const std::string& key, std::size_t node) {
    auto& slot = pods_[key];
    if (slot == nullptr || slot->uid != record_.uid) slot = admit(record_, node);
    PodState& pod = *slot;
    for (const auto& wanted : record_.containers) {
      const auto container = std::ranges::find(pod.containers, wanted.name, &ContainerState::name);
      if (container == pod.containers.end() || container->wanted_image == wanted.image) continue;
      container->wanted_image = wanted.image;
      container->pull_failures = 0;
      if (!container->running()) release(*container);
    }
    pod.gate_status.clear();
    for (const auto& gate : pod.gates) {
      if (const auto* condition = record_.condition(gate)) pod.gate_status.emplace_back(gate, condition->status);
    }
    pod.seen = {record_.version, known(record_, "ContainersReady"), known(record_, "Ready")};
    adopt_seen(pod);
    pod.deleting = record_.deleting;
    grace_ = std::chrono::seconds(record_.grace_s);
    sync(key, pod);
  }

  static KnownCondition known(const PodRecord& record, std::string_view type) {
    const auto* condition = record.condition(type);
    return condition == nullptr ? KnownCondition() : KnownCondition{condition->status, condition->since};
  }
  /// What is seen may be older than our own last report, or than the one under way.
  static void adopt_seen(PodState& pod) {
    if (pod.flushing || pod.seen.version < pod.written_version) return;
    pod.containers_ready = pod.seen.containers_ready;
    pod.ready = pod.seen.ready;
  }

  void gone(const std::string& key) override {
    unready_pods_.erase(key);
    pods_.erase(key);
  }

  std::unique_ptr<PodState> admit(const PodRecord& record, std::size_t node) {
    auto pod = std::make_unique<PodState>();
    pod->ns = record.ns;
    pod->name = record.name;
    pod->uid = record.uid;
    pod->node = node;
    pod->id = ++tokens_;
    pod->gates = record.readiness_gates;
    pod->host_ip = nodes_.ip(node);
    pod->ip = !record.pod_ip.empty() ? record.pod_ip : record.host_network ? pod->host_ip : new_ip(node);
    pod->start_time = record.start_time.empty() ? now() : record.start_time;
    if (!record.phase.empty()) pod->phase = record.phase;
    pod->reported = !record.pod_ip.empty();
    for (const auto& container : record.init_containers) pod->init_containers.emplace_back(container.name, container.image);
    for (const auto& container : record.containers) {
      ContainerState& state = pod->containers.emplace_back();
      state.name = container.name;
      state.wanted_image = container.image;
      const auto known = std::ranges::find(record.statuses, container.name, &PodRecord::ContainerStatus::name);
      if (known == record.statuses.end() || known->container_id.empty()) continue;
      // It ran before this process: it goes on.
      state.image = known->image;
      state.image_id = known->image_id;
      state.container_id = known->container_id;
      state.started_at = known->started_at;
      state.restart_count = known->restart_count;
      state.ready = known->ready;
      if (known->running) state.phase = ContainerState::Phase::kRunning;
      pulled_[node].insert(known->image);
    }
    return pod;
  }

  std::string new_ip(std::size_t node) {
    const std::uint64_t number = ++last_ip_;
    return "10." + std::to_string(1 + node % 250) + "." + std::to_string(number / 250 % 250) + "." +
           std::to_string(1 + number % 250);
  }

  // --- what a pod needs next

  void sync(const std::string& key, PodState& pod) {
    if (nodes_.lost(pod.node)) return;
    if (pod.deleting) return terminate(key, pod);
    if (pod.finished()) return;
    Moves starting;
    Moves awaiting;
    for (std::size_t i = 0; i < pod.containers.size(); ++i) {
      ContainerState& container = pod.containers[i];
      const bool stays_unready = unready_pods_.contains(key) || unready_images_.contains(container.wanted_image);
      if (container.ready && stays_unready) {
        container.ready = false;
        report(key, pod);
      }
      if (container.running() && container.image != container.wanted_image && container.busy && !container.restarting)
        release(container);
      if (container.busy) continue;
      if (!container.running() || container.image != container.wanted_image) {
        container.restarting = true;
        starting.push_back(move(container, i));
      } else if (!container.ready && !stays_unready) {
        awaiting.push_back(move(container, i));
      }
    }
    if (!starting.empty()) begin(key, pod, std::move(starting));
    if (!awaiting.empty()) after(drawn(options_.ready, pod), key, pod, std::move(awaiting), &Impl::make_ready);
    if (pod.reported && !pod.flushing && pod.verdict().ready != (pod.ready.status == "True")) report(key, pod);
  }

  Move move(ContainerState& container, std::size_t index) {
    release(container);
    container.busy = true;
    return {index, container.token};
  }

  /// Calls `then` with the pod and those containers whose timers still count.
  void after(base::Duration delay, const std::string& key, const PodState& pod, Moves moves,
             void (Impl::*then)(const std::string&, PodState&, const Moves&)) {
    client_.executor().post_after(delay, life_->bind([this, key, id = pod.id, moves = std::move(moves), then]() mutable {
      PodState* found = find(key);
      if (found == nullptr || found->id != id) return;
      std::erase_if(moves, [&](const Move& m) { return found->containers[m.container].token != m.token; });
      for (const Move& m : moves) found->containers[m.container].busy = false;
      if (!moves.empty()) (this->*then)(key, *found, moves);
    }));
  }

  void begin(const std::string& key, PodState& pod, Moves moves) {
    const auto cached = [&](const Move& m) { return pulled_[pod.node].contains(pod.containers[m.container].wanted_image); };
    const auto fails = [&](const Move& m) { return failing_images_.contains(pod.containers[m.container].wanted_image); };
    base::Duration delay{0};
    if (!std::ranges::all_of(moves, cached)) delay += drawn(options_.pull, pod);
    if (!std::ranges::all_of(moves, fails)) delay += drawn(options_.start, pod);
    after(delay, key, pod, std::move(moves), &Impl::run);
  }

  void run(const std::string& key, PodState& pod, const Moves& moves) {
    for (const Move& m : moves) {
      ContainerState& container = pod.containers[m.container];
      container.restarting = false;
      failing_images_.contains(container.wanted_image) ? fail_pull(key, pod, m.container) : start_container(pod, container);
    }
    if (pod.phase == "Pending" &&
        std::ranges::all_of(pod.containers, [](const ContainerState& c) { return !c.container_id.empty(); })) {
      pod.phase = "Running";
    }
    // With no delay to readiness one report says it all.
    if (options_.ready.least.count() == 0 && options_.ready.jitter.count() == 0) {
      for (const Move& m : moves) {
        ContainerState& container = pod.containers[m.container];
        if (container.running() && !unready_pods_.contains(key) && !unready_images_.contains(container.image))
          container.ready = true;
      }
    }
    report(key, pod);
    sync(key, pod);
  }

  void end_container(ContainerState& container, int exit_code) {
    if (container.running()) container.ended = {container.container_id, container.started_at, now(), exit_code};
    container.phase = ContainerState::Phase::kWaiting;
    container.waiting_message.clear();
    container.ready = false;
  }

  void start_container(PodState& pod, ContainerState& container) {
    const bool again = !container.container_id.empty();
    end_container(container, 0);
    if (again) {
      ++container.restart_count;
      ++stats_.restarts;
    }
    ++stats_.starts;
    container.phase = ContainerState::Phase::kRunning;
    container.image = container.wanted_image;
    const auto id = image_ids_.find(container.image);
    container.image_id = id == image_ids_.end() ? image_id_of(container.image) : id->second;
    container.container_id = container_id_of(pod.uid, container.name, container.restart_count);
    container.started_at = now();
    container.pull_failures = 0;
    pulled_[pod.node].insert(container.image);
  }

  void fail_pull(const std::string& key, PodState& pod, std::size_t index) {
    ContainerState& container = pod.containers[index];
    end_container(container, 0);
    container.waiting_reason = container.pull_failures == 0 ? "ErrImagePull" : "ImagePullBackOff";
    container.waiting_message =
        (container.pull_failures == 0 ? "failed to pull and unpack image \"" : "Back-off pulling image \"") +
        container.wanted_image + "\"";
    const int doublings = std::min(container.pull_failures++, kPullBackoffDoublingsMax);
    const base::Duration backoff =
        std::min(base::Duration(options_.pull_backoff * (1LL << doublings)), options_.pull_backoff_max);
    after(backoff, key, pod, {move(container, index)}, &Impl::retry_pull);
  }

  void retry_pull(const std::string& key, PodState& pod, const Moves&) { sync(key, pod); }

  void make_ready(const std::string& key, PodState& pod, const Moves& moves) {
    for (const Move& m : moves) pod.containers[m.container].ready = true;
    report(key, pod);
    sync(key, pod);  // it may have become one that never is
  }

  // --- what the server is told

  void report(const std::string& key, PodState& pod) {
    pod.dirty = true;
    if (pod.flushing || nodes_.lost(pod.node)) return;
    pod.flushing = true;
    flush_after(base::Duration(0), key, pod.id);
  }

  void flush_after(base::Duration delay, const std::string& key, std::uint64_t id) {
    client_.executor().post_after(delay, life_->bind([this, key, id] {
      PodState* pod = find(key);
      if (pod != nullptr && pod->id == id) flush(key, *pod);
    }));
  }

  void flush(const std::string& key, PodState& pod) {
    if (nodes_.lost(pod.node)) {
      pod.flushing = false;
      return;
    }
    pod.dirty = false;
    pod.reported = true;
    ++stats_.reports;
    send_status(pod, status_patch(pod, now()), [this, key, id = pod.id](const client::Outcome& outcome) {
      PodState* found = find(key);
      if (found == nullptr || found->id != id) return;
      if (!outcome && !outcome.error().not_found() && !outcome.error().conflict()) {
        ++stats_.failures;
        base::log::debug(2, "a simulated kubelet's report was refused", {{"pod", key}, {"why", outcome.error().text()}});
        found->dirty = true;
        return flush_after(kRetryDelay, key, id);
      }
      found->flushing = false;
      if (outcome) found->written_version = version_of(outcome->body);
      adopt_seen(*found);
      if (found->dirty) report(key, *found);
      sync(key, *found);
    });
  }

  template <class Then>
  void send_status(const PodState& pod, std::string body, Then then) {
    client_.send(
        client::patch(api::kPods, {pod.ns, pod.name}, client::PatchType::kStrategic, std::move(body), {.subresource = "status"}),
        life_->bind(std::move(then)));
  }

  void terminate(const std::string& key, PodState& pod) {
    if (pod.terminating) return;
    pod.terminating = true;
    for (auto& container : pod.containers) release(container);
    finish_after(std::min(drawn(options_.terminate, pod), base::Duration(grace_)), key, pod.id);
  }

  void finish_after(base::Duration delay, const std::string& key, std::uint64_t id) {
    client_.executor().post_after(delay, life_->bind([this, key, id] {
      PodState* pod = find(key);
      if (pod == nullptr || pod->id != id || !pod->terminating) return;
      client::DeleteOptions options;
      options.uid = pod->uid;
      options.grace_period_s = 0;
      client_.send(client::remove(api::kPods, {pod->ns, pod->name}, options),
                   life_->bind([this, key, id](const client::Outcome& outcome) {
                     if (outcome) ++stats_.deletions;
                     if (outcome || outcome.error().not_found() || outcome.error().conflict()) return;
                     ++stats_.failures;
                     finish_after(kRetryDelay, key, id);
                   }));
    }));
  }

  /// What the node controller of a real cluster does to the pods of a node that fell silent.
  void mark_not_ready(std::size_t node) {
    for (auto& [key, pod] : pods_) {
      if (pod->node != node || pod->ready.status != "True") continue;
      std::string body = R"({"metadata":{"uid":")" + pod->uid +
                         R"("},"status":{"conditions":[{"type":"Ready","status":"False","lastTransitionTime":")" + now() +
                         R"(","reason":null,"message":null}]}})";
      send_status(*pod, std::move(body), [](const client::Outcome&) {});
    }
  }

  client::Client& client_;
  base::Random random_;
  const KubeletOptions options_;
  NodeReporter nodes_;
  Follower pods_followed_;
  std::map<std::string, std::unique_ptr<PodState>> pods_;  // by key, in an order that is the same in each run
  std::vector<double> slowness_;                           // by node
  std::vector<std::unordered_set<std::string>> pulled_;    // images, by node
  std::set<std::string> failing_images_;
  std::set<std::string> unready_images_;
  std::set<std::string> unready_pods_;
  std::map<std::string, std::string> image_ids_;
  PodRecord record_;         // of the pod just seen
  base::Duration grace_{0};  // of its deletion
  std::uint64_t tokens_ = 0;
  std::uint64_t last_ip_ = 0;
  KubeletStats stats_;
  std::unique_ptr<base::Lifetime> life_;
};

Kubelets::Kubelets(client::Client& client, base::Random random, KubeletOptions options)
    : impl_(std::make_unique<Impl>(client, random, std::move(options))) {}
Kubelets::~Kubelets() { impl_->stop(); }
void Kubelets::start() { impl_->start(); }
void Kubelets::stop() { impl_->stop(); }
void Kubelets::slow_down(double factor, std::string_view node) { impl_->slow_down(factor, node); }
void Kubelets::fail_image(std::string_view image, bool fails) { impl_->fail_image(image, fails); }
void Kubelets::never_ready(std::string_view image, bool never) { impl_->never_ready(image, never); }
void Kubelets::never_ready_pod(std::string_view key, bool never) { impl_->never_ready_pod(key, never); }
void Kubelets::set_image_id(std::string_view image, std::string_view id) { impl_->set_image_id(image, id); }
bool Kubelets::crash_container(std::string_view key, std::string_view container) {
  return impl_->crash_container(key, container);
}
bool Kubelets::fail_pod(std::string_view key, std::string_view reason) { return impl_->fail_pod(key, reason); }
bool Kubelets::lose_node(std::string_view name) { return impl_->lose_node(name); }
bool Kubelets::recover_node(std::string_view name) { return impl_->recover_node(name); }
KubeletStats Kubelets::stats() const { return impl_->stats(); }

}  // namespace kruise::cluster::sim
