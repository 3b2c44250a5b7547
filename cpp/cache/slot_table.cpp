#include "cache/slot_table.hpp"

#include <utility>

namespace kruise::cache {

void SlotTable::insert(std::uint32_t hash, Slot slot) {
  constexpr std::size_t kCellsMin = 16;
  if ((used_ + 1) * 4 > cells_.size() * 3) resize(cells_.empty() ? kCellsMin : cells_.size() * 2);
  place({hash, slot + 1});
  ++used_;
}

void SlotTable::erase(std::uint32_t hash, Slot slot) {
  std::size_t hole = hash & mask();
  while (cells_[hole].slot_plus_one != slot + 1) hole = (hole + 1) & mask();
  for (std::size_t i = (hole + 1) & mask(); cells_[i].slot_plus_one != 0; i = (i + 1) & mask()) {
    // A cell may move into the hole unless its home lies between the hole and itself.
    const std::size_t home = cells_[i].hash & mask();
    if (((i - home) & mask()) >= ((i - hole) & mask())) {
      cells_[hole] = cells_[i];
      hole = i;
    }
  }
  cells_[hole] = {};
  --used_;
  constexpr std::size_t kShrinkBelowOneIn = 8;
  if (cells_.size() > 1024 && used_ * kShrinkBelowOneIn < cells_.size()) resize(cells_.size() / 4);
}

void SlotTable::place(Cell cell) {
  std::size_t i = cell.hash & mask();
  while (cells_[i].slot_plus_one != 0) i = (i + 1) & mask();
  cells_[i] = cell;
}

void SlotTable::resize(std::size_t cells) {
  const auto old = std::exchange(cells_, std::vector<Cell>(cells));
  for (const Cell& cell : old) {
    if (cell.slot_plus_one != 0) place(cell);
  }
}

}  // namespace kruise::cache
