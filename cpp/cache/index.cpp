#include "cache/index.hpp"

#include <algorithm>

namespace kruise::cache {

void Index::add(std::string_view key, Slot slot) {
  auto found = buckets_.find(key);
  if (found == buckets_.end()) found = buckets_.emplace(std::string(key), Bucket{}).first;
  Bucket& bucket = found->second;
  const bool in_order = bucket.sorted == bucket.slots.size() && (bucket.slots.empty() || less_(bucket.slots.back(), slot));
  bucket.slots.push_back(slot);
  if (in_order) ++bucket.sorted;
}

void Index::remove(std::string_view key, Slot slot) {
  const auto found = buckets_.find(key);
  Bucket& bucket = found->second;
  constexpr std::size_t kTailMax = 64;
  if (bucket.slots.size() - bucket.sorted > kTailMax) sort(bucket);
  const auto tail = bucket.slots.begin() + static_cast<std::ptrdiff_t>(bucket.sorted);
  auto at = std::lower_bound(bucket.slots.begin(), tail, slot, less_);
  if (at == tail || *at != slot) {
    at = std::find(tail, bucket.slots.end(), slot);
  } else {
    --bucket.sorted;
  }
  bucket.slots.erase(at);
  if (bucket.slots.empty()) buckets_.erase(found);
}

const std::vector<Slot>& Index::find(std::string_view key) const {
  static const std::vector<Slot> kNone;
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return kNone;
  sort(found->second);
  return found->second.slots;
}

void Index::sort(Bucket& bucket) const {
  if (bucket.sorted == bucket.slots.size()) return;
  const auto tail = bucket.slots.begin() + static_cast<std::ptrdiff_t>(bucket.sorted);
  std::sort(tail, bucket.slots.end(), less_);
  std::inplace_merge(bucket.slots.begin(), tail, bucket.slots.end(), less_);
  bucket.sorted = bucket.slots.size();
}

std::size_t Index::bytes() const {
  std::size_t bytes = buckets_.bucket_count() * sizeof(void*);
  for (const auto& [key, bucket] : buckets_) {
    bytes += sizeof(std::pair<std::string, Bucket>) + 2 * sizeof(void*) + key.capacity() + bucket.slots.capacity() * sizeof(Slot);
  }
  return bytes;
}

}  // namespace kruise::cache
