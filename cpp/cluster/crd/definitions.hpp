// CustomResourceDefinitions: the kind itself, and the kinds that stored definitions declare.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/context.hpp"
#include "cluster/conversion.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// Thread-safe.
class Definitions {
 public:
  explicit Definitions(Context&, std::vector<Conversion> = {});
  /// The kind CustomResourceDefinition.
  [[nodiscard]] KindPtr kind() const { return kind_; }
  /// Establishes the stored definitions and serves what they say now. Deletes the objects of those being deleted, and then
  /// these: their watches end. Call after every write to a definition, and to an object that `awaits` names.
  void reconcile();
  /// The definition of such objects may be waiting for the last of them to go.
  [[nodiscard]] bool awaits(const Kind& kind) const { return kind.custom() && terminating_; }

 private:
  struct Served {
    std::uint64_t version = 0;
    std::string group;
    std::string plural;
  };

  void settle(const ObjectPtr& definition);
  OwnersPtr owners_of_status(const Object& before, const Json& now);
  [[nodiscard]] bool clear(Table&);
  [[nodiscard]] const Conversion* conversion(std::string_view definition, std::string_view version) const;

  Context& context_;
  KindPtr kind_;
  const std::vector<Conversion> conversions_;
  std::atomic<bool> terminating_ = false;
  std::mutex mutex_;  // guards the one below
  std::map<std::string, Served> served_;
};

}  // namespace kruise::cluster
