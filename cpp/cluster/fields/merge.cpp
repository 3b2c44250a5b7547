#include "cluster/fields/merge.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/fields/compare.hpp"

namespace kruise::cluster::fields {
namespace {

using Form = FieldType::Form;

bool is_list(Form form) { return form == Form::kSet || form == Form::kKeyed; }
bool empty_or_no(const Json& value, bool wanted) { return !wanted || value.empty(); }

struct Keyed {
  std::string key;
  const Json* item;
};

std::vector<Keyed> keyed(const Json& list, const FieldType& type) {
  std::vector<Keyed> out;
  for (const Json& item : list) out.push_back({element_key(item, type), &item});
  return out;
}

/// Both orders are kept as far as they agree; where they don't, the applied one counts.
class ListMerger {
 public:
  ListMerger(const Json& live, const Json& config, const FieldType& type)
      : type_(type), live_(keyed(live, type)), config_(keyed(config, type)) {
    for (const auto& one : live_) ++count_of_live_[one.key];
    for (const auto& one : live_) by_live_.emplace(one.key, one.item);
    for (const auto& one : config_) {
      by_config_.emplace(one.key, one.item);
      if (by_live_.contains(one.key)) shared_.push_back(one.key);
    }
  }

  Json merged() {
    std::size_t at_live = 0;
    std::size_t at_config = 0;
    while (at_live < live_.size() || at_config < config_.size()) {
      if (at_live < live_.size() && at_config < config_.size()) {
        const std::string& key = live_[at_live].key;
        if (key == config_[at_config].key) {
          take(key);
          ++at_live;
          ++at_config;
          advance();
          continue;
        }
        if (by_config_.contains(key) && next_ < shared_.size() && shared_[next_] != key) {
          ++at_live;  // shared, and its turn comes later
          continue;
        }
      }
      if (at_live < live_.size()) {
        const std::string& key = live_[at_live].key;
        if (!by_config_.contains(key)) {
          out_.push_back(*live_[at_live++].item);
          continue;
        }
        if (taken_.contains(key)) {
          ++at_live;
          continue;
        }
      }
      if (at_config < config_.size()) {
        const std::string& key = config_[at_config++].key;
        take(key);
        if (next_ < shared_.size() && shared_[next_] == key) advance();
      }
    }
    return std::move(out_);
  }

 private:
  void advance() {
    if (next_ < shared_.size()) ++next_;
  }

  void take(const std::string& key) {
    taken_.emplace(key, true);
    const Json& item = *by_config_.at(key);
    const auto live = by_live_.find(key);
    const bool one = live != by_live_.end() && count_of_live_[key] == 1;
    out_.push_back(one ? merge(*live->second, item, type_.item()) : item);
  }

  const FieldType& type_;
  std::vector<Keyed> live_, config_;
  std::map<std::string, const Json*> by_live_, by_config_;
  std::map<std::string, int> count_of_live_;
  std::map<std::string, bool> taken_;
  std::vector<std::string> shared_;  // keys of both, in the order of the configuration
  std::size_t next_ = 0;             // the shared key whose turn it is
  Json out_ = Json::array();
};

}  // namespace

Json merge(const Json& live, const Json& config, const FieldType& type) {
  const Form form = type.form_of(&config);
  if (form == Form::kObject && config.is_object() && live.is_object()) {
    if (config.empty() && live.empty()) return config;
    Json out = live;
    for (const auto& [name, value] : config.items()) {
      const auto has = out.find(name);
      if (has == out.end()) {
        out[name] = value;
      } else {
        *has = merge(*has, value, type.member(name));
      }
    }
    return out;
  }
  if (is_list(form) && config.is_array() && live.is_array()) {
    if (config.empty() && live.empty()) return config;
    return ListMerger(live, config, type).merged();
  }
  // A null object or list of a configuration says nothing about the parts.
  if (config.is_null() && (form == Form::kObject || is_list(form)) && live.is_structured() && !live.empty()) return live;
  return config;
}

Json remove_fields(const Json& value, const FieldSetPtr& set, const FieldType& type) {
  if (!set) return value;
  const Form form = type.form_of(&value);
  if (form == Form::kObject && value.is_object()) {
    Json out = Json::object();
    for (const auto& [name, part] : value.items()) {
      const FieldSet::Entry* entry = set->find(member_key(name));
      if (entry == nullptr) {
        out[name] = part;
      } else if (!entry->member) {
        out[name] = remove_fields(part, entry->below, type.member(name));
      }
    }
    return empty_or_no(out, !value.empty()) ? Json(nullptr) : out;
  }
  if (is_list(form) && value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value) {
      const FieldSet::Entry* entry = set->find(element_key(item, type));
      if (entry == nullptr) {
        out.push_back(item);
      } else if (!entry->member) {
        out.push_back(remove_fields(item, entry->below, type.item()));
      }
    }
    return out.empty() && !value.empty() ? Json(nullptr) : out;
  }
  return value;
}

FieldSetPtr with_declared_members(const FieldSetPtr& set, const FieldType& type) {
  if (!set) return nullptr;
  std::vector<FieldSet::Entry> entries;
  for (const auto& entry : set->entries()) {
    const bool named = entry.key.starts_with("f:");
    const std::string_view name = named ? std::string_view(entry.key).substr(2) : std::string_view{};
    const FieldType& below = named ? type.member(name) : type.item();
    entries.push_back({entry.key, entry.member || (named && type.declared(name) != nullptr && entry.below),
                       with_declared_members(entry.below, below)});
  }
  return make_set(std::move(entries));
}

}  // namespace kruise::cluster::fields
