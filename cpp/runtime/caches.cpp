#include "runtime/caches.hpp"

#include <algorithm>

namespace kruise::runtime {

Caches::Caches(client::Client& client, Options options) : client_(client), options_(std::move(options)), random_(options_.seed) {}

Caches::EntryPtr Caches::find_entry(const api::Resource& resource) const {
  for (const auto& weak : entries_) {
    auto entry = weak.lock();
    if (entry && api::same_objects(entry->informer().resource(), resource)) return entry;
  }
  return nullptr;
}

void Caches::add_entry(const EntryPtr& entry) {
  std::erase_if(entries_, [](const auto& weak) { return weak.expired(); });
  entries_.push_back(entry);
}

cache::ReflectorOptions Caches::reflector_options(const api::Resource& resource) const {
  cache::ReflectorOptions options;
  if (resource.namespaced()) options.scope.ns = options_.ns;
  options.facts = facts_;
  return options;
}

std::function<void(const cache::Malformed&)> Caches::malformed_callback(const api::Resource& resource) const {
  if (!options_.on_malformed) return {};
  return
      [on_malformed = options_.on_malformed, resource](const cache::Malformed& malformed) { on_malformed(resource, malformed); };
}

std::optional<std::uint64_t> Caches::reached(const api::Resource& resource) const {
  const auto entry = find_entry(resource);
  return entry ? std::optional(entry->version()) : std::nullopt;
}

std::optional<Seen> Caches::object(const api::Resource& resource, const api::Key& key) const {
  const auto entry = find_entry(resource);
  return entry ? entry->find(key) : std::nullopt;
}

std::uint64_t Caches::lists(const api::Resource& resource) const {
  const auto entry = find_entry(resource);
  return entry ? entry->informer().stats().lists : 0;
}

void Caches::refresh(const api::Resource& resource) {
  if (const auto entry = find_entry(resource)) entry->informer().relist();
}

void Caches::publish(base::Metrics& metrics) {
  const auto labels = [](const api::Resource& resource) {
    return base::Labels{{"group", resource.group}, {"resource", resource.plural}};
  };
  constexpr const char* kNames[] = {"kruise_cache_objects", "kruise_cache_bytes", "kruise_watch_silence_seconds"};
  for (const auto& resource : published_) {
    if (find_entry(resource)) continue;
    for (const auto* name : kNames) metrics.remove_series(name, labels(resource));
  }
  published_.clear();
  const base::MonoTime now = client_.executor().clock().mono();
  for (const auto& weak : entries_) {
    const auto entry = weak.lock();
    if (!entry) continue;
    const auto& resource = entry->informer().resource();
    const auto stats = entry->informer().stats();
    published_.push_back(resource);
    metrics.gauge(kNames[0], "Objects in the cache.", labels(resource)).set(static_cast<double>(stats.feed.objects));
    metrics.gauge(kNames[1], "Bytes that the cache takes.", labels(resource)).set(static_cast<double>(stats.feed.bytes));
    if (!stats.last_sign_of_life) continue;
    const double silence = std::chrono::duration<double>(now - *stats.last_sign_of_life).count();
    metrics.gauge(kNames[2], "Since the watch last heard of the server.", labels(resource)).set(silence);
  }
}

}  // namespace kruise::runtime
