#include "cluster/fields/owners.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "base/json_writer.hpp"
#include "cluster/fields/fields_v1.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster::fields {
namespace {

std::int64_t seconds_of(const std::optional<base::Time>& time) {
  return time ? std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count() : 0;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append("\"").append(name).append("\":");
  base::append_json_string(out, value);
  out += ',';
}

std::optional<Owner> parse_owner(const Json& entry, FieldTexts& texts) {
  const auto operation = text_of(entry, "operation");
  if ((operation != "Apply" && operation != "Update") || text_of(entry, "apiVersion").empty() ||
      text_of(entry, "fieldsType") != "FieldsV1") {
    return std::nullopt;
  }
  Owner owner{.manager = std::string(text_of(entry, "manager")),
              .applied = operation == "Apply",
              .api_version = std::string(text_of(entry, "apiVersion")),
              .subresource = std::string(text_of(entry, "subresource")),
              .time = base::parse_time(text_of(entry, "time")),
              .fields = nullptr};
  const Json* said = member(entry, "fieldsV1");
  const auto set = said != nullptr ? parse_fields_v1(*said) : std::optional<FieldSetPtr>(nullptr);
  if (!set) return std::nullopt;
  owner.fields = texts.intern(*set);
  return owner;
}

}  // namespace

bool Owner::is_same_as(const Owner& other) const {
  return manager == other.manager && applied == other.applied && subresource == other.subresource &&
         (applied || api_version == other.api_version);
}

void Owners::append_text(std::string& out) const {
  out += '[';
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const Owner& owner = list_[i];
    out += i > 0 ? ",{" : "{";
    append_member(out, "apiVersion", owner.api_version);
    out.append("\"fieldsType\":\"FieldsV1\",\"fieldsV1\":").append(owner.fields->text).append(",");
    if (!owner.manager.empty()) append_member(out, "manager", owner.manager);
    append_member(out, "operation", owner.applied ? "Apply" : "Update");
    if (!owner.subresource.empty()) append_member(out, "subresource", owner.subresource);
    if (owner.time) append_member(out, "time", base::format_time(*owner.time));
    out.back() = '}';
  }
  out += ']';
}

bool Owners::equal_but_for_times(const Owners& other) const {
  return std::ranges::equal(list_, other.list_, [](const Owner& a, const Owner& b) {
    return a.is_same_as(b) && a.api_version == b.api_version && equal(a.fields->set, b.fields->set);
  });
}

OwnedFieldsPtr FieldTexts::intern(const FieldSetPtr& set) {
  auto made = std::make_shared<const OwnedFields>(OwnedFields{.set = set, .text = fields_v1(set)});
  const std::size_t hash = std::hash<std::string>()(made->text);
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(hash); known != known_.end()) {
    if (auto held = known->second.lock()) return held->text == made->text ? held : made;  // another of that hash is not shared
    known->second = made;
    return made;
  }
  if (known_.size() >= sweep_at_) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(kSweepAtMin, known_.size() * 2);
  }
  known_.emplace(hash, made);
  return made;
}

void sort_owners(std::vector<Owner>& owners) {
  std::ranges::sort(owners, [](const Owner& a, const Owner& b) {
    const auto rank = [](const Owner& owner) {
      return std::tuple<bool, std::int64_t, const std::string&, const std::string&, const std::string&>(
          !owner.applied, seconds_of(owner.time), owner.manager, owner.api_version, owner.subresource);
    };
    return rank(a) < rank(b);
  });
}

std::optional<std::vector<Owner>> parse_owners(const Json& managed_fields, FieldTexts& texts) {
  if (!managed_fields.is_array()) return std::nullopt;
  std::vector<Owner> owners;
  for (const Json& entry : managed_fields) {
    auto owner = parse_owner(entry, texts);
    if (!owner) return std::nullopt;
    const auto twin = std::ranges::find_if(owners, [&](const Owner& other) { return owner->is_same_as(other); });
    if (twin == owners.end()) {
      owners.push_back(std::move(*owner));
    } else {
      *twin = std::move(*owner);
    }
  }
  return owners;
}

bool resets_owners(const Json& managed_fields) {
  if (!managed_fields.is_array()) return false;
  return managed_fields.empty() || (managed_fields.size() == 1 && managed_fields[0].is_object() && managed_fields[0].empty());
}

}  // namespace kruise::cluster::fields
