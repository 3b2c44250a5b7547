// The key of an object within its kind.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace kruise::api {

/// Namespace (empty for cluster-scoped kinds) and name.
struct Key {
  std::string ns;
  std::string name;
  auto operator<=>(const Key&) const = default;
  /// "ns/name", or "name" where there is no namespace.
  [[nodiscard]] std::string text() const { return ns.empty() ? name : ns + "/" + name; }
};

}  // namespace kruise::api

template <>
struct std::hash<kruise::api::Key> {
  std::size_t operator()(const kruise::api::Key& k) const noexcept {
    return std::hash<std::string>{}(k.ns) * 31 + std::hash<std::string>{}(k.name);
  }
};
