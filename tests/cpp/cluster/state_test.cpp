#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "api.hpp"
#include "cluster/faults.hpp"
#include "cluster/local_client.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::ElementsAre;

class State : public ::testing::Test {
 protected:
  ApiServer::Options options() { return {.clock = &loop, .seed = 3, .watch_history_events = 100, .state_path = path}; }
  static Json call(ApiServer& server, const std::string& method, const std::string& at, const Json& body = nullptr) {
    const auto response = server.handle({.method = method,
                                         .path = at,
                                         .content_type = "application/json",
                                         .body = body.is_null() ? "" : body.dump(),
                                         .user_agent = {},
                                         .timeout = {}});
    return Json::parse(response.body, nullptr, false);
  }
  void TearDown() override { std::filesystem::remove(path); }

  base::VirtualLoop loop{base::Time{std::chrono::seconds(1'700'000'000)}};
  std::string path = ::testing::TempDir() + "kruise-state-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(State, ObjectsAndVersionsOutliveTheProcess) {
  Json kept;
  std::string gone_version;
  {
    ApiServer server(options());
    call(server, "POST", kConfigMaps, configmap("gone"));
    kept = call(server, "POST", kConfigMaps, configmap("kept", {{"k", "v"}}));
    gone_version = call(server, "DELETE", kConfigMaps + "/gone")["status"];
  }
  ApiServer server(options());
  EXPECT_EQ(call(server, "GET", kConfigMaps + "/kept"), kept);
  EXPECT_EQ(call(server, "GET", kConfigMaps + "/gone")["code"], 404);
  const auto next = call(server, "POST", kConfigMaps, configmap("next"));
  EXPECT_GT(std::stoul(next["metadata"]["resourceVersion"].get<std::string>()),
            std::stoul(kept["metadata"]["resourceVersion"].get<std::string>()) + 1)
      << "the deletion counted too";
  const auto stream = server.watch(
      {.path = kConfigMaps + "?watch=1&resourceVersion=1", .content_type = {}, .body = {}, .user_agent = {}, .timeout = {}});
  EXPECT_THAT(drain(**stream), ElementsAre("ERROR 410"));
}

TEST_F(State, DefinitionsAreInstalledAgainAndMayHaveChanged) {
  const auto definition = [](const char* short_name) {
    return std::string(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"gadgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
      "names":{"plural":"gadgets","kind":"Gadget","listKind":"GadgetList","singular":"gadget","shortNames":[")") +
           short_name + R"("]},"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})";
  };
  const std::string gadgets = "/apis/example.com/v1/namespaces/default/gadgets";
  Json kept;
  {
    ApiServer server(options());
    server.install_crd(definition("ga"));
    kept = call(server, "POST", gadgets, {{"apiVersion", "example.com/v1"}, {"kind", "Gadget"}, {"metadata", {{"name", "one"}}}});
  }
  ApiServer server(options());
  server.install_crd(definition("gd"));
  EXPECT_EQ(call(server, "GET", gadgets + "/one"), kept);
  EXPECT_EQ(call(server, "GET", "/apis/example.com/v1")["resources"][0]["shortNames"], Json::array({"gd"}));
}

TEST_F(State, ATornLastLineIsForgottenAndAForeignFileIsRefused) {
  {
    ApiServer server(options());
    call(server, "POST", kConfigMaps, configmap("kept"));
  }
  std::ofstream(path, std::ios::app) << R"({"version":99,"group":"","plu)";
  static_cast<void>(
      ApiServer(options()).handle({.path = kConfigMaps, .content_type = {}, .body = {}, .user_agent = {}, .timeout = {}}));
  std::ofstream(path) << "not ours\nat all\n";
  EXPECT_THROW(ApiServer{options()}, std::runtime_error);
}

class Lines final : public client::WatchHandler {
 public:
  void on_event(std::string_view line) override { types.push_back(Json::parse(line)["type"]); }
  void on_end(std::optional<client::ApiError> error) override { types.push_back(error ? "end " + error->reason : "end"); }
  std::vector<std::string> types;
};

class OneFault final : public FaultPlan {
 public:
  explicit OneFault(WatchFault fault) : fault_(fault) {}
  Fault on_request(const client::Request&) override { return {}; }
  WatchFault on_event(const client::Request&) override { return std::exchange(fault_, {}); }

 private:
  WatchFault fault_;
};

std::vector<std::string> watched(WatchFault fault) {
  Api api;
  LocalClient client(api.server, api.loop);
  client.inject(std::make_shared<OneFault>(fault));
  Lines lines;
  const auto watch =
      client.watch({.path = kConfigMaps + "?watch=1", .content_type = {}, .body = {}, .user_agent = {}, .timeout = {}}, lines);
  api.loop.run_for(std::chrono::milliseconds(1));
  api.post(kConfigMaps, configmap("a"));
  api.post(kConfigMaps, configmap("b"));
  api.loop.run_for(std::chrono::seconds(1));
  return lines.types;
}

TEST(Faults, OfWatches) {
  EXPECT_THAT(watched({}), ElementsAre("ADDED", "ADDED"));
  EXPECT_THAT(watched({.kind = WatchFault::Kind::kBreak}), ElementsAre("end Unreachable"));
  EXPECT_THAT(watched({.kind = WatchFault::Kind::kExpire}), ElementsAre("ERROR", "end"));
  EXPECT_THAT(watched({.kind = WatchFault::Kind::kError}), ElementsAre("ERROR", "end"));
  EXPECT_THAT(watched({.kind = WatchFault::Kind::kDelay, .delay = std::chrono::seconds(5)}), ElementsAre());
  EXPECT_THAT(watched({.kind = WatchFault::Kind::kDelay, .delay = std::chrono::milliseconds(5)}), ElementsAre("ADDED", "ADDED"));
}

TEST(Faults, AreTheSameForTheSameSeed) {
  const auto draw = [](std::uint64_t seed) {
    RandomFaults faults(seed, {.refused = 0.2, .lost_answer = 0.2, .server_error = 0.2, .watch_broken = 0.3});
    std::string text;
    for (int i = 0; i < 50; ++i) {
      text += std::to_string(
          static_cast<int>(faults.on_request({.content_type = {}, .body = {}, .user_agent = {}, .timeout = {}}).kind));
      text += std::to_string(
          static_cast<int>(faults.on_event({.content_type = {}, .body = {}, .user_agent = {}, .timeout = {}}).kind));
    }
    return text;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

}  // namespace
}  // namespace kruise::cluster::testing
