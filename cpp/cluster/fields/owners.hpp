// Who owns which fields of an object: what metadata.managedFields says.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "cluster/fields/field_set.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster::fields {

/// A set with its text, which objects of the same making share.
struct OwnedFields {
  FieldSetPtr set;
  std::string text;  // FieldsV1
};
using OwnedFieldsPtr = std::shared_ptr<const OwnedFields>;

/// One entry of managedFields.
struct Owner {
  std::string manager;
  bool applied = false;  // operation Apply, else Update
  std::string api_version;
  std::string subresource;
  std::optional<base::Time> time;
  OwnedFieldsPtr fields;

  /// The same entry, whatever it owns. Who applies is the same in every version.
  [[nodiscard]] bool is_same_as(const Owner&) const;
};

/// In the order in which managedFields lists them. Immutable, and shared by the states of an object that it holds for.
class Owners {
 public:
  Owners() = default;
  explicit Owners(std::vector<Owner> owners) : list_(std::move(owners)) {}
  [[nodiscard]] const std::vector<Owner>& list() const { return list_; }
  /// Appends the list as JSON.
  void append_text(std::string& out) const;
  [[nodiscard]] bool equal_but_for_times(const Owners&) const;

 private:
  std::vector<Owner> list_;
};

/// Sets by their text: each is kept once, for as long as an object has it. Thread-safe.
class FieldTexts {
 public:
  [[nodiscard]] OwnedFieldsPtr intern(const FieldSetPtr&);

 private:
  static constexpr std::size_t kSweepAtMin = 1024;

  std::mutex mutex_;                                                         // guards everything below
  std::unordered_map<std::size_t, std::weak_ptr<const OwnedFields>> known_;  // by the hash of the text
  std::size_t sweep_at_ = kSweepAtMin;                                       // entries at which those that nobody has are dropped
};

/// An order that managedFields has: who applies first, then by time, manager, version and subresource.
void sort_owners(std::vector<Owner>&);

/// Reads managedFields. Absent when an entry is none.
[[nodiscard]] std::optional<std::vector<Owner>> parse_owners(const Json& managed_fields, FieldTexts&);
/// Whether a client asks to forget all owners: [] or [{}].
[[nodiscard]] bool resets_owners(const Json& managed_fields);

}  // namespace kruise::cluster::fields
