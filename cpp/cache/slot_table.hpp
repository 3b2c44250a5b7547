// A hash table from keys to slot numbers, that does not hold the keys: eight bytes a cell, no node, no copy of a name.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kruise::cache {

using Slot = std::uint32_t;

/// Open addressing with linear probing; a deletion shifts its followers back, so there are no tombstones to age it.
class SlotTable {
 public:
  /// The slot with this hash for which `same(slot)` holds.
  template <class Same>
  [[nodiscard]] std::optional<Slot> find(std::uint32_t hash, Same&& same) const {
    if (cells_.empty()) return std::nullopt;
    for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
      const Cell& cell = cells_[i];
      if (cell.slot_plus_one == 0) return std::nullopt;
      if (cell.hash == hash && same(cell.slot_plus_one - 1)) return cell.slot_plus_one - 1;
    }
  }
  /// The key must not be there yet.
  void insert(std::uint32_t hash, Slot);
  /// Forgets the slot, which must be there.
  void erase(std::uint32_t hash, Slot);
  [[nodiscard]] std::size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    std::uint32_t hash = 0;
    std::uint32_t slot_plus_one = 0;  // 0: empty
  };
  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  void place(Cell);
  void resize(std::size_t cells);

  std::vector<Cell> cells_;  // a power of two, at most three quarters full
  std::size_t used_ = 0;
};

}  // namespace kruise::cache
