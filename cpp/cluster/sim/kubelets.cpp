#include "cluster/sim/kubelets.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cluster/sim/follower.hpp"
#include "cluster/sim/node_reporter.hpp"
#include "cluster/sim/pod_reporter.hpp"
#include "cluster/sim/pod_state.hpp"
#include "cluster/sim/records.hpp"

namespace kruise::cluster::sim {
namespace {

constexpr int kPullBackoffDoublingsMax = 20;

}  // namespace

/// Level-triggered: whatever happened, `sync` looks at what a pod's containers are and should be, and starts what leads there.
class Kubelets::Impl final : private Sink, private PodReporter::Pods {
 public:
  Impl(client::Client& client, base::Random random, KubeletOptions options)
      : client_(client),
        random_(random),
        options_(std::move(options)),
        nodes_(client, options_),
        pods_followed_(client, api::kPods, *this),
        reporter_(client, *this),
        slowness_(nodes_.size(), 1.0),
        pulled_(nodes_.size()) {}

  void start() {
    life_ = std::make_unique<base::Lifetime>();
    nodes_.start();
    reporter_.start();
    pods_followed_.start();
  }
  void stop() {
    pods_followed_.stop();
    nodes_.stop();
    reporter_.stop();
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
    container->end(1, now(), "CrashLoopBackOff");
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
    const PodReporter::Stats& told = reporter_.stats();
    out.reports = told.reports;
    out.deletions = told.deletions;
    out.failures = told.failures;
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
  PodState* find(const std::string& key, std::uint64_t id) override {
    PodState* pod = find(key);
    return pod != nullptr && pod->id == id ? pod : nullptr;
  }
  [[nodiscard]] bool silent(const PodState& pod) const override { return nodes_.lost(pod.node); }
  void reported(const std::string& key, PodState& pod) override { sync(key, pod); }
  void report(const std::string& key, PodState& pod) { reporter_.report(key, pod); }
  [[nodiscard]] std::string now() const { return base::format_time(client_.executor().clock().now()); }
  base::Duration drawn(const Delay& delay, const PodState& pod) { return draw(delay, slowness_[pod.node], random_); }

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
    pod.see(record_);
    if (options_.node_agent) pod.see_metadata(record_);
    grace_ = std::chrono::seconds(record_.grace_s);
    sync(key, pod);
  }

  void gone(const std::string& key) override {
    unready_pods_.erase(key);
    pods_.erase(key);
  }

  std::unique_ptr<PodState> admit(const PodRecord& record, std::size_t node) {
    auto pod = std::make_unique<PodState>(record);
    pod->node = node;
    pod->id = ++tokens_;
    pod->host_ip = nodes_.ip(node);
    if (pod->ip.empty()) pod->ip = record.host_network ? pod->host_ip : new_ip(node);
    if (pod->start_time.empty()) pod->start_time = now();
    for (const auto& container : pod->containers) {
      if (!container.image.empty()) pulled_[node].insert(container.image);
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
      if (container.running() && pod.is_outdated(container) && container.busy && !container.restarting) release(container);
      if (container.busy) continue;
      if (!container.running() || pod.is_outdated(container)) {
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

  void start_container(PodState& pod, ContainerState& container) {
    const auto id = image_ids_.find(container.wanted_image);
    const bool again = container.start(pod.uid, id == image_ids_.end() ? image_id_of(container.wanted_image) : id->second, now());
    if (again) ++stats_.restarts;
    ++stats_.starts;
    pulled_[pod.node].insert(container.image);
  }

  void fail_pull(const std::string& key, PodState& pod, std::size_t index) {
    ContainerState& container = pod.containers[index];
    const int doublings = std::min(container.pull_failures, kPullBackoffDoublingsMax);
    container.fail_pull(now());
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

  void terminate(const std::string& key, PodState& pod) {
    if (pod.terminating) return;
    pod.terminating = true;
    for (auto& container : pod.containers) release(container);
    reporter_.finish_after(std::min(drawn(options_.terminate, pod), base::Duration(grace_)), key, pod.id);
  }

  void mark_not_ready(std::size_t node) {
    for (const auto& [key, pod] : pods_) {
      if (pod->node == node && pod->ready.status == "True") reporter_.mark_not_ready(*pod);
    }
  }

  client::Client& client_;
  base::Random random_;
  const KubeletOptions options_;
  NodeReporter nodes_;
  Follower pods_followed_;
  PodReporter reporter_;
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
