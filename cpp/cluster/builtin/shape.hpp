// The form that the server gives a built-in object: known members only, of their types, with declared defaults.
//
// Compiled once from the tables of api/schema.hpp; a walk over a tree then is a merge of two sorted lists.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

class Shape {
 public:
  /// The shape of a type, made at its first use and kept. Any thread.
  [[nodiscard]] static const Shape& of(const api::TypeInfo&);

  /// Drops unknown members and names them in `unknown` ("spec.foo"), drops null and empty ones as the server does, fills in
  /// declared defaults. The error says which member has the wrong type.
  [[nodiscard]] std::optional<std::string> conform(Json& tree, std::vector<std::string>& unknown) const;

  struct Field;
  Shape();
  ~Shape();
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;

 private:
  friend class ShapeWalk;
  friend class ShapeBook;

  const api::TypeInfo* type_ = nullptr;
  const Shape* element_ = nullptr;
  std::vector<Field> fields_;  // by name
};

}  // namespace kruise::cluster
