#include "controllers/cloneset/watches.hpp"

#include <algorithm>
#include <unordered_map>

#include "controllers/cloneset/event_filter.hpp"
#include "runtime/follow.hpp"

namespace kruise::controllers::cloneset {
namespace {

using runtime::Cause;

/// Selectors of all sets by namespace, so that a pod that nobody controls finds those that may want it.
class Selectors {
 public:
  void follow(const cache::Change<api::CloneSet>& change) {
    if (change.before) by_namespace_[change.before->meta.ns].erase(change.before->meta.name);
    if (!change.after) return;
    auto selector = api::Selector::from(change.after->spec.selector);
    if (selector.ok() && !selector->empty())
      by_namespace_[change.after->meta.ns].insert_or_assign(change.after->meta.name, std::move(*selector));
  }

  void each_match(const api::Pod& pod, const std::function<void(const api::Key&)>& visit) const {
    const auto found = by_namespace_.find(std::string(pod.ns()));
    if (found == by_namespace_.end()) return;
    for (const auto& [name, selector] : found->second) {
      if (selector.matches([&pod](std::string_view key) { return pod.label(key); })) visit({found->first, name});
    }
  }

 private:
  std::unordered_map<std::string, std::map<std::string, api::Selector>> by_namespace_;
};

/// The set that controls an object, whatever the version in its reference.
std::optional<api::Key> set_of(std::string_view ns, const api::OwnerReference* controller) {
  if (controller == nullptr || controller->kind != api::kCloneSets.kind || controller->group() != api::kCloneSets.group)
    return std::nullopt;
  return api::Key{std::string(ns), controller->name};
}

class Watches {
 public:
  explicit Watches(runtime::Enqueue enqueue) : enqueue_(std::move(enqueue)) {}

  void on_set(const cache::Change<api::CloneSet>& change, bool news) {
    selectors_.follow(change);
    const api::CloneSet& set = change.after ? *change.after : *change.before;
    const bool edited = change.after && (!change.before || change.before->meta.generation != change.after->meta.generation ||
                                         change.before->meta.deletion_timestamp != change.after->meta.deletion_timestamp);
    enqueue_(set.meta.key(), !news ? Cause::kResync : edited ? Cause::kUserEdit : Cause::kChange);
  }

  void on_pod(const cache::Change<api::Pod>& change, bool news) {
    const Cause cause = news ? Cause::kChange : Cause::kResync;
    const auto before = change.before ? set_of(change.before->ns(), change.before->controller()) : std::nullopt;
    const auto after = change.after ? set_of(change.after->ns(), change.after->controller()) : std::nullopt;
    if (change.before && change.after && is_no_op(*change.before, *change.after)) return;
    if (before && before != after) enqueue_(*before, cause);
    if (after) return enqueue_(*after, cause);
    if (change.after && change.after->controller() == nullptr) {
      selectors_.each_match(*change.after, [&](const api::Key& key) { enqueue_(key, cause); });
    }
  }

  /// Claims change often while they are bound, revisions hardly ever.
  template <class T>
  void on_object(const cache::Change<T>& change, bool news) {
    if constexpr (std::is_same_v<T, api::Claim>) {
      if (change.before && change.after && same_but_version(change.before->meta, change.after->meta)) return;
    }
    const Cause cause = news ? Cause::kChange : Cause::kResync;
    const auto before = change.before ? set_of(change.before->meta.ns, change.before->meta.controller()) : std::nullopt;
    const auto after = change.after ? set_of(change.after->meta.ns, change.after->meta.controller()) : std::nullopt;
    if (before && before != after) enqueue_(*before, cause);
    if (after) enqueue_(*after, cause);
  }

 private:
  static bool same_but_version(const api::ObjectMeta& a, const api::ObjectMeta& b) {
    return a.uid == b.uid && a.labels == b.labels && a.owners == b.owners &&
           a.deletion_timestamp.has_value() == b.deletion_timestamp.has_value();
  }

  runtime::Enqueue enqueue_;
  Selectors selectors_;
};

}  // namespace

void watch(Stores stores, runtime::Enqueue enqueue) {
  const auto watches = std::make_shared<Watches>(std::move(enqueue));
  for (const auto& set : stores.sets.all()) watches->on_set({nullptr, set}, false);
  runtime::follow(stores.sets, [watches](const auto& change, bool news) { watches->on_set(change, news); });
  runtime::follow(stores.pods, [watches](const auto& change, bool news) { watches->on_pod(change, news); });
  runtime::follow(stores.claims, [watches](const auto& change, bool news) { watches->on_object(change, news); });
  runtime::follow(stores.revisions, [watches](const auto& change, bool news) { watches->on_object(change, news); });
}

}  // namespace kruise::controllers::cloneset
