#include "cache/selector_index.hpp"

#include <algorithm>

namespace kruise::cache {

SelectorIndex::Anchor SelectorIndex::anchor_of(const api::Selector& selector) {
  using Op = api::Selector::Op;
  const api::Selector::Requirement* best = nullptr;
  const auto has_values = [](const api::Selector::Requirement& r) { return r.op == Op::kEquals || r.op == Op::kIn; };
  for (const auto& requirement : selector.requirements()) {
    if (!has_values(requirement) && requirement.op != Op::kExists) continue;
    const bool better =
        best == nullptr || (has_values(requirement) && (!has_values(*best) || requirement.values.size() < best->values.size()));
    if (better) best = &requirement;
  }
  if (best == nullptr) return {};
  return {best->key, best->values};
}

void SelectorIndex::put(const api::Key& owner, api::Selector selector) {
  remove(owner);
  const Anchor anchor = anchor_of(selector);
  Buckets& buckets = groups_[owner.ns][anchor.key];
  for (const auto& value : anchor.values) buckets.by_value[value].push_back(owner);
  if (anchor.values.empty()) buckets.any_value.push_back(owner);
  selectors_.insert_or_assign(owner, std::move(selector));
}

void SelectorIndex::remove(const api::Key& owner) {
  const auto known = selectors_.find(owner);
  if (known == selectors_.end()) return;
  const Anchor anchor = anchor_of(known->second);
  const auto group = groups_.find(owner.ns);
  const auto buckets = group->second.find(anchor.key);
  for (const auto& value : anchor.values) {
    const auto bucket = buckets->second.by_value.find(value);
    std::erase(bucket->second, owner);
    if (bucket->second.empty()) buckets->second.by_value.erase(bucket);
  }
  std::erase(buckets->second.any_value, owner);
  if (buckets->second.by_value.empty() && buckets->second.any_value.empty()) group->second.erase(buckets);
  if (group->second.empty()) groups_.erase(group);
  selectors_.erase(known);
}

std::vector<api::Key> SelectorIndex::matching(std::string_view ns, const api::Selector::Lookup& label) const {
  std::vector<api::Key> found;
  if (const auto group = groups_.find(ns); group != groups_.end()) add_matching(group->second, label, found);
  if (const auto everywhere = groups_.find(""); !ns.empty() && everywhere != groups_.end())
    add_matching(everywhere->second, label, found);
  std::ranges::sort(found);
  return found;
}

void SelectorIndex::add_matching(const Group& group, const api::Selector::Lookup& label, std::vector<api::Key>& found) const {
  for (const auto& [key, buckets] : group) {
    if (key.empty()) {
      add_those_of(buckets.any_value, label, found);
      continue;
    }
    const auto value = label(key);
    if (!value) continue;
    add_those_of(buckets.any_value, label, found);
    if (const auto bucket = buckets.by_value.find(*value); bucket != buckets.by_value.end())
      add_those_of(bucket->second, label, found);
  }
}

void SelectorIndex::add_those_of(const std::vector<api::Key>& candidates, const api::Selector::Lookup& label,
                                 std::vector<api::Key>& found) const {
  for (const auto& owner : candidates) {
    if (selectors_.at(owner).matches(label)) found.push_back(owner);
  }
}

}  // namespace kruise::cache
