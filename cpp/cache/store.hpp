// The objects of one kind as last seen, immutable and shared, with indexes. One
// writer: the kind's reflector.
//
// Lives on one executor (no locks); the objects it hands out may be kept and
// read by any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/key.hpp"

namespace kruise::cache {

/// What happened to one object. `before` is null for an addition, `after` for a
/// deletion.
template <class T> struct Change {
  std::shared_ptr<const T> before;
  std::shared_ptr<const T> after;
};

/// Reading side of a store, what controllers see.
template <class T> class Reader {
public:
  using Ptr = std::shared_ptr<const T>;
  virtual ~Reader() = default;
  [[nodiscard]] virtual Ptr get(const api::Key &) const = 0;
  /// Objects with an owner reference to this UID (any, not only the
  /// controller), in order of name.
  [[nodiscard]] virtual std::vector<Ptr>
  owned_by(std::string_view uid) const = 0;
  [[nodiscard]] virtual std::vector<Ptr>
  in_namespace(std::string_view ns) const = 0;
  [[nodiscard]] virtual std::vector<Ptr> all() const = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;
  /// The newest resourceVersion that the watch has reached, objects and
  /// bookmarks alike; 0 before the first list.
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual bool synced() const = 0;
  /// Called after each change, in the order of the watch; a relist reports only
  /// what differs. Register before start.
  virtual void subscribe(std::function<void(const Change<T> &)>) = 0;
  /// Called when `version` advanced or the first list is done (own writes may
  /// now be visible).
  virtual void on_progress(std::function<void()>) = 0;
};

} // namespace kruise::cache
