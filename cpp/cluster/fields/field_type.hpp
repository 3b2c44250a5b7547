// What server-side apply has to know of a type: which objects and lists have owners by part, and what names their parts.
//
// Compiled once from the schema tables or from a CustomResourceDefinition. A type lives as long as the program, or as the
// TypeArena that made it.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "cluster/crd/schema.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster::fields {

class FieldType {
 public:
  enum class Form : std::uint8_t {
    kLeaf,     // a scalar, and whatever is owned as a whole: atomic lists and objects
    kObject,   // has owners by member
    kSet,      // a list with owners by value
    kKeyed,    // a list with owners by key
    kDeduced,  // no schema: objects by member, all else as a whole
  };
  /// What a scalar must be.
  enum class Scalar : std::uint8_t { kAny, kString, kNumber, kBoolean };
  struct Field {
    std::string name;
    const FieldType* type = nullptr;
  };
  struct ListKey {
    std::string name;
    std::string fallback;  // JSON of the value that an element without it has; empty: it must have it
  };

  Form form = Form::kDeduced;
  std::vector<Field> fields{};         // by name: the declared members
  const FieldType* element = nullptr;  // of every other member, or of a list
  std::vector<ListKey> keys{};         // by name
  Scalar scalar = Scalar::kAny;        // of a leaf that is no list or object
  const FieldType* inside = nullptr;   // of a leaf that is one: the form of its parts, which have no owners of their own

  [[nodiscard]] const FieldType* declared(std::string_view name) const;
  /// The type of a member; deduced where nothing is known of it.
  [[nodiscard]] const FieldType& member(std::string_view name) const;
  [[nodiscard]] const FieldType& item() const;
  /// Of a value: deduced types take its shape.
  [[nodiscard]] Form form_of(const Json* value) const;

  [[nodiscard]] static const FieldType& deduced();
  /// Of a type of the schema tables. Any thread.
  [[nodiscard]] static const FieldType& of(const api::TypeInfo&);
};

/// What an object of the type says before anybody set anything: what is always written, empty or null. A creation is compared
/// with it, so that nobody owns a list's place without its elements.
[[nodiscard]] Json zero_of(const api::TypeInfo&);

/// Holds the types of one custom kind.
class TypeArena {
 public:
  /// Null: everything is deduced.
  explicit TypeArena(const Schema*);
  [[nodiscard]] const FieldType& root() const { return *root_; }

 private:
  const FieldType& compile(const Schema&);
  void add_identity(FieldType&);

  std::deque<FieldType> types_;
  const FieldType* root_;
};

}  // namespace kruise::cluster::fields
