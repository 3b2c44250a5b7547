// Equal values held once: what a thousand objects have in common.
//
//     base::InternTable<std::string> nodes;
//     base::Interned<std::string> node = nodes.intern(hash, [&](const std::string& s) { return s == name; }, [&] { return
//     std::string(name); });
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace kruise::base {

/// A counted pointer of eight bytes to an immutable value. Handles may be copied and dropped by any thread.
template <class T>
class Interned {
 public:
  Interned() = default;
  explicit Interned(T value) : node_(new Node{{1}, std::move(value)}) {}
  Interned(const Interned& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Interned(Interned&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Interned& operator=(Interned other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Interned() {
    if (node_ != nullptr && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node_;
  }

  explicit operator bool() const { return node_ != nullptr; }
  const T& operator*() const { return node_->value; }
  const T* operator->() const { return &node_->value; }
  /// The same node: for values of one table this is equality.
  bool operator==(const Interned& other) const { return node_ == other.node_; }
  /// Whether no other handle holds the value, as seen from a thread that alone could make another.
  [[nodiscard]] bool unique() const { return node_ != nullptr && node_->references.load(std::memory_order_acquire) == 1; }

 private:
  struct Node {
    std::atomic<std::uint32_t> references;
    T value;
  };
  Node* node_ = nullptr;
};

/// Finds the handle of an equal value or makes one. One thread. What nobody holds any more is let go whenever the table has
/// grown to twice what the last look left in it, and in `sweep`.
template <class T>
class InternTable {
 public:
  template <class Equal, class Make>
  [[nodiscard]] Interned<T> intern(std::uint64_t hash, Equal&& equal, Make&& make) {
    if (!cells_.empty()) {
      for (std::size_t i = hash & mask(); cells_[i].value; i = (i + 1) & mask()) {
        if (cells_[i].hash == hash && equal(*cells_[i].value)) return cells_[i].value;
      }
    }
    if (used_ >= sweep_at_) sweep();
    if ((used_ + 1) * 2 > cells_.size()) rebuild(cells_.empty() ? kCellsMin : cells_.size() * 2);
    Interned<T> value(make());
    place({hash, value});
    ++used_;
    return value;
  }
  /// Lets go of values that nobody else holds.
  void sweep() {
    used_ = 0;
    for (Cell& cell : cells_) {
      if (cell.value.unique()) cell.value = {};
      if (cell.value) ++used_;
    }
    std::size_t cells = kCellsMin;
    while (used_ * 2 >= cells) cells *= 2;
    rebuild(cells);
    sweep_at_ = 2 * used_ + kCellsMin;
  }
  [[nodiscard]] std::size_t size() const { return used_; }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Cell& cell : cells_) {
      if (cell.value) visit(*cell.value);
    }
  }

 private:
  static constexpr std::size_t kCellsMin = 16;
  struct Cell {
    std::uint64_t hash = 0;
    Interned<T> value;
  };
  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  void place(Cell cell) {
    std::size_t i = cell.hash & mask();
    while (cells_[i].value) i = (i + 1) & mask();
    cells_[i] = std::move(cell);
  }
  void rebuild(std::size_t cells) {
    std::vector<Cell> old(cells);
    std::swap(old, cells_);
    for (Cell& cell : old) {
      if (cell.value) place(std::move(cell));
    }
  }

  std::vector<Cell> cells_;  // a power of two, at most half full
  std::size_t used_ = 0;
  std::size_t sweep_at_ = kCellsMin;
};

}  // namespace kruise::base
