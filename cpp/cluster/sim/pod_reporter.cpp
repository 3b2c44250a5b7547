#include "cluster/sim/pod_reporter.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include "api/scheme.hpp"
#include "base/log.hpp"
#include "client/request.hpp"

namespace kruise::cluster::sim {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::seconds(1);

/// metadata.resourceVersion of an object's text: the first member of that name (quotes within values are escaped).
std::uint64_t version_of(std::string_view json) {
  constexpr std::string_view kName = R"("resourceVersion":")";
  const auto at = json.find(kName);
  std::uint64_t version = 0;
  if (at != std::string_view::npos) std::from_chars(json.data() + at + kName.size(), json.data() + json.size(), version);
  return version;
}

/// Whether there is nothing to repeat: the pod is gone, or another one, and the watch will tell.
bool settled(const client::Outcome& outcome) { return outcome.ok() || outcome.error().not_found() || outcome.error().conflict(); }

}  // namespace

PodReporter::PodReporter(client::Client& client, Pods& pods) : client_(client), pods_(pods) {}

std::string PodReporter::now() const { return base::format_time(client_.executor().clock().now()); }

client::Request PodReporter::status_request(const PodState& pod, std::string body) {
  return client::patch(api::kPods, {pod.ns, pod.name}, client::PatchType::kStrategic, std::move(body), {.subresource = "status"});
}

void PodReporter::report(const std::string& key, PodState& pod) {
  pod.dirty = true;
  if (pod.flushing || pods_.silent(pod)) return;
  pod.flushing = true;
  flush_after(base::Duration(0), key, pod.id);
}

void PodReporter::flush_after(base::Duration delay, const std::string& key, std::uint64_t id) {
  client_.executor().post_after(delay, life_->bind([this, key, id] {
    if (PodState* pod = pods_.find(key, id)) flush(key, *pod);
  }));
}

void PodReporter::flush(const std::string& key, PodState& pod) {
  if (pods_.silent(pod)) {
    pod.flushing = false;
    return;
  }
  pod.dirty = false;
  pod.reported = true;
  ++stats_.reports;
  client_.send(status_request(pod, status_patch(pod, now())),
               life_->bind([this, key, id = pod.id](const client::Outcome& outcome) {
                 if (PodState* found = pods_.find(key, id)) answered(key, *found, outcome);
               }));
}

void PodReporter::answered(const std::string& key, PodState& pod, const client::Outcome& outcome) {
  if (!settled(outcome)) {
    ++stats_.failures;
    base::log::debug(2, "a simulated kubelet's report was refused",
                     {{"pod", base::log::Object{pod.ns, pod.name}}, {"why", outcome.error().text()}});
    pod.dirty = true;
    return flush_after(kRetryDelay, key, pod.id);
  }
  pod.flushing = false;
  if (outcome) pod.written_version = version_of(outcome->body);
  pod.adopt_seen();
  if (pod.dirty) report(key, pod);
  pods_.reported(key, pod);
}

void PodReporter::finish_after(base::Duration delay, const std::string& key, std::uint64_t id) {
  client_.executor().post_after(delay, life_->bind([this, key, id] {
    const PodState* pod = pods_.find(key, id);
    if (pod == nullptr || !pod->terminating) return;
    client::DeleteOptions options;
    options.uid = pod->uid;
    options.grace_period_s = 0;
    client_.send(client::remove(api::kPods, {pod->ns, pod->name}, options),
                 life_->bind([this, key, id](const client::Outcome& outcome) {
                   if (outcome) ++stats_.deletions;
                   if (settled(outcome)) return;
                   ++stats_.failures;
                   finish_after(kRetryDelay, key, id);
                 }));
  }));
}

void PodReporter::mark_not_ready(const PodState& pod) {
  std::string body = R"({"metadata":{"uid":")" + pod.uid +
                     R"("},"status":{"conditions":[{"type":"Ready","status":"False","lastTransitionTime":")" + now() +
                     R"(","reason":null,"message":null}]}})";
  client_.send(status_request(pod, std::move(body)), life_->bind([](const client::Outcome&) {}));
}

}  // namespace kruise::cluster::sim
