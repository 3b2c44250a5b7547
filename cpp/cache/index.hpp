// One index of a store: from a key (an owner's UID, a node, a namespace) to the slots of its objects, in order of name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/slot_table.hpp"

namespace kruise::cache {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

/// Four bytes an object and key. Additions go to an unsorted tail that the next read merges, so a list of n objects costs one
/// sort, and reading after one addition costs O(n) moves.
class Index {
 public:
  /// Whether the object of one slot comes before that of another. Must hold for all slots in the index.
  using Less = std::function<bool(Slot, Slot)>;
  explicit Index(Less less) : less_(std::move(less)) {}

  void add(std::string_view key, Slot);
  /// The slot must be under this key; its object must still be there to be compared.
  void remove(std::string_view key, Slot);
  /// In order of name; the reference lives until the next change.
  [[nodiscard]] const std::vector<Slot>& find(std::string_view key) const;
  [[nodiscard]] std::size_t keys() const { return buckets_.size(); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Bucket {
    std::vector<Slot> slots;
    std::size_t sorted = 0;  // so many from the front are in order
  };
  void sort(Bucket&) const;

  Less less_;
  mutable std::unordered_map<std::string, Bucket, StringHash, std::equal_to<>> buckets_;
};

}  // namespace kruise::cache
