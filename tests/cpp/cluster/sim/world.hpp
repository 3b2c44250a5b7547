// An embedded cluster with nodes in virtual time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/executor.hpp"
#include "client/request.hpp"
#include "cluster/api_server.hpp"
#include "cluster/local_client.hpp"

namespace kruise::cluster::test {

using nlohmann::json;

class World {
 public:
  World() : server({.clock = &loop, .seed = 1, .watch_history_events = 100'000, .state_path = {}}), client(server, loop) {}

  json call(client::Request request, int code) {
    const auto response = server.handle(request);
    if (response.code != code) throw std::runtime_error(request.method + " " + request.path + ": " + response.body);
    return json::parse(response.body);
  }
  json get(const std::string& name) { return call(client::get(api::kPods, {"default", name}), 200); }
  bool exists(const std::string& name) { return server.handle(client::get(api::kPods, {"default", name})).code == 200; }
  json patch(const std::string& name, const json& body, std::string_view subresource = {}) {
    return call(client::patch(api::kPods, {"default", name}, client::PatchType::kStrategic, body.dump(),
                              {.subresource = std::string(subresource)}),
                200);
  }
  void remove(const std::string& name) { (void)server.handle(client::remove(api::kPods, {"default", name})); }

  json create_pod(const std::string& name, const json& extra_spec = json::object()) {
    json pod = {{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", {{"name", name}}},
                {"spec", {{"containers", {{{"name", "main"}, {"image", "example.com/web:1"}}}}}}};
    pod["spec"].update(extra_spec);
    return call(client::create(api::kPods, "default", pod.dump()), 201);
  }
  /// Status of a condition, empty when the pod has none of that type.
  static std::string condition(const json& pod, std::string_view type, const char* member = "status") {
    const json conditions = pod["status"].value("conditions", json::array());
    for (const auto& condition : conditions) {
      if (condition["type"] == type) return condition.value(member, "");
    }
    return {};
  }
  std::string ready(const std::string& name) { return condition(get(name), "Ready"); }
  bool wait_ready(const std::string& name) {
    return loop.run_until([&] { return ready(name) == "True"; }, std::chrono::minutes(10));
  }

  base::VirtualLoop loop{base::Time(std::chrono::seconds(1'700'000'000))};
  ApiServer server;
  LocalClient client;
};

}  // namespace kruise::cluster::test
