#include "cluster/verbs/scale_owners.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr const char* kScaleVersion = "autoscaling/v1";
constexpr std::string_view kCountOfScale[] = {"f:spec", "f:replicas"};

std::vector<std::string_view> views(const std::vector<std::string>& keys) { return {keys.begin(), keys.end()}; }

}  // namespace

ScaleOwners::ScaleOwners(Call& call, const OwnersPtr& of_object) : call_(call), object_(list_of(of_object)) {
  for (const auto& owner : object_) {
    const auto path = path_in(owner.api_version);
    if (path.empty() || !fields::contains(owner.fields->set, views(path))) continue;
    fields::Owner& seen = scale_.emplace_back(owner);
    seen.api_version = kScaleVersion;
    seen.fields = call.context.field_texts().intern(fields::set_of_path(kCountOfScale));
  }
}

/// Where the count stands in a version of the kind; empty when it is not served.
std::vector<std::string> ScaleOwners::path_in(const std::string& api_version) const {
  const KindPtr kind = kind_in(call_, api_version);
  if (!kind || !kind->traits().scale) return {};
  std::vector<std::string> keys;
  const std::string path = kind->scale_paths().spec_replicas;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t end = std::min(path.find('.', from), path.size());
    keys.push_back(fields::member_key(std::string_view(path).substr(from, end - from)));
    from = end + 1;
  }
  return keys;
}

fields::Write ScaleOwners::write() const {
  fields::Write write = write_of(call_);
  return {.type = fields::FieldType::of(*api::core_type("autoscaling", "v1", "Scale")),
          .api_version = kScaleVersion,
          .manager = std::move(write.manager),
          .subresource = std::move(write.subresource),
          .time = write.time,
          .ignored = nullptr,
          .texts = write.texts,
          .version = [](const std::string&) { return std::optional<fields::Version>(); }};
}

void ScaleOwners::update(const Json& before, const Json& after) {
  scale_ = fields::track_update(write(), before, after, std::move(scale_), false);
}

base::Result<Json, Response> ScaleOwners::apply(const Json& live, const Json& config, bool force) {
  const fields::Write own = write();
  if (auto refusal = check_form(config, own.type)) return *refusal;
  auto outcome = fields::apply(own, live, Json::object(), config, scale_, force);
  if (const auto* conflicts = std::get_if<1>(&outcome)) return conflicts_answer(*conflicts);
  if (call_.kind->custom()) {  // the original cannot do it
    return answer(
        {.code = 500,
         .message = "failed to convert new object (" + call_.info.ns + "/" + call_.info.name +
                    "; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: " +
                    kScaleVersion});
  }
  auto& applied = std::get<fields::Applied>(outcome);
  scale_ = std::move(applied.owners);
  if (!applied.tree) return live;
  return std::move(*applied.tree);
}

OwnersPtr ScaleOwners::of_object() const {
  std::vector<fields::Owner> owners;
  std::vector<fields::Owner> scale = scale_;
  for (const auto& owner : object_) {
    const auto path = path_in(owner.api_version);
    if (path.empty()) continue;
    if (!fields::contains(owner.fields->set, views(path))) {
      owners.push_back(owner);
      continue;
    }
    // An update is another entry there, because its version is the Scale's: the count moves to an entry of its own.
    const auto same = std::ranges::find_if(scale, [&](const fields::Owner& other) { return other.is_same_as(owner); });
    if (same != scale.end()) {
      owners.push_back(owner);
      scale.erase(same);
      continue;
    }
    const auto rest = fields::subtract(owner.fields->set, fields::set_of_path(views(path)));
    if (!rest) continue;
    owners.push_back(owner);
    owners.back().fields = call_.context.field_texts().intern(rest);
  }
  const auto own_path = path_in(call_.kind->names().api_version());
  for (auto& owner : scale) {
    if (!fields::contains(owner.fields->set, kCountOfScale)) continue;
    const auto known = std::ranges::find_if(object_, [&](const fields::Owner& other) { return other.is_same_as(owner); });
    // The original forgets the time of an entry that it makes here.
    owner.time = known != object_.end() ? known->time : std::nullopt;
    owner.api_version = call_.kind->names().api_version();
    owner.fields = call_.context.field_texts().intern(fields::set_of_path(views(own_path)));
    owners.push_back(std::move(owner));
  }
  fields::sort_owners(owners);
  return owners_of(std::move(owners));
}

}  // namespace kruise::cluster
