// The structural schema of a custom resource, compiled once from `openAPIV3Schema`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cluster/field_errors.hpp"
#include "cluster/object.hpp"

namespace kruise::cluster {

struct Schema {
  enum class Type : std::uint8_t { kAny, kObject, kArray, kString, kInteger, kNumber, kBoolean, kIntOrString };
  enum class ListType : std::uint8_t { kAtomic, kSet, kMap };
  using Ptr = std::shared_ptr<const Schema>;

  Type type = Type::kAny;
  std::map<std::string, Ptr, std::less<>> properties;
  Ptr additional;  // of every other member
  Ptr items;
  std::vector<std::string> required;
  std::shared_ptr<const Json> default_value;
  std::shared_ptr<const Json> enum_values;  // an array
  std::optional<double> minimum, maximum;
  bool exclusive_minimum = false;
  bool exclusive_maximum = false;
  std::optional<std::int64_t> length_min, length_max, items_min, items_max, properties_min, properties_max;
  std::string pattern;
  std::shared_ptr<const std::regex> pattern_regex;
  std::string format;
  bool unique_items = false;
  bool nullable = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;
  bool map_atomic = false;  // an object owned as a whole
  ListType list_type = ListType::kAtomic;
  std::vector<std::string> list_keys;

  /// The error names the faulty member of the schema: "spec.replicas: unknown type \"int\"".
  [[nodiscard]] static base::Result<Ptr, std::string> compile(const Json& openapi);
};

/// Drops members that the schema does not know and names them in `unknown`; apiVersion, kind and metadata at the root are kept.
void prune(Json& tree, const Schema&, std::vector<std::string>& unknown);
/// Fills in declared defaults; null members that may not be null are taken as absent.
void apply_defaults(Json& tree, const Schema&);
/// Judges a tree whose metadata is judged elsewhere.
void validate(const Json& tree, const Schema&, FieldErrors&);

}  // namespace kruise::cluster
