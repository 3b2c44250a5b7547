#include "cluster/openapi.hpp"

#include "api/openapi.hpp"

#include <map>

#include "base/hash.hpp"
#include "base/json_writer.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kRoot = "/openapi/v3";

std::string path_of(const KindNames& n) { return n.group.empty() ? "api/" + n.version : "apis/" + n.group + "/" + n.version; }

/// Changes when a document does, so that clients may keep it.
std::map<std::string, std::uint64_t> hashes_of(const Catalog& catalog) {
  std::map<std::string, std::uint64_t> hashes;
  for (const auto& kind : catalog.kinds()) {
    std::uint64_t& hash = hashes[path_of(kind->names())];
    hash = hash * 31 + base::fnv1a_64(kind->names().kind) + base::fnv1a_64(kind->openapi_schema());
  }
  return hashes;
}

Response index(const Catalog& catalog) {
  base::JsonWriter w;
  w.begin_object().key("paths").begin_object();
  for (const auto& [path, hash] : hashes_of(catalog)) {
    w.key(path)
        .begin_object()
        .key("serverRelativeURL")
        .string(std::string(kRoot) + "/" + path + "?hash=" + std::to_string(hash))
        .end_object();
  }
  w.end_object().end_object();
  return ok_json(std::move(w).text());
}

}  // namespace

Response openapi(const Catalog& catalog, const RequestInfo& info) {
  std::string_view path = info.path;
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path == kRoot) return index(catalog);
  if (!path.starts_with(std::string(kRoot) + "/")) return no_such_path();
  path.remove_prefix(kRoot.size() + 1);
  std::vector<api::OpenApiResource> resources;
  for (const auto& kind : catalog.kinds()) {
    const KindNames& n = kind->names();
    if (path_of(n) != path) continue;
    const api::Resource resource{n.group, n.version, n.kind, n.plural,
                                 n.namespaced ? api::Scope::kNamespaced : api::Scope::kCluster};
    resources.push_back(
        {.resource = resource, .schema = kind->openapi_schema(), .status = kind->traits().status, .scale = kind->traits().scale});
  }
  if (resources.empty()) return no_such_path();
  const api::Resource& first = resources.front().resource;
  return ok_json(api::openapi_v3_group_version(first.group, first.version, resources));
}

}  // namespace kruise::cluster
