// What a write does to the owners of an object's fields.
//
// An update takes what it changed from whoever had it. An applied configuration owns what it names, meets a conflict where it
// changes what another owns, and what its manager named last time and nobody else owns goes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/fields/field_type.hpp"
#include "cluster/fields/owners.hpp"

namespace kruise::cluster::fields {

/// An object in another version of its kind.
struct Version {
  const FieldType* type = nullptr;
  std::function<Json(const Json&)> from_written;  // of the version that is written
  std::function<Json(Json)> to_written;
};

/// One write, and what it needs to know of the kind.
struct Write {
  const FieldType& type;
  std::string api_version;
  std::string manager;  // empty: "unknown"
  std::string subresource;
  base::Time time;
  FieldSetPtr ignored;  // what the server resets in such a write: changing it makes nobody its owner
  FieldTexts& texts;
  /// Another version of the kind; absent when it is not served any more, and its owners are forgotten.
  std::function<std::optional<Version>(const std::string& api_version)> version;
};

/// The owners after `before` became `after`. `creating`: there was nothing before; else who has no owners gets none.
[[nodiscard]] std::vector<Owner> track_update(const Write&, const Json& before, const Json& after, std::vector<Owner> owners,
                                              bool creating);

/// A field that another manager owns, and whose value the configuration changes.
struct Conflict {
  Owner owner;
  FieldSetPtr fields;
};

struct Applied {
  std::shared_ptr<Json> tree;  // null: the configuration changes nothing
  std::vector<Owner> owners;
};
/// `zero`: an object of the kind that says nothing. `live` equals it when the object is to be created.
[[nodiscard]] std::variant<Applied, std::vector<Conflict>> apply(const Write&, const Json& live, const Json& zero,
                                                                 const Json& config, std::vector<Owner> owners, bool force);

/// What is never owned: an object's identity, and what the server writes in metadata.
[[nodiscard]] const FieldSetPtr& identity_fields();

}  // namespace kruise::cluster::fields
