#include "cluster/crd/definitions.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/crd/custom_kind.hpp"
#include "cluster/crd/definition_kind.hpp"
#include "cluster/fields/tracker.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr Storage::Writer kServer{.user_agent = "kube-apiserver"};

std::vector<std::string> texts(const Json* list) {
  std::vector<std::string> out;
  if (list == nullptr || !list->is_array()) return out;
  for (const Json& item : *list) out.push_back(item.is_string() ? item.get<std::string>() : std::string());
  return out;
}

/// ".spec.replicas" without its dot.
std::string undotted(std::string_view path) { return std::string(path.starts_with('.') ? path.substr(1) : path); }

CustomSpec spec_of(const Json& crd, const Json& version, const std::string& stored_version) {
  const Json& spec = crd.at("spec");
  const Json& names = spec.at("names");
  CustomSpec out;
  out.names.group = text_of(spec, "group");
  out.names.version = text_of(version, "name");
  out.names.kind = text_of(names, "kind");
  out.names.plural = text_of(names, "plural");
  out.names.singular = text_of(names, "singular");
  out.names.list_kind = text_of(names, "listKind");
  out.names.short_names = texts(member(names, "shortNames"));
  out.names.categories = texts(member(names, "categories"));
  out.names.namespaced = text_of(spec, "scope") != "Cluster";
  out.stored_api_version = out.names.group + "/" + stored_version;
  out.traits.generation = true;
  out.traits.terminating = member(crd.at("metadata"), "deletionTimestamp") != nullptr;
  out.traits.unconditional_update = false;
  out.traits.status = member_at(version, {"subresources", "status"}) != nullptr;
  if (const Json* scale = member_at(version, {"subresources", "scale"})) {
    out.traits.scale = true;
    out.scale = {undotted(text_of(*scale, "specReplicasPath")), undotted(text_of(*scale, "statusReplicasPath")),
                 undotted(text_of(*scale, "labelSelectorPath"))};
  }
  if (const Json* openapi = member_at(version, {"schema", "openAPIV3Schema"});
      openapi != nullptr && !bool_of(spec, "preserveUnknownFields")) {
    if (auto schema = Schema::compile(*openapi)) out.schema = *schema;
    out.openapi_schema = json_text(*openapi);
  }
  if (const Json* columns = member(version, "additionalPrinterColumns"))
    out.printer_columns = std::make_shared<const Json>(*columns);
  if (const Json* fields = member(version, "selectableFields")) {
    for (const Json& field : *fields) out.selectable_fields.push_back(undotted(text_of(field, "jsonPath")));
  }
  return out;
}

}  // namespace

Definitions::Definitions(Context& context, std::vector<Conversion> conversions)
    : context_(context),
      kind_(std::make_shared<DefinitionKind>(context.storage().table("apiextensions.k8s.io", "customresourcedefinitions"))),
      conversions_(std::move(conversions)) {}

const Conversion* Definitions::conversion(std::string_view definition, std::string_view version) const {
  const auto found =
      std::ranges::find_if(conversions_, [&](const Conversion& c) { return c.definition == definition && c.version == version; });
  return found == conversions_.end() ? nullptr : &*found;
}

/// Deletes what can go, marks what finalizers hold. True: nothing is left.
bool Definitions::clear(Table& table) {
  Storage& storage = context_.storage();
  bool empty = true;
  for (const auto& object : storage.list(table, {}).objects) {
    const Json& metadata = object->tree().at("metadata");
    if (empty_value(member(metadata, "finalizers"))) {
      empty = storage.remove(table, object, kServer) != nullptr && empty;
      continue;
    }
    empty = false;
    if (member(metadata, "deletionTimestamp") != nullptr) continue;
    Json now = object->tree();
    now["metadata"]["deletionTimestamp"] = base::format_time(context_.clock().now());
    now["metadata"]["deletionGracePeriodSeconds"] = 0;
    now["metadata"]["generation"] = integer_of(metadata, "generation", 0) + 1;
    static_cast<void>(storage.put(table, object->path(), std::move(now), object->owners(), object, kServer));
  }
  return empty;
}

/// The server itself writes the status, and is its owner as anybody would be.
OwnersPtr Definitions::owners_of_status(const Object& before, const Json& now) {
  static constexpr std::string_view kSpec[] = {"f:spec"};
  static constexpr std::string_view kMetadata[] = {"f:metadata"};
  if (!before.owners()) return nullptr;
  const fields::Write write{.type = kind_->field_type(),
                            .api_version = kind_->names().api_version(),
                            .manager = std::string(kServer.user_agent),
                            .subresource = "status",
                            .time = std::chrono::floor<std::chrono::seconds>(context_.clock().now()),
                            .ignored = fields::unite(fields::set_of_path(kSpec), fields::set_of_path(kMetadata)),
                            .texts = context_.field_texts(),
                            .version = [](const std::string&) { return std::optional<fields::Version>(); }};
  return std::make_shared<const fields::Owners>(fields::track_update(write, before.tree(), now, before.owners()->list(), false));
}

/// One step of a definition's life: established when it is new, gone when it is being deleted and its objects are gone.
void Definitions::settle(const ObjectPtr& definition) {
  Storage& storage = context_.storage();
  Table& table = kind_->table();
  Json now = definition->tree();
  Json& metadata = now["metadata"];
  if (member(metadata, "deletionTimestamp") == nullptr) {
    if (!establish(now, context_.clock().now())) return;
    OwnersPtr owners = owners_of_status(*definition, now);
    static_cast<void>(storage.put(table, definition->path(), std::move(now), std::move(owners), definition, kServer));
    return;
  }
  Json& finalizers = metadata["finalizers"];
  const auto cleanup =
      finalizers.is_array() ? std::ranges::find(finalizers, Json(std::string(kCleanupFinalizer))) : finalizers.end();
  if (cleanup == finalizers.end()) return;
  const Json& spec = definition->tree().at("spec");
  if (!clear(storage.table(text_of(spec, "group"), text_at(spec, {"names", "plural"})))) {
    terminating_ = true;
    return;
  }
  if (finalizers.size() == 1) {
    static_cast<void>(storage.remove(table, definition, kServer));
    return;
  }
  finalizers.erase(cleanup);
  static_cast<void>(storage.put(table, definition->path(), std::move(now), definition->owners(), definition, kServer));
}

void Definitions::reconcile() {
  const std::lock_guard lock(mutex_);
  Storage& storage = context_.storage();
  terminating_ = false;
  for (const auto& definition : storage.list(kind_->table(), {}).objects) settle(definition);
  const auto stored = storage.list(kind_->table(), {});
  std::map<std::string, Served> next;
  for (const auto& object : stored.objects) {
    const Json& crd = object->tree();
    const Json& spec = crd.at("spec");
    Served served{object->version(), std::string(text_of(spec, "group")), std::string(text_at(spec, {"names", "plural"}))};
    const auto known = served_.find(object->path());
    if (known == served_.end() || known->second.version != served.version) {
      std::string stored_version;
      for (const Json& version : spec.at("versions")) {
        if (bool_of(version, "storage")) stored_version = text_of(version, "name");
      }
      std::vector<KindPtr> kinds;
      Table& table = storage.table(served.group, served.plural);
      for (const Json& version : spec.at("versions")) {
        const Conversion* added = conversion(object->path(), text_of(version, "name"));
        if (!bool_of(version, "served") && added == nullptr) continue;
        CustomSpec kind = spec_of(crd, version, stored_version);
        if (added != nullptr) kind.convert = added->convert;
        kinds.push_back(std::make_shared<CustomKind>(std::move(kind), table));
      }
      context_.serve(served.group, served.plural, std::move(kinds));
    }
    next.emplace(object->path(), std::move(served));
  }
  for (const auto& [name, gone] : served_) {
    if (next.contains(name)) continue;
    context_.serve(gone.group, gone.plural, {});
    Table& table = storage.table(gone.group, gone.plural);
    static_cast<void>(clear(table));
    storage.retire(table);
  }
  served_ = std::move(next);
}

}  // namespace kruise::cluster
