// The request line of an API call, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/client.hpp"

namespace kruise::cluster {

/// Query parameters, unescaped; the first of a name wins.
class Query {
 public:
  Query() = default;
  explicit Query(std::string_view text);
  /// Empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Given, and not as "false" or "0": the bare name counts too.
  [[nodiscard]] bool flag(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

/// `/apis/apps/v1/namespaces/ns/statefulsets/web/status?x=y` in its parts. `resource` is empty for paths that name none
/// (discovery, health, openapi).
struct RequestInfo {
  std::string path;  // without query, unescaped
  Query query;
  std::string group;
  std::string version;
  std::string ns;
  std::string resource;  // plural
  std::string name;
  std::string subresource;
  std::vector<std::string> rest;  // segments below the subresource

  explicit RequestInfo(const client::Request&);
};

}  // namespace kruise::cluster
