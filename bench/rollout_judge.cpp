#include "rollout_judge.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "client/client.hpp"

namespace kruise::bench {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kViolationsMax = 100;

element parsed(simdjson::dom::parser& parser, std::string_view text) {
  static_assert(client::Client::kPadding >= simdjson::SIMDJSON_PADDING);
  element root;
  if (parser.parse(text.data(), text.size(), false).get(root) != simdjson::SUCCESS)
    throw std::runtime_error("an object in storage is no JSON: " + std::string(text.substr(0, 200)));
  return root;
}

std::string_view text_of(const element& value, std::string_view name) {
  std::string_view text;
  return value[name].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

std::int64_t number_of(const element& value, std::string_view name, std::int64_t otherwise) {
  std::int64_t number = 0;
  return value[name].get(number) == simdjson::SUCCESS ? number : otherwise;
}

/// The elements of a list, none where there is no list.
template <class Each>
void each(const simdjson::simdjson_result<element>& list, Each&& visit) {
  simdjson::dom::array items;
  if (list.get(items) != simdjson::SUCCESS) return;
  for (const element item : items) visit(item);
}

std::string controller_of(const element& metadata) {
  std::string uid;
  each(metadata["ownerReferences"], [&](const element& owner) {
    bool controls = false;
    if (owner["controller"].get(controls) == simdjson::SUCCESS && controls) uid = text_of(owner, "uid");
  });
  return uid;
}

/// A number, or a percentage of `total`.
std::int64_t scaled(const simdjson::simdjson_result<element>& value, std::string_view otherwise, std::int64_t total, bool up) {
  std::int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) text = otherwise;
  const double exact = std::stod(std::string(text)) * (text.ends_with('%') ? static_cast<double>(total) / 100 : 1.0);
  return static_cast<std::int64_t>(up ? std::ceil(exact) : std::floor(exact));
}

}  // namespace

RolloutJudge::Set RolloutJudge::read_set(std::string_view text) const {
  simdjson::dom::parser parser;
  const element root = parsed(parser, text);
  const element metadata = root["metadata"], spec = root["spec"];
  if (number_of(spec, "minReadySeconds", 0) != 0) throw std::runtime_error("a set with minReadySeconds is not judged here");
  element rules;
  if (spec["selector"]["matchExpressions"].get(rules) == simdjson::SUCCESS)
    throw std::runtime_error("a set with matchExpressions is not judged here");
  Set set;
  set.uid = text_of(metadata, "uid");
  set.replicas = number_of(spec, "replicas", 1);
  const auto strategy = spec["updateStrategy"];
  set.max_surge = scaled(strategy["maxSurge"], "0", set.replicas, true);
  set.max_unavailable = scaled(strategy["maxUnavailable"], "20%", set.replicas, set.max_surge == 0);
  set.partition = std::clamp<std::int64_t>(scaled(strategy["partition"], "0", set.replicas, true), 0, set.replicas);
  std::string_view percent;
  if (strategy["partition"].get(percent) == simdjson::SUCCESS && percent != "100%" && set.partition == set.replicas &&
      set.replicas > 1) {
    --set.partition;
  }
  if (object labels; spec["selector"]["matchLabels"].get(labels) == simdjson::SUCCESS) {
    for (const auto& [key, value] : labels) set.selector.emplace(key, std::string_view(value));
  }
  each(metadata["finalizers"], [&](const element& name) { set.orphaning |= std::string_view(name) == "orphan"; });
  return set;
}

RolloutJudge::Facts RolloutJudge::read_pod(std::string_view text) const {
  thread_local simdjson::dom::parser parser;
  const element root = parsed(parser, text);
  const element metadata = root["metadata"];
  Facts facts;
  facts.owner = controller_of(metadata);
  std::string_view state;
  facts.matches = set_.has_value();
  std::size_t matched = 0;
  if (object labels; metadata["labels"].get(labels) == simdjson::SUCCESS) {
    for (const auto& [key, value] : labels) {
      const std::string_view is = value;
      if (key == "controller-revision-hash") facts.revision = is;
      if (key == "lifecycle.apps.kruise.io/state") state = is;
      if (!set_) continue;
      if (const auto wanted = set_->selector.find(key); wanted != set_->selector.end() && wanted->second == is) ++matched;
    }
  }
  facts.matches = set_ && matched == set_->selector.size();
  element status;
  if (root["status"].get(status) != simdjson::SUCCESS) status = root;
  const std::string_view phase = text_of(status, "phase");
  element deleted;
  facts.active = metadata["deletionTimestamp"].get(deleted) != simdjson::SUCCESS && phase != "Succeeded" && phase != "Failed";
  bool in_place_ready = true;
  each(status["conditions"], [&](const element& condition) {
    const std::string_view type = text_of(condition, "type");
    if (type == "Ready") facts.ready = text_of(condition, "status") == "True";
    if (type == "InPlaceUpdateReady") in_place_ready = text_of(condition, "status") == "True";
  });
  facts.available = facts.active && phase == "Running" && facts.ready && in_place_ready && (state.empty() || state == "Normal");
  each(status["containerStatuses"], [&](const element& container) {
    if (facts.image_id.empty()) facts.image_id = text_of(container, "imageID");
  });
  return facts;
}

void RolloutJudge::on_write(const cluster::StorageEvent& event) {
  const bool by_manager = event.user_agent.starts_with("kruise-manager");
  ++writes_[std::string(event.user_agent).append(" ").append(event.plural)];
  const bool gone = event.type == "DELETED";
  if (event.plural == "clonesets") {
    if (gone) {
      set_.reset();
      return;
    }
    Set set = read_set(event.after);
    if (set_ && set_->uid != set.uid) throw std::runtime_error("more than one set is not judged here");
    set_ = std::move(set);
  } else if (event.plural == "controllerrevisions") {
    take_revision(event);
  } else if (event.plural == "pods") {
    const auto known = pods_.find(std::string(event.name));
    std::optional<Facts> now;
    if (!gone) now = read_pod(event.after);
    if (by_manager) {
      ++judged_;
      judge(event, known == pods_.end() ? nullptr : &known->second.facts, now ? &*now : nullptr);
    }
    take_pod(event.name, std::move(now));
  }
}

void RolloutJudge::judge(const cluster::StorageEvent& event, const Facts* before, const Facts* after) {
  if (!set_) return;
  const auto violated = [&](const std::string& what) {
    if (violations_.size() >= kViolationsMax) return;
    violations_.push_back("version " + std::to_string(event.resource_version) + ", pod " + std::string(event.name) + " " + what +
                          " (replicas " + std::to_string(set_->replicas) + ", present " + std::to_string(all_) +
                          ", unavailable " + std::to_string(unavailable_) + ", at the newest revision " +
                          std::to_string(at_newest()) + ")");
  };
  if (before == nullptr) {
    if (after != nullptr && ours(*after) && all_ + 1 > set_->replicas + set_->max_surge)
      violated("created beyond replicas and surge");
    return;
  }
  if (!ours(*before)) return;
  const std::int64_t budget = set_->max_unavailable + std::max<std::int64_t>(all_ - set_->replicas, 0);
  if (before->available && (after == nullptr || !after->available) && unavailable_ >= budget)
    violated("made unavailable beyond the budget of " + std::to_string(budget));
  if (after == nullptr) return;
  if (before->revision != after->revision && after->revision == newest_ && all_ - at_newest() <= set_->partition)
    violated("moved beyond the partition of " + std::to_string(set_->partition));
  if (!ours(*after) && after->matches && !set_->orphaning) violated("lost its owner");
}

void RolloutJudge::take_revision(const cluster::StorageEvent& event) {
  if (event.type == "DELETED") {
    if (const auto known = revisions_.find(event.name); known != revisions_.end()) revisions_.erase(known);
  } else {
    simdjson::dom::parser parser;
    const element root = parsed(parser, event.after);
    if (!set_ || controller_of(root["metadata"]) != set_->uid) return;
    revisions_.insert_or_assign(std::string(event.name), number_of(root, "revision", 0));
  }
  const auto newest = std::ranges::max_element(revisions_, {}, [](const auto& entry) { return entry.second; });
  newest_ = newest == revisions_.end() ? std::string() : newest->first;
}

std::int64_t RolloutJudge::at_newest() const {
  const auto found = by_revision_.find(newest_);
  return found == by_revision_.end() ? 0 : found->second;
}

void RolloutJudge::count(const Facts& facts, int sign) {
  if (!ours(facts) || !facts.active) return;
  all_ += sign;
  if (!facts.available) unavailable_ += sign;
  by_revision_[facts.revision] += sign;
}

void RolloutJudge::take_pod(std::string_view name, std::optional<Facts> now) {
  const auto known = pods_.find(std::string(name));
  if (known != pods_.end()) count(known->second.facts, -1);
  if (!now) {
    if (known != pods_.end()) pods_.erase(known);
    return;
  }
  count(*now, 1);
  Pod& pod = known != pods_.end() ? known->second : pods_[std::string(name)];
  pod.facts = std::move(*now);
  if (pod.stage == Stage::kStart && !pod.facts.ready) pod.stage = Stage::kNotReady;
  if (pod.stage == Stage::kNotReady && pod.facts.image_id != pod.first_image_id) pod.stage = Stage::kNewImage;
  if (pod.stage == Stage::kNewImage && pod.facts.available) {
    pod.stage = Stage::kPassed;
    ++passed_;
  }
}

void RolloutJudge::begin_passes() {
  passed_ = 0;
  for (auto& [_, pod] : pods_) {
    pod.first_image_id = pod.facts.image_id;
    pod.stage = Stage::kStart;
  }
}

}  // namespace kruise::bench
