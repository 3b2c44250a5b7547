// A set of fields of an object, as owners of fields have them: immutable, and parts are shared between sets.
//
// A key is written as managedFields writes it: "f:spec" a member, `k:{"name":"main"}` an element of a list by its keys, `v:"a"`
// one by its value, "i:0" one by its index. A path is in a set by itself (`member`), or because something below it is.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kruise::cluster::fields {

class FieldSet;
/// Null is the empty set; a set that is not null has a path in it.
using FieldSetPtr = std::shared_ptr<const FieldSet>;

class FieldSet {
 public:
  struct Entry {
    std::string key;
    bool member = false;  // the path that ends here is in the set
    FieldSetPtr below;
  };

  /// Entries in order of key, each a member or with something below it.
  explicit FieldSet(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const Entry* find(std::string_view key) const;

 private:
  std::vector<Entry> entries_;
};

/// Null where there is no entry. `entries` are in order of key.
[[nodiscard]] FieldSetPtr make_set(std::vector<FieldSet::Entry> entries);
/// The set of one path.
[[nodiscard]] FieldSetPtr set_of_path(std::span<const std::string_view> keys);
/// In any of them. Gives `a` itself where `b` adds nothing, so that who owns nothing new keeps his set.
[[nodiscard]] FieldSetPtr unite(const FieldSetPtr& a, const FieldSetPtr& b);
[[nodiscard]] FieldSetPtr intersect(const FieldSetPtr& a, const FieldSetPtr& b);
/// In `a` and not in `b`; what is below a path of `b` stays. Gives `a` itself where nothing goes.
[[nodiscard]] FieldSetPtr subtract(const FieldSetPtr& a, const FieldSetPtr& b);
/// The same, and what is below a path of `b` goes too.
[[nodiscard]] FieldSetPtr subtract_whole(const FieldSetPtr& a, const FieldSetPtr& b);
[[nodiscard]] bool contains(const FieldSetPtr&, std::span<const std::string_view> keys);
[[nodiscard]] bool equal(const FieldSetPtr& a, const FieldSetPtr& b);
/// Every path, as conflicts name them: `.spec.containers[name="main"].image`. What ends at a level comes before what is below it.
[[nodiscard]] std::vector<std::string> paths_of(const FieldSetPtr&);

/// The key of a member: "f:spec".
[[nodiscard]] std::string member_key(std::string_view name);

}  // namespace kruise::cluster::fields
