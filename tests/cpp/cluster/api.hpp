// One embedded API server in virtual time, and short ways to call it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "cluster/api_server.hpp"

namespace kruise::cluster::testing {

using Json = nlohmann::json;

struct Answer {
  int code = 0;
  Json body;
  std::vector<std::string> warnings;
  [[nodiscard]] std::string version() const { return body.at("metadata").value("resourceVersion", ""); }
};

class Api {
 public:
  explicit Api(std::size_t history = 10'000, std::vector<Conversion> conversions = {})
      : loop(base::Time{std::chrono::seconds(1'700'000'000)}),
        server({.clock = &loop,
                .seed = 7,
                .watch_history_events = history,
                .state_path = {},
                .conversions = std::move(conversions)}) {}

  Answer call(const std::string& method, const std::string& path, const std::string& body = {},
              const std::string& type = "application/json", const std::string& accept = "application/json") {
    const auto response = server.handle({.method = method,
                                         .path = path,
                                         .accept = accept,
                                         .content_type = body.empty() ? "" : type,
                                         .body = body,
                                         .user_agent = "test",
                                         .timeout = {}});
    return {response.code, Json::parse(response.body, nullptr, false), response.warnings};
  }
  Answer get(const std::string& path) { return call("GET", path); }
  Answer post(const std::string& path, const Json& body) { return call("POST", path, body.dump()); }
  Answer put(const std::string& path, const Json& body) { return call("PUT", path, body.dump()); }
  Answer merge(const std::string& path, const Json& body) {
    return call("PATCH", path, body.dump(), "application/merge-patch+json");
  }
  Answer strategic(const std::string& path, const Json& body) {
    return call("PATCH", path, body.dump(), "application/strategic-merge-patch+json");
  }
  Answer json_patch(const std::string& path, const Json& body) {
    return call("PATCH", path, body.dump(), "application/json-patch+json");
  }
  Answer remove(const std::string& path, const Json& options = nullptr) {
    return call("DELETE", path, options.is_null() ? "" : options.dump());
  }

  std::unique_ptr<ApiServer::Stream> watch(const std::string& path) {
    auto stream = server.watch({.path = path, .content_type = {}, .body = {}, .user_agent = {}, .timeout = {}});
    EXPECT_TRUE(stream.ok()) << (stream.ok() ? "" : stream.error().body);
    return stream.ok() ? std::move(stream).value() : nullptr;
  }

  base::VirtualLoop loop;
  ApiServer server;
};

/// Every line due now, as "ADDED web-1 v5".
inline std::vector<std::string> drain(ApiServer::Stream& stream) {
  std::vector<std::string> lines;
  while (const auto line = stream.next()) {
    const Json event = Json::parse(**line);
    const Json& metadata = event.at("object").value("metadata", Json::object());
    std::string text = event.at("type").get<std::string>();
    if (metadata.contains("name")) text += " " + metadata.at("name").get<std::string>();
    if (event.at("type") == "ERROR") text += " " + std::to_string(event.at("object").at("code").get<int>());
    lines.push_back(text);
  }
  return lines;
}

inline Json pod(const std::string& name, const std::string& image = "nginx:1", const Json& labels = Json::object()) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", labels}}},
          {"spec", {{"containers", Json::array({{{"name", "main"}, {"image", image}}})}}}};
}

inline Json configmap(const std::string& name, const Json& data = Json::object()) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", data}};
}

inline const std::string kPods = "/api/v1/namespaces/default/pods";
inline const std::string kConfigMaps = "/api/v1/namespaces/default/configmaps";

}  // namespace kruise::cluster::testing
