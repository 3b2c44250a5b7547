#include "cluster/kind.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cluster/fields/field_type.hpp"
#include "cluster/tables/columns.hpp"

namespace kruise::cluster {
namespace {

std::string path_of(std::string_view group, std::string_view version, std::string_view plural) {
  std::string path;
  path.reserve(group.size() + version.size() + plural.size() + 2);
  return path.append(group).append("/").append(version).append("/").append(plural);
}

}  // namespace

std::vector<Column> Kind::columns() const { return {}; }

const fields::FieldType& Kind::field_type() const {
  static const fields::TypeArena unknown(nullptr);
  return unknown.root();
}

const Json& Kind::zero() const {
  static const Json nothing = Json::object();
  return nothing;
}

void Kind::to_served(Json& tree) const { tree["apiVersion"] = names_.api_version(); }
void Kind::to_stored(Json& tree) const { tree["apiVersion"] = stored_api_version(); }

KindPtr Catalog::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const auto found = by_path_.find(path_of(group, version, plural));
  return found == by_path_.end() ? nullptr : found->second;
}

bool Catalog::has_builtin(std::string_view group, std::string_view version) const {
  return std::ranges::any_of(kinds_, [&](const KindPtr& kind) {
    return !kind->custom() && kind->names().group == group && kind->names().version == version;
  });
}

bool Catalog::has_group_version(std::string_view group, std::string_view version) const {
  return std::ranges::any_of(kinds_,
                             [&](const KindPtr& k) { return k->names().group == group && k->names().version == version; });
}

void Catalog::add(KindPtr kind) {
  const KindNames& n = kind->names();
  by_path_.insert_or_assign(path_of(n.group, n.version, n.plural), kind);
  kinds_.push_back(std::move(kind));
}

void Catalog::remove_group_resource(std::string_view group, std::string_view plural) {
  const auto gone = [&](const KindPtr& kind) { return kind->names().group == group && kind->names().plural == plural; };
  std::erase_if(kinds_, gone);
  std::erase_if(by_path_, [&](const auto& entry) { return gone(entry.second); });
}

}  // namespace kruise::cluster
