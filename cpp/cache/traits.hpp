// What the cache must know of an object: its key, identity and version.
//
// Every type with a member `meta` (api::ObjectMeta), api::ObjectMeta itself and api::Pod are known; another type specialises
// `Traits`.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.hpp"
#include "api/pod.hpp"

namespace kruise::cache {

struct KeyView {
  std::string_view ns;
  std::string_view name;
  auto operator<=>(const KeyView&) const = default;
  [[nodiscard]] api::Key key() const { return {std::string(ns), std::string(name)}; }
};
[[nodiscard]] inline KeyView view(const api::Key& key) { return {key.ns, key.name}; }

/// Index keys of one object; the views live as long as the object.
using IndexKeys = std::vector<std::string_view>;

/// A resourceVersion as the number it is; 0 when it is none.
[[nodiscard]] inline std::uint64_t version_number(std::string_view text) {
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  return error == std::errc{} && end == text.data() + text.size() ? version : 0;
}

template <class T>
struct Traits {
  static const api::ObjectMeta& meta(const T& object) {
    if constexpr (requires { object.meta; }) {
      return object.meta;
    } else {
      return object;
    }
  }
  static KeyView key(const T& object) { return {meta(object).ns, meta(object).name}; }
  static std::uint64_t version(const T& object) { return version_number(meta(object).resource_version); }
  static bool same_uid(const T& a, const T& b) { return meta(a).uid == meta(b).uid; }
  static void owner_uids(const T& object, IndexKeys& keys) {
    for (const auto& owner : meta(object).owners) keys.push_back(owner.uid);
  }
};

template <>
struct Traits<api::Pod> {
  static KeyView key(const api::Pod& pod) { return {pod.ns(), pod.name()}; }
  static std::uint64_t version(const api::Pod& pod) { return pod.resource_version(); }
  static bool same_uid(const api::Pod& a, const api::Pod& b) { return a.uid() == b.uid(); }
  static void owner_uids(const api::Pod& pod, IndexKeys& keys) {
    for (const auto& owner : pod.owners()) keys.push_back(owner.uid);
  }
};

}  // namespace kruise::cache
