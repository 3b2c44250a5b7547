// A served version of a kind: what it is called, and the rules its objects follow.
//
// The verbs (verbs/) are the same for all kinds; what differs is asked here. `BuiltinKind` and `CustomKind` implement it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "cluster/field_errors.hpp"
#include "cluster/object.hpp"
#include "cluster/storage.hpp"

namespace kruise::cluster {

struct KindNames {
  std::string group;
  std::string version;
  std::string kind;
  std::string plural;
  std::string singular;
  std::string list_kind;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = true;
  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

enum class NameRule : std::uint8_t { kSubdomain, kLabel, kServiceName, kPathSegment };

struct KindTraits {
  NameRule name_rule = NameRule::kSubdomain;
  bool status = false;                // has the subresource
  bool status_at_birth = false;       // a new object may bring its status along
  bool scale = false;                 // has the subresource
  bool generation = false;            // metadata.generation counts changes of the spec
  bool unconditional_update = true;   // PUT without resourceVersion
  bool create_on_update = false;      // PUT of what does not exist creates
  bool status_takes_labels = true;    // a write to /status carries labels and annotations over
  bool status_takes_metadata = true;  // and finalizers
  bool returns_deleted = false;       // DELETE answers with the object instead of a Status
  bool ends_gracefully = false;       // DELETE leaves it the grace period that it or the client names
  bool terminating = false;           // its definition is being deleted: nothing new is created
  bool listed = true;                 // get, list, watch and writes; otherwise only create (reviews)
};

/// Where the scale subresource finds its values, as JSON pointers without a leading dot ("spec.replicas").
struct ScalePaths {
  std::string spec_replicas = "spec.replicas";
  std::string status_replicas = "status.replicas";
  std::string selector;  // empty: spec.selector as an object
};

struct Column;
struct Schema;
namespace fields {
class FieldType;
}

class Kind {
 public:
  Kind(KindNames names, KindTraits traits, Table& table) : names_(std::move(names)), traits_(traits), table_(table) {}
  virtual ~Kind() = default;
  Kind(const Kind&) = delete;
  Kind& operator=(const Kind&) = delete;

  [[nodiscard]] const KindNames& names() const { return names_; }
  [[nodiscard]] const KindTraits& traits() const { return traits_; }
  [[nodiscard]] Table& table() const { return table_; }
  /// The apiVersion that storage holds; differs from names() when this version is converted on its way.
  [[nodiscard]] virtual std::string stored_api_version() const { return names_.api_version(); }
  [[nodiscard]] bool converted() const { return stored_api_version() != names_.api_version(); }
  /// Between the version that storage holds and this one. A stored tree that cannot be converted keeps its members.
  virtual void to_served(Json& tree) const;
  virtual void to_stored(Json& tree) const;

  /// Brings a body into the kind's own form: unknown members are dropped and named in `unknown`, types are checked. The error
  /// says why the body cannot be read (400).
  [[nodiscard]] virtual std::optional<std::string> coerce(Json& tree, std::vector<std::string>& unknown) const = 0;
  /// Defaults that a walk by schema cannot give; those it can are given by `coerce`.
  virtual void set_defaults(Json& tree) const = 0;
  /// After metadata was filled in: what a client may not choose is reset.
  virtual void prepare_create(Json& tree) const = 0;
  virtual void prepare_update(Json& now, const Json& before) const = 0;
  virtual void prepare_status_update(Json& now, const Json& before) const = 0;
  virtual void validate_create(const Json& tree, FieldErrors&) const = 0;
  virtual void validate_update(const Json& now, const Json& before, FieldErrors&) const = 0;
  virtual void validate_status_update(const Json& now, const Json& before, FieldErrors&) const = 0;
  /// The value of a field selector's field; absent when the field cannot be selected by.
  [[nodiscard]] virtual std::optional<std::string> selectable(const Object&, std::string_view field) const = 0;
  [[nodiscard]] virtual bool is_selectable(std::string_view field) const = 0;
  /// The kind says itself which fields are selectable; otherwise name and namespace are, as for every kind.
  [[nodiscard]] virtual bool selects_own_fields() const { return custom(); }
  /// For strategic merge patches; null where they are not understood (custom resources).
  [[nodiscard]] virtual const api::TypeInfo* merge_type() const { return nullptr; }
  [[nodiscard]] virtual ScalePaths scale_paths() const { return {}; }
  /// What `kubectl get` prints; empty where nothing is declared (name and age then).
  [[nodiscard]] virtual std::vector<Column> columns() const;
  /// A deletion only marks the object: something else must still clean up behind it.
  [[nodiscard]] virtual bool keeps_while_deleting(const Json&) const { return false; }
  /// What the first deletion of such an object changes beyond its time.
  virtual void prepare_deletion(Json&) const {}
  /// Where the fields of an object have owners of their own.
  [[nodiscard]] virtual const fields::FieldType& field_type() const;
  /// An object in which nobody has set anything: what a creation is compared with.
  [[nodiscard]] virtual const Json& zero() const;
  /// The schema of a custom kind; null for those that the schema tables describe, and where none was compiled.
  [[nodiscard]] virtual const Schema* schema() const { return nullptr; }
  /// The schema of a custom kind as JSON; empty for those that the schema tables describe.
  [[nodiscard]] virtual std::string_view openapi_schema() const { return {}; }
  [[nodiscard]] virtual bool custom() const { return false; }

 private:
  KindNames names_;
  KindTraits traits_;
  Table& table_;
};

using KindPtr = std::shared_ptr<const Kind>;

/// The kinds served at this instant, in the order of discovery. A value: changes make a new one.
class Catalog {
 public:
  [[nodiscard]] KindPtr find(std::string_view group, std::string_view version, std::string_view plural) const;
  [[nodiscard]] bool has_group_version(std::string_view group, std::string_view version) const;
  /// The group and version have kinds that no CustomResourceDefinition declares.
  [[nodiscard]] bool has_builtin(std::string_view group, std::string_view version) const;
  [[nodiscard]] const std::vector<KindPtr>& kinds() const { return kinds_; }
  void add(KindPtr);
  void remove_group_resource(std::string_view group, std::string_view plural);

 private:
  std::vector<KindPtr> kinds_;
  std::map<std::string, KindPtr, std::less<>> by_path_;  // "group/version/plural"
};

}  // namespace kruise::cluster
