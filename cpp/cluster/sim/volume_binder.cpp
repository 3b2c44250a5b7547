#include "cluster/sim/volume_binder.hpp"

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

using base::JsonWriter;

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);
constexpr std::string_view kProtection = "kubernetes.io/pvc-protection";

}  // namespace

class VolumeBinder::Impl {
 public:
  Impl(client::Client& client, base::Random random, VolumeBinderOptions options)
      : client_(client),
        random_(random),
        options_(options),
        claim_sink_([this](std::string_view json) { return claim_seen(json); },
                    [this](const std::string& key) { claim_gone(key); }),
        pod_sink_([this](std::string_view json) { return pod_seen(json); }, [this](const std::string& key) { pod_gone(key); }),
        claims_followed_(client, api::kClaims, claim_sink_),
        pods_followed_(client, api::kPods, pod_sink_) {}

  void start() {
    life_ = std::make_unique<base::Lifetime>();
    // Pods first: a claim must not be let go before its pods are known.
    if (options_.release_claims) pods_followed_.start();
    claims_followed_.start();
  }
  void stop() {
    claims_followed_.stop();
    pods_followed_.stop();
    life_.reset();
    claims_.clear();
    users_.clear();
    used_by_.clear();
  }
  [[nodiscard]] std::uint64_t bound() const { return bound_; }

 private:
  struct Claim {
    ClaimRecord record;
    bool binding = false;
    bool releasing = false;
  };

  Seen claim_seen(std::string_view json) {
    ClaimRecord record;
    if (!read(json, record)) return {};
    Seen seen{record.key(), record.version};
    take_claim(seen.key, std::move(record));
    return seen;
  }

  void take_claim(const std::string& key, ClaimRecord record) {
    Claim& claim = claims_[key];
    if (claim.record.uid != record.uid) claim = {};
    claim.record = std::move(record);
    if (claim.record.deleting) return plan_release(key, claim);
    if (claim.record.phase == "Bound" || claim.binding) return;
    claim.binding = true;
    bind_after(draw(options_.bind, 1.0, random_), key, claim.record.uid);
  }

  void claim_gone(const std::string& key) {
    const auto found = claims_.find(key);
    if (found == claims_.end()) return;
    if (options_.make_volumes && !found->second.record.volume.empty()) {
      client_.send(client::remove(api::kVolumes, {"", found->second.record.volume}), life_->bind([](const client::Outcome&) {}));
    }
    claims_.erase(found);
  }

  // --- binding

  void bind_after(base::Duration delay, const std::string& key, const std::string& uid) {
    client_.executor().post_after(delay, life_->bind([this, key, uid] {
      const auto found = claims_.find(key);
      if (found == claims_.end() || found->second.record.uid != uid || found->second.record.deleting) return;
      options_.make_volumes ? make_volume(key, found->second.record) : mark_bound(key, found->second.record);
    }));
  }

  static void write_capacity(JsonWriter& w, const ClaimRecord& claim) {
    w.key("capacity").begin_object().key("storage").string(claim.storage.empty() ? "1Gi" : claim.storage).end_object();
    w.key("accessModes").begin_array();
    for (const auto& mode : claim.access_modes) w.string(mode);
    w.end_array();
  }

  void make_volume(const std::string& key, const ClaimRecord& claim) {
    const std::string name = "pvc-" + claim.uid;
    JsonWriter w;
    w.begin_object().key("apiVersion").string("v1").key("kind").string("PersistentVolume");
    w.key("metadata").begin_object().key("name").string(name).end_object().key("spec").begin_object();
    write_capacity(w, claim);
    w.key("persistentVolumeReclaimPolicy")
        .string("Delete")
        .key("hostPath")
        .begin_object()
        .key("path")
        .string("/simulated/" + name)
        .end_object();
    w.key("claimRef").begin_object().key("apiVersion").string("v1").key("kind").string("PersistentVolumeClaim");
    w.key("namespace")
        .string(claim.ns)
        .key("name")
        .string(claim.name)
        .key("uid")
        .string(claim.uid)
        .end_object()
        .end_object()
        .end_object();
    client_.send(client::create(api::kVolumes, "", std::move(w).text()),
                 answer(key, claim.uid, [this, key, uid = claim.uid, name] {
                   client_.send(client::patch(api::kVolumes, {"", name}, client::PatchType::kMerge,
                                              R"({"status":{"phase":"Bound"}})", {.subresource = "status"}),
                                life_->bind([](const client::Outcome&) {}));
                   const auto found = claims_.find(key);
                   if (found != claims_.end() && found->second.record.uid == uid) name_volume(key, found->second.record, name);
                 }));
  }

  void name_volume(const std::string& key, const ClaimRecord& claim, const std::string& volume) {
    JsonWriter w;
    w.begin_object().key("metadata").begin_object().key("uid").string(claim.uid).end_object();
    w.key("spec").begin_object().key("volumeName").string(volume).end_object().end_object();
    client_.send(client::patch(api::kClaims, {claim.ns, claim.name}, client::PatchType::kMerge, std::move(w).text()),
                 answer(key, claim.uid, [this, key, uid = claim.uid] {
                   const auto found = claims_.find(key);
                   if (found != claims_.end() && found->second.record.uid == uid) mark_bound(key, found->second.record);
                 }));
  }

  void mark_bound(const std::string& key, const ClaimRecord& claim) {
    JsonWriter w;
    w.begin_object().key("metadata").begin_object().key("uid").string(claim.uid).end_object();
    w.key("status").begin_object().key("phase").string("Bound");
    write_capacity(w, claim);
    w.end_object().end_object();
    client_.send(client::patch(api::kClaims, {claim.ns, claim.name}, client::PatchType::kMerge, std::move(w).text(),
                               {.subresource = "status"}),
                 answer(key, claim.uid, [this] { ++bound_; }));
  }

  /// Goes on with `then`; on an error binding begins anew, unless the claim is gone or another one.
  client::Done answer(const std::string& key, const std::string& uid, std::function<void()> then) {
    return life_->bind([this, key, uid, then = std::move(then)](const client::Outcome& outcome) {
      if (outcome || outcome.error().already_exists()) return then();
      if (!outcome.error().not_found() && !outcome.error().conflict()) bind_after(kRetryDelay, key, uid);
    });
  }

  // --- claims whose pods are gone

  Seen pod_seen(std::string_view json) {
    if (!read(json, pod_record_)) return {};
    take_pod(pod_record_);
    return {pod_record_.key(), pod_record_.version};
  }

  void take_pod(const PodRecord& record) {
    if (record.finished()) return pod_gone(record.key());
    auto& uses = users_[record.key()];
    if (!uses.empty() || record.claims.empty()) return;  // what a pod mounts never changes
    for (const auto& name : record.claims) {
      uses.push_back(record.ns + "/" + name);
      used_by_[uses.back()].insert(record.key());
    }
  }

  void pod_gone(const std::string& key) {
    const auto found = users_.find(key);
    if (found == users_.end()) return;
    const std::vector<std::string> uses = std::move(found->second);
    users_.erase(found);
    for (const auto& claim_key : uses) {
      used_by_[claim_key].erase(key);
      if (used_by_[claim_key].empty()) used_by_.erase(claim_key);
      const auto claim = claims_.find(claim_key);
      if (claim != claims_.end() && claim->second.record.deleting) plan_release(claim_key, claim->second);
    }
  }

  void plan_release(const std::string& key, Claim& claim) {
    if (!options_.release_claims || !claim.record.protected_by_pods || claim.releasing || used_by_.contains(key)) return;
    claim.releasing = true;
    release_after(base::Duration(0), key, claim.record.uid);
  }

  void release_after(base::Duration delay, const std::string& key, const std::string& uid) {
    client_.executor().post_after(delay, life_->bind([this, key, uid] {
      const auto found = claims_.find(key);
      if (found == claims_.end() || found->second.record.uid != uid) return;
      found->second.releasing = false;
      if (used_by_.contains(key) || !found->second.record.protected_by_pods) return;
      found->second.releasing = true;
      const ClaimRecord& claim = found->second.record;
      JsonWriter w;
      w.begin_object().key("metadata").begin_object().key("uid").string(claim.uid);
      w.key("$deleteFromPrimitiveList/finalizers").begin_array().string(kProtection).end_array().end_object().end_object();
      client_.send(client::patch(api::kClaims, {claim.ns, claim.name}, client::PatchType::kStrategic, std::move(w).text()),
                   life_->bind([this, key, uid](const client::Outcome& outcome) {
                     if (!outcome && !outcome.error().not_found() && !outcome.error().conflict())
                       release_after(kRetryDelay, key, uid);
                   }));
    }));
  }

  client::Client& client_;
  base::Random random_;
  const VolumeBinderOptions options_;
  FunctionSink claim_sink_;
  FunctionSink pod_sink_;
  Follower claims_followed_;
  Follower pods_followed_;
  std::map<std::string, Claim> claims_;                              // by key
  std::unordered_map<std::string, std::vector<std::string>> users_;  // pod -> claims it mounts
  std::unordered_map<std::string, std::set<std::string>> used_by_;   // claim -> pods
  PodRecord pod_record_;
  std::uint64_t bound_ = 0;
  std::unique_ptr<base::Lifetime> life_;
};

VolumeBinder::VolumeBinder(client::Client& client, base::Random random, VolumeBinderOptions options)
    : impl_(std::make_unique<Impl>(client, random, options)) {}
VolumeBinder::~VolumeBinder() { impl_->stop(); }
void VolumeBinder::start() { impl_->start(); }
void VolumeBinder::stop() { impl_->stop(); }
std::uint64_t VolumeBinder::bound() const { return impl_->bound(); }

}  // namespace kruise::cluster::sim
