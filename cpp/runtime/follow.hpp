// How a controller hears of a store's changes: with whether they are news, or come with the store's first list.
#pragma once

#include <memory>

#include "cache/store.hpp"

namespace kruise::runtime {

/// Calls `handle(change, is_news)` for each change of the store, which outlives the subscription.
template <class T, class Handle>
void follow(cache::Reader<T>& store, const Handle& handle) {
  const auto listed = std::make_shared<bool>(store.synced());
  store.subscribe([listed, handle](const cache::Change<T>& change) { handle(change, *listed); });
  store.on_progress([listed, &store] { *listed = store.synced(); });
}

}  // namespace kruise::runtime
