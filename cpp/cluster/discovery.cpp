#include "cluster/discovery.hpp"

#include <algorithm>
#include <charconv>

#include "base/json_writer.hpp"
#include "cluster/openapi.hpp"

namespace kruise::cluster {
namespace {

using base::JsonWriter;

constexpr std::string_view kServerAddress = "127.0.0.1";

/// What a version of a custom kind ranks by: v2 before v1, both before v3beta1 and that before v1alpha1, other words last.
struct VersionRank {
  int stage = -1;  // alpha 0, beta 1, neither 2
  std::int64_t major = 0, minor = 0;
  auto operator<=>(const VersionRank&) const = default;
};
VersionRank rank_of(std::string_view version) {
  const auto number = [&version](std::int64_t& into) {
    const auto read = std::from_chars(version.data(), version.data() + version.size(), into);
    version.remove_prefix(static_cast<std::size_t>(read.ptr - version.data()));
    return read.ec == std::errc();
  };
  VersionRank rank;
  if (!version.starts_with('v')) return {};
  version.remove_prefix(1);
  if (!number(rank.major)) return {};
  rank.stage = version.empty() ? 2 : version.starts_with("beta") ? 1 : version.starts_with("alpha") ? 0 : -1;
  if (rank.stage == 2) return rank;
  if (rank.stage < 0) return {};
  version.remove_prefix(rank.stage == 1 ? 4 : 5);
  return number(rank.minor) && version.empty() ? rank : VersionRank{};
}

/// The served groups in order, each with its versions in order of preference.
struct Group {
  std::string name;
  std::vector<std::string> versions;
};

std::vector<Group> groups_of(const Catalog& catalog) {
  std::vector<Group> groups;
  for (const auto& kind : catalog.kinds()) {
    const KindNames& n = kind->names();
    auto found = std::ranges::find(groups, n.group, &Group::name);
    if (found == groups.end()) {
      groups.push_back({n.group, {}});
      found = groups.end() - 1;
    }
    if (std::ranges::find(found->versions, n.version) != found->versions.end()) continue;
    const auto before = [&](const std::string& other) { return rank_of(n.version) > rank_of(other); };
    found->versions.insert(kind->custom() ? std::ranges::find_if(found->versions, before) : found->versions.end(), n.version);
  }
  return groups;
}

void write_texts(JsonWriter& w, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  w.key(name).begin_array();
  for (const auto& text : texts) w.string(text);
  w.end_array();
}

std::vector<std::string> verbs_of(const Kind& kind) {
  if (!kind.traits().listed) return {"create"};
  if (kind.custom()) return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

struct Subresource {
  std::string name, kind, group, version;
  std::vector<std::string> verbs;
};

std::vector<Subresource> subresources_of(const Kind& kind) {
  std::vector<Subresource> all;
  const KindNames& n = kind.names();
  if (n.group.empty() && n.plural == "pods") {
    all.push_back({"binding", "Binding", "", "v1", {"create"}});
    all.push_back({"eviction", "Eviction", "policy", "v1", {"create"}});
    all.push_back({"exec", "PodExecOptions", "", "v1", {"create", "get"}});
    all.push_back({"log", "Pod", "", "v1", {"get"}});
  }
  if (n.group.empty() && n.plural == "serviceaccounts")
    all.push_back({"token", "TokenRequest", "authentication.k8s.io", "v1", {"create"}});
  if (kind.traits().scale) all.push_back({"scale", "Scale", "autoscaling", "v1", {"get", "patch", "update"}});
  if (kind.traits().status) all.push_back({"status", n.kind, n.group, n.version, {"get", "patch", "update"}});
  return all;
}

Response resource_list(const Catalog& catalog, const std::string& group, const std::string& version) {
  JsonWriter w;
  w.begin_object().key("kind").string("APIResourceList").key("apiVersion").string("v1");
  w.key("groupVersion").string(group.empty() ? version : group + "/" + version).key("resources").begin_array();
  for (const auto& kind : catalog.kinds()) {
    const KindNames& n = kind->names();
    if (n.group != group || n.version != version) continue;
    w.begin_object().key("name").string(n.plural).key("singularName").string(n.singular).key("namespaced").boolean(n.namespaced);
    w.key("kind").string(n.kind);
    write_texts(w, "verbs", verbs_of(*kind));
    write_texts(w, "shortNames", n.short_names);
    write_texts(w, "categories", n.categories);
    w.end_object();
    for (const auto& sub : subresources_of(*kind)) {
      w.begin_object()
          .key("name")
          .string(n.plural + "/" + sub.name)
          .key("singularName")
          .string("")
          .key("namespaced")
          .boolean(n.namespaced);
      if (sub.group != n.group) w.key("group").string(sub.group);
      if (sub.group != n.group || sub.version != n.version) w.key("version").string(sub.version);
      w.key("kind").string(sub.kind);
      write_texts(w, "verbs", sub.verbs);
      w.end_object();
    }
  }
  w.end_array().end_object();
  return ok_json(std::move(w).text());
}

void write_group(JsonWriter& w, const Group& group) {
  const auto version = [&](const std::string& v) {
    w.begin_object().key("groupVersion").string(group.name + "/" + v).key("version").string(v).end_object();
  };
  w.key("name").string(group.name).key("versions").begin_array();
  for (const auto& v : group.versions) version(v);
  w.end_array().key("preferredVersion");
  version(group.versions.front());
}

Response group_list(const Catalog& catalog) {
  JsonWriter w;
  w.begin_object().key("kind").string("APIGroupList").key("apiVersion").string("v1").key("groups").begin_array();
  for (const auto& group : groups_of(catalog)) {
    if (group.name.empty()) continue;
    w.begin_object();
    write_group(w, group);
    w.end_object();
  }
  w.end_array().end_object();
  return ok_json(std::move(w).text());
}

Response one_group(const Catalog& catalog, const std::string& name) {
  for (const auto& group : groups_of(catalog)) {
    if (group.name != name || name.empty()) continue;
    JsonWriter w;
    w.begin_object().key("kind").string("APIGroup").key("apiVersion").string("v1");
    write_group(w, group);
    w.end_object();
    return ok_json(std::move(w).text());
  }
  return no_such_path();
}

Response core_versions() {
  JsonWriter w;
  w.begin_object().key("kind").string("APIVersions").key("versions").begin_array().string("v1").end_array();
  w.key("serverAddressByClientCIDRs").begin_array().begin_object().key("clientCIDR").string("0.0.0.0/0");
  w.key("serverAddress").string(kServerAddress).end_object().end_array().end_object();
  return ok_json(std::move(w).text());
}

void write_response_kind(JsonWriter& w, std::string_view group, std::string_view version, std::string_view kind) {
  w.key("responseKind")
      .begin_object()
      .key("group")
      .string(group)
      .key("version")
      .string(version)
      .key("kind")
      .string(kind)
      .end_object();
}

/// Everything in one answer, as newer clients ask for.
Response aggregated(const Catalog& catalog, bool core, const std::string& version) {
  JsonWriter w;
  w.begin_object().key("kind").string("APIGroupDiscoveryList").key("apiVersion").string("apidiscovery.k8s.io/" + version);
  w.key("metadata").begin_object().end_object().key("items").begin_array();
  for (const auto& group : groups_of(catalog)) {
    if (group.name.empty() != core) continue;
    w.begin_object().key("metadata").begin_object();
    if (!core) w.key("name").string(group.name);
    w.key("creationTimestamp").null().end_object().key("versions").begin_array();
    for (const auto& v : group.versions) {
      w.begin_object().key("version").string(v).key("resources").begin_array();
      for (const auto& kind : catalog.kinds()) {
        const KindNames& n = kind->names();
        if (n.group != group.name || n.version != v) continue;
        w.begin_object().key("resource").string(n.plural);
        write_response_kind(w, n.group, n.version, n.kind);
        w.key("scope").string(n.namespaced ? "Namespaced" : "Cluster").key("singularResource").string(n.singular);
        write_texts(w, "verbs", verbs_of(*kind));
        write_texts(w, "shortNames", n.short_names);
        write_texts(w, "categories", n.categories);
        if (const auto subs = subresources_of(*kind); !subs.empty()) {
          w.key("subresources").begin_array();
          for (const auto& sub : subs) {
            w.begin_object().key("subresource").string(sub.name);
            write_response_kind(w, sub.group, sub.version, sub.kind);
            write_texts(w, "verbs", sub.verbs);
            w.end_object();
          }
          w.end_array();
        }
        w.end_object();
      }
      w.end_array().key("freshness").string("Current").end_object();
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  Response response = ok_json(std::move(w).text());
  response.content_type = "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList";
  return response;
}

Response roots(const Catalog& catalog, bool core, std::string_view accept) {
  if (accept.find("as=APIGroupDiscoveryList") != std::string_view::npos) {
    return aggregated(catalog, core, accept.find("v=v2;") != std::string_view::npos ? "v2" : "v2beta1");
  }
  return core ? core_versions() : group_list(catalog);
}

Response server_version() {
  JsonWriter w;
  w.begin_object();
  for (const auto& [name, value] : {std::pair{"major", "1"},
                                    {"minor", "34"},
                                    {"gitVersion", "v1.34.4"},
                                    {"gitCommit", ""},
                                    {"gitTreeState", "clean"},
                                    {"buildDate", "1970-01-01T00:00:00Z"},
                                    {"goVersion", ""},
                                    {"compiler", "gcc"},
                                    {"platform", "linux/amd64"}}) {
    w.key(name).string(value);
  }
  w.end_object();
  return ok_json(std::move(w).text());
}

}  // namespace

Response discovery(const Catalog& catalog, const RequestInfo& info, const client::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return no_such_path();
  std::string_view path = info.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/api") return roots(catalog, true, request.accept);
  if (path == "/apis") return roots(catalog, false, request.accept);
  if (path == "/version") return server_version();
  for (const std::string_view health : {"/healthz", "/livez", "/readyz"}) {
    if (path == health || (path.starts_with(health) && path[health.size()] == '/')) {
      return {.code = 200, .body = "ok", .content_type = "text/plain; charset=utf-8"};
    }
  }
  if (path.starts_with("/openapi/")) return openapi(catalog, info);
  if (!info.version.empty()) {
    return catalog.has_group_version(info.group, info.version) ? resource_list(catalog, info.group, info.version)
                                                               : no_such_path();
  }
  if (!info.group.empty()) return one_group(catalog, info.group);
  return no_such_path();
}

}  // namespace kruise::cluster
