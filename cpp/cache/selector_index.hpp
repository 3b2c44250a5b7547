// From an object's labels to the selectors that match it, without trying each selector.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/key.hpp"
#include "api/selector.hpp"
#include "cache/index.hpp"

namespace kruise::cache {

/// Holds one selector an owner. Each lies in the bucket of one of its requirements, so that a look-up asks the object only for
/// the labels that such requirements name, and tries only what lies in the buckets of their values. One executor.
class SelectorIndex {
 public:
  /// Replaces the owner's selector. An owner without namespace selects in all of them.
  void put(const api::Key& owner, api::Selector selector);
  /// Unknown owners are ignored.
  void remove(const api::Key& owner);
  /// Owners whose selector matches an object of this namespace, in order.
  [[nodiscard]] std::vector<api::Key> matching(std::string_view ns, const api::Selector::Lookup& label) const;
  [[nodiscard]] std::size_t size() const { return selectors_.size(); }

 private:
  /// The requirement that an object must meet to be tried at all.
  struct Anchor {
    std::string key;                  // empty: there is none, every object is tried
    std::vector<std::string> values;  // empty: any value
  };
  struct Buckets {
    std::unordered_map<std::string, std::vector<api::Key>, StringHash, std::equal_to<>> by_value;
    std::vector<api::Key> any_value;
  };
  using Group = std::map<std::string, Buckets, std::less<>>;  // by the anchor's key

  [[nodiscard]] static Anchor anchor_of(const api::Selector&);
  void add_matching(const Group&, const api::Selector::Lookup&, std::vector<api::Key>& found) const;
  void add_those_of(const std::vector<api::Key>& candidates, const api::Selector::Lookup&, std::vector<api::Key>& found) const;

  std::unordered_map<api::Key, api::Selector> selectors_;
  std::map<std::string, Group, std::less<>> groups_;  // by namespace
};

}  // namespace kruise::cache
