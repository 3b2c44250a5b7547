#include "client/request.hpp"

#include "base/json_writer.hpp"

namespace kruise::client {
namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
         c == '~';
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
}

/// A path and its query parameters, each escaped; empty values are left out.
class Path {
 public:
  explicit Path(std::string path) : path_(std::move(path)) {}
  Path& query(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    path_ += first_ ? '?' : '&';
    first_ = false;
    path_ += key;
    path_ += '=';
    append_escaped(path_, value);
    return *this;
  }
  Path& query(std::string_view key, int value) { return value == 0 ? *this : query(key, std::to_string(value)); }
  [[nodiscard]] std::string text() && { return std::move(path_); }

 private:
  std::string path_;
  bool first_ = true;
};

Request write_request(std::string_view method, std::string path, std::string_view type, std::string body,
                      const WriteOptions& options) {
  Path full(std::move(path));
  full.query("dryRun", options.dry_run ? "All" : "").query("fieldManager", options.field_manager);
  full.query("fieldValidation", options.field_validation).query("force", options.force ? "true" : "");
  Request request;
  request.method = method;
  request.path = std::move(full).text();
  request.content_type = type;
  request.body = std::move(body);
  return request;
}

std::string delete_options(const DeleteOptions& options) {
  base::JsonWriter w;
  w.begin_object().key("kind").string("DeleteOptions").key("apiVersion").string("v1");
  if (!options.uid.empty() || !options.resource_version.empty()) {
    w.key("preconditions").begin_object();
    if (!options.uid.empty()) w.key("uid").string(options.uid);
    if (!options.resource_version.empty()) w.key("resourceVersion").string(options.resource_version);
    w.end_object();
  }
  if (options.grace_period_s) w.key("gracePeriodSeconds").integer(*options.grace_period_s);
  if (!options.propagation.empty()) w.key("propagationPolicy").string(options.propagation);
  if (options.dry_run) w.key("dryRun").begin_array().string("All").end_array();
  w.end_object();
  return std::move(w).text();
}

}  // namespace

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategic:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "application/json";
}

std::string path_of(const api::Resource& resource, std::string_view ns, std::string_view name, std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api/" + resource.version : "/apis/" + resource.group + "/" + resource.version;
  const auto add = [&path](std::string_view part) {
    if (part.empty()) return;
    path += '/';
    append_escaped(path, part);
  };
  if (resource.namespaced() && !ns.empty()) {
    path += "/namespaces";
    add(ns);
  }
  add(resource.plural);
  add(name);
  add(subresource);
  return path;
}

Request get(const api::Resource& resource, const api::Key& key, std::string_view subresource) {
  Request request;
  request.path = path_of(resource, key.ns, key.name, subresource);
  return request;
}

Request list(const api::Resource& resource, std::string_view ns, const ListOptions& options) {
  Path path(path_of(resource, ns));
  path.query("labelSelector", options.label_selector).query("fieldSelector", options.field_selector);
  path.query("resourceVersion", options.resource_version).query("resourceVersionMatch", options.resource_version_match);
  path.query("limit", options.limit).query("continue", options.continue_token);
  Request request;
  request.path = std::move(path).text();
  return request;
}

Request watch(const api::Resource& resource, std::string_view ns, const WatchOptions& options) {
  Path path(path_of(resource, ns));
  path.query("watch", "1").query("labelSelector", options.label_selector).query("fieldSelector", options.field_selector);
  path.query("resourceVersion", options.resource_version).query("allowWatchBookmarks", options.bookmarks ? "true" : "");
  if (options.send_initial_events) path.query("sendInitialEvents", "true").query("resourceVersionMatch", "NotOlderThan");
  path.query("timeoutSeconds", options.timeout_s);
  Request request;
  request.path = std::move(path).text();
  return request;
}

Request create(const api::Resource& resource, std::string_view ns, std::string body, const WriteOptions& options) {
  return write_request("POST", path_of(resource, ns, {}, options.subresource), "application/json", std::move(body), options);
}

Request update(const api::Resource& resource, const api::Key& key, std::string body, const WriteOptions& options) {
  return write_request("PUT", path_of(resource, key.ns, key.name, options.subresource), "application/json", std::move(body),
                       options);
}

Request patch(const api::Resource& resource, const api::Key& key, PatchType type, std::string body, const WriteOptions& options) {
  return write_request("PATCH", path_of(resource, key.ns, key.name, options.subresource), content_type(type), std::move(body),
                       options);
}

Request remove(const api::Resource& resource, const api::Key& key, const DeleteOptions& options) {
  // The body is sent even when it says nothing: a request with a body is never
  // sent twice behind our back (rest_client.cpp).
  return write_request("DELETE", path_of(resource, key.ns, key.name), "application/json", delete_options(options), {});
}

}  // namespace kruise::client
