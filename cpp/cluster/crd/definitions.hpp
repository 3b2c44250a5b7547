// CustomResourceDefinitions: the kind itself, and the kinds that stored definitions declare.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/context.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// Thread-safe.
class Definitions {
 public:
  explicit Definitions(Context&);
  /// The kind CustomResourceDefinition.
  [[nodiscard]] KindPtr kind() const { return kind_; }
  /// Serves what the stored definitions say now; objects of definitions that are gone are deleted. Call after every write to one.
  void reconcile();

 private:
  struct Served {
    std::uint64_t version = 0;
    std::string group;
    std::string plural;
  };

  Context& context_;
  KindPtr kind_;
  std::mutex mutex_;  // guards the one below
  std::map<std::string, Served> served_;
};

}  // namespace kruise::cluster
