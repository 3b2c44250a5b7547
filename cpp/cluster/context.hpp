// What every verb works with: one embedded API server's state.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "cluster/fields/owners.hpp"
#include "cluster/kind.hpp"
#include "cluster/storage.hpp"

namespace kruise::cluster {

class Context {
 public:
  Context(const base::Clock& clock, std::uint64_t seed, std::size_t history_events);

  [[nodiscard]] const base::Clock& clock() const { return clock_; }
  [[nodiscard]] Storage& storage() { return storage_; }
  [[nodiscard]] fields::FieldTexts& field_texts() { return field_texts_; }
  /// The kinds served now.
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const;
  /// Replaces the kinds of a group and plural (none: removes them). Any thread.
  void serve_all(std::vector<KindPtr> kinds);
  void serve(std::string_view group, std::string_view plural, std::vector<KindPtr> kinds);

  /// Draws from another seed from now on.
  void reseed(std::uint64_t seed);
  [[nodiscard]] std::string new_uid();
  [[nodiscard]] std::string new_name(std::string_view base);
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound);

 private:
  const base::Clock& clock_;
  Storage storage_;
  fields::FieldTexts field_texts_;
  mutable std::mutex mutex_;  // guards everything below
  std::shared_ptr<const Catalog> catalog_;
  base::Random uids_;
  base::Random names_;
  base::Random timeouts_;
};

}  // namespace kruise::cluster
