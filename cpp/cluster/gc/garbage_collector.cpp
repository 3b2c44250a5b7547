#include "cluster/gc/garbage_collector.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "base/lifetime.hpp"
#include "client/request.hpp"
#include "cluster/gc/graph.hpp"
#include "cluster/gc/served_kinds.hpp"
#include "cluster/sim/follower.hpp"

namespace kruise::cluster::gc {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);
constexpr base::Duration kDiscoveryDelay = std::chrono::milliseconds(200);  // after a definition changed
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

}  // namespace

/// Level-triggered: `look` decides from the graph what one object needs, and is called for whatever may have changed that.
class GarbageCollector::Impl {
 public:
  explicit Impl(client::Client& client) : client_(client) {}

  void start() {
    life_ = std::make_unique<base::Lifetime>();
    discover();
  }
  void stop() {
    inquiry_.reset();
    kinds_.clear();
    life_.reset();
    graph_ = {};
    pending_.clear();
  }
  [[nodiscard]] CollectorStats stats() const {
    CollectorStats out = stats_;
    out.objects = graph_.size();
    return out;
  }

 private:
  /// One followed kind.
  struct Followed final : sim::Sink {
    Followed(Impl& gc, std::size_t index, api::Resource kind)
        : impl(gc), number(index), resource(std::move(kind)), follower(gc.client_, resource, *this) {}
    sim::Seen seen(std::string_view json) override { return impl.seen(*this, json); }
    void gone(const std::string& key) override { impl.gone(*this, key); }
    void listed() override {
      ready = true;
      impl.look_at_all();
    }
    Impl& impl;
    const std::size_t number;
    const api::Resource resource;
    bool ready = false;
    std::unordered_map<std::string, std::string> uids;  // by key
    sim::Follower follower;
  };

  // --- kinds

  void discover() {
    inquiry_ = ask_served_kinds(client_, [this](std::optional<std::vector<api::Resource>> kinds) {
      if (kinds) follow(*kinds);
      if (!kinds) discover_after(kRetryDelay);
    });
  }
  void discover_after(base::Duration delay) {
    if (discovery_planned_) return;
    discovery_planned_ = true;
    client_.executor().post_after(delay, life_->bind([this] {
      discovery_planned_ = false;
      discover();
    }));
  }
  void follow(const std::vector<api::Resource>& kinds) {
    for (const auto& kind : kinds) {
      if (kind.plural == "events") continue;  // own nothing, and nobody owns them
      if (std::ranges::any_of(kinds_, [&](const auto& known) { return api::same_objects(known->resource, kind); })) continue;
      kinds_.push_back(std::make_unique<Followed>(*this, kinds_.size(), kind));
      kinds_.back()->follower.start();
    }
  }
  [[nodiscard]] const Followed* kind_of(const Owner& owner) const {
    const auto found = std::ranges::find_if(
        kinds_, [&](const auto& known) { return known->resource.kind == owner.kind && known->resource.group == owner.group(); });
    return found == kinds_.end() ? nullptr : found->get();
  }

  // --- what the watches tell

  sim::Seen seen(Followed& kind, std::string_view json) {
    Node node;
    if (!read(json, node)) return {};
    sim::Seen seen{node.ns + "/" + node.name, node.version};
    take(kind, seen.key, std::move(node));
    return seen;
  }

  void take(Followed& kind, const std::string& key, Node node) {
    if (kind.resource.kind == "CustomResourceDefinition") discover_after(kDiscoveryDelay);
    node.kind = kind.number;
    std::string& uid = kind.uids[key];
    if (!uid.empty() && uid != node.uid) lost(uid);
    uid = node.uid;
    // Owners that it names no more may have waited for that.
    if (const Node* before = graph_.find(node.uid)) {
      for (const auto& owner : before->owners) {
        if (std::ranges::find(node.owners, owner.uid, &Owner::uid) == node.owners.end()) look_soon(owner.uid);
      }
    }
    const Node& known = graph_.put(std::move(node));
    const bool matters = known.deleting || !known.owners.empty();
    if (matters) look_soon(known.uid);
    // A namespace under deletion gets no new objects, but one may have been under way.
    if (!known.ns.empty() && emptying_.contains(known.ns)) look_soon(emptying_[known.ns]);
  }

  void gone(Followed& kind, const std::string& key) {
    const auto found = kind.uids.find(key);
    if (found == kind.uids.end()) return;
    const std::string uid = found->second;
    kind.uids.erase(found);
    lost(uid);
  }

  void lost(const std::string& uid) {
    const Node* node = graph_.find(uid);
    if (node == nullptr) return;
    std::vector<std::string> concerned = graph_.dependents(uid);
    for (const auto& owner : node->owners) concerned.push_back(owner.uid);
    if (const auto home = emptying_.find(node->ns); home != emptying_.end()) concerned.push_back(home->second);
    if (is_namespace(*node)) emptying_.erase(node->name);
    graph_.erase(uid);
    for (const auto& other : concerned) look_soon(other);
  }

  void look_at_all() {
    for (const auto& kind : kinds_) {
      for (const auto& [key, uid] : kind->uids) look_soon(uid);
    }
  }

  void look_soon(const std::string& uid) {
    pending_.push_back(uid);
    if (pending_.size() > 1) return;
    client_.executor().post(life_->bind([this] {
      const std::deque<std::string> batch = std::move(pending_);
      pending_.clear();
      for (const auto& one : batch) look(one);
    }));
  }

  // --- what an object needs

  [[nodiscard]] bool is_namespace(const Node& node) const {
    const auto& resource = kinds_[node.kind]->resource;
    return resource.group.empty() && resource.kind == "Namespace";
  }

  void look(const std::string& uid) {
    Node* node = graph_.find(uid);
    if (node == nullptr || node->busy) return;
    if (node->deleting) {
      if (node->has_finalizer(kOrphan)) {
        orphan_dependents(*node);
      } else if (node->has_finalizer(kForeground)) {
        delete_dependents(*node);
      } else if (is_namespace(*node)) {
        empty_namespace(*node);
      }
      return;
    }
    if (!node->owners.empty()) judge_owners(*node);
  }

  enum class Fate : std::uint8_t { kSolid, kWaiting, kAbsent, kUnknown };
  Fate fate_of(const Node& node, const Owner& owner) {
    if (const Node* known = graph_.find(owner.uid)) {
      return known->deleting && known->has_finalizer(kForeground) ? Fate::kWaiting : Fate::kSolid;
    }
    if (graph_.was_deleted(owner.uid)) return Fate::kAbsent;
    const Followed* kind = kind_of(owner);
    if (kind == nullptr || !kind->ready) return Fate::kSolid;  // a kind that nobody serves is no reason to delete
    ask_for(node, owner, *kind);
    return Fate::kUnknown;
  }

  void judge_owners(Node& node) {
    std::vector<const Owner*> solid;
    bool waiting = false;
    for (const auto& owner : node.owners) {
      const Fate fate = fate_of(node, owner);
      if (fate == Fate::kUnknown) return;
      if (fate == Fate::kSolid) solid.push_back(&owner);
      waiting |= fate == Fate::kWaiting;
    }
    if (solid.size() == node.owners.size()) return;
    if (!solid.empty()) return write_owners(node, solid);
    const bool foreground = (waiting && !graph_.dependents(node.uid).empty()) || node.has_finalizer(kForeground);
    remove(node, node.has_finalizer(kOrphan) ? "Orphan" : foreground ? "Foreground" : "Background");
  }

  /// An owner that the watches have not shown: the server knows.
  void ask_for(const Node& node, const Owner& owner, const Followed& kind) {
    if (!asking_.insert(owner.uid).second) return;
    const std::string ns = kind.resource.namespaced() ? node.ns : std::string();
    client_.send(client::get(kind.resource, {ns, owner.name}),
                 life_->bind([this, dependent = node.uid, uid = owner.uid](const client::Outcome& outcome) {
                   asking_.erase(uid);
                   const bool absent =
                       outcome ? outcome->body.find("\"uid\":\"" + uid + "\"") == std::string::npos : outcome.error().not_found();
                   if (!absent)
                     return look_after(kRetryDelay, dependent);  // it is there and the watch will show it, or the server fails
                   // Remembered as one that went, so that its other dependents need no question of their own.
                   graph_.note_deleted(uid);
                   for (const auto& other : graph_.dependents(uid)) look_soon(other);
                 }));
  }

  void look_after(base::Duration delay, const std::string& uid) {
    client_.executor().post_after(delay, life_->bind([this, uid] { look(uid); }));
  }

  void delete_dependents(Node& owner) {
    bool blocked = false;
    for (const auto& uid : graph_.dependents(owner.uid)) {
      Node* dependent = graph_.find(uid);
      if (dependent == nullptr) continue;
      for (const auto& reference : dependent->owners) blocked |= reference.uid == owner.uid && reference.blocks;
      if (!dependent->deleting && !dependent->busy) judge_owners(*dependent);
    }
    if (!blocked) drop_finalizer(owner, kForeground);
  }

  void orphan_dependents(Node& owner) {
    bool left = false;
    for (const auto& uid : graph_.dependents(owner.uid)) {
      Node* dependent = graph_.find(uid);
      if (dependent == nullptr) continue;
      left = true;
      if (dependent->busy) continue;
      std::vector<const Owner*> others;
      for (const auto& reference : dependent->owners) {
        if (reference.uid != owner.uid) others.push_back(&reference);
      }
      write_owners(*dependent, others);
    }
    if (!left) drop_finalizer(owner, kOrphan);
  }

  void empty_namespace(Node& home) {
    emptying_[home.name] = home.uid;
    bool left = false;
    for (const auto& uid : graph_.in_namespace(home.name)) {
      Node* object = graph_.find(uid);
      left = true;
      if (!object->deleting && !object->busy) remove(*object, "Background");
    }
    if (left) return;
    client::Request request;
    request.method = "PUT";
    request.path = client::path_of(api::kNamespaces, "", home.name, "finalize");
    request.content_type = "application/json";
    request.body =
        R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + home.name + R"("},"spec":{"finalizers":[]}})";
    send(home, std::move(request));
  }

  // --- requests about one object; one at a time each

  void send(Node& node, client::Request request) {
    node.busy = true;
    client_.send(std::move(request), life_->bind([this, uid = node.uid](const client::Outcome& outcome) {
      Node* found = graph_.find(uid);
      if (found == nullptr) return;
      found->busy = false;
      if (outcome || outcome.error().not_found()) return;
      if (!outcome.error().conflict()) ++stats_.failures;
      look_after(kRetryDelay, uid);
    }));
  }

  void remove(Node& node, std::string_view policy) {
    ++stats_.deleted;
    client::DeleteOptions options;
    options.uid = node.uid;
    options.propagation = policy;
    send(node, client::remove(kinds_[node.kind]->resource, {node.ns, node.name}, options));
  }

  static base::JsonWriter begin_metadata(const Node& node) {
    base::JsonWriter w;
    w.begin_object().key("metadata").begin_object().key("uid").string(node.uid);
    w.key("resourceVersion").string(std::to_string(node.version));
    return w;
  }

  void write_owners(Node& node, const std::vector<const Owner*>& owners) {
    ++stats_.released;
    base::JsonWriter w = begin_metadata(node);
    w.key("ownerReferences").begin_array();
    for (const Owner* owner : owners) {
      w.begin_object()
          .key("apiVersion")
          .string(owner->api_version)
          .key("kind")
          .string(owner->kind)
          .key("name")
          .string(owner->name);
      w.key("uid").string(owner->uid);
      if (owner->controller) w.key("controller").boolean(true);
      if (owner->blocks) w.key("blockOwnerDeletion").boolean(true);
      w.end_object();
    }
    w.end_array().end_object().end_object();
    send(node, client::patch(kinds_[node.kind]->resource, {node.ns, node.name}, client::PatchType::kMerge, std::move(w).text()));
  }

  void drop_finalizer(Node& node, std::string_view finalizer) {
    ++stats_.released;
    base::JsonWriter w = begin_metadata(node);
    w.key("finalizers").begin_array();
    for (const auto& other : node.finalizers) {
      if (other != finalizer) w.string(other);
    }
    w.end_array().end_object().end_object();
    send(node, client::patch(kinds_[node.kind]->resource, {node.ns, node.name}, client::PatchType::kMerge, std::move(w).text()));
  }

  client::Client& client_;
  std::vector<std::unique_ptr<Followed>> kinds_;
  Graph graph_;
  std::deque<std::string> pending_;              // UIDs to look at
  std::set<std::string> asking_;                 // owners that the server was asked for
  std::map<std::string, std::string> emptying_;  // namespaces under deletion -> UID
  CollectorStats stats_;
  std::shared_ptr<void> inquiry_;
  bool discovery_planned_ = false;
  std::unique_ptr<base::Lifetime> life_;
};

GarbageCollector::GarbageCollector(client::Client& client) : impl_(std::make_unique<Impl>(client)) {}
GarbageCollector::~GarbageCollector() { impl_->stop(); }
void GarbageCollector::start() { impl_->start(); }
void GarbageCollector::stop() { impl_->stop(); }
CollectorStats GarbageCollector::stats() const { return impl_->stats(); }

}  // namespace kruise::cluster::gc
