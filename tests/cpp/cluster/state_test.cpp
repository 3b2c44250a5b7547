#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "api.hpp"
#include "cluster/faults.hpp"
#include "cluster/local_client.hpp"

namespace kruise::cluster::testing {
namespace {

using ::testing::ElementsAre;

/// No file of this process can grow beyond so many bytes while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : ignored_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, ignored_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t ignored_;
};

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
  /// What a cluster leaves that has stored `kept`, and then `last`.
  std::string written_state() {
    ApiServer server(options());
    call(server, "POST", kConfigMaps, configmap("kept"));
    call(server, "POST", kConfigMaps, configmap("last"));
    return read();
  }
  [[nodiscard]] std::string read() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
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

TEST_F(State, NoUidIsGivenOutAgainAfterARestart) {
  std::set<std::string> uids;
  for (int run = 0; run < 3; ++run) {
    ApiServer server(options());
    for (int i = 0; i < 3; ++i) {
      const auto made = call(server, "POST", kConfigMaps, configmap("c" + std::to_string(i)));
      EXPECT_TRUE(uids.insert(made["metadata"]["uid"].get<std::string>()).second) << "run " << run << ": " << made;
      call(server, "DELETE", kConfigMaps + "/c" + std::to_string(i));
    }
  }
}

TEST_F(State, ATornLastLineIsForgotten) {
  const std::string whole = written_state();
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (const std::size_t cut : {last + 1, last + 20, whole.size() - 1}) {
    write(whole.substr(0, cut));
    ApiServer server(options());
    EXPECT_EQ(call(server, "GET", kConfigMaps + "/kept")["kind"], "ConfigMap") << cut;
    EXPECT_EQ(call(server, "GET", kConfigMaps + "/last")["code"], 404) << cut;
    EXPECT_EQ(call(server, "POST", kConfigMaps, configmap("next"))["kind"], "ConfigMap") << cut;
  }
}

TEST_F(State, WhatIsNoStateIsRefusedAndLeftAsItIs) {
  const std::string whole = written_state();
  std::string damaged = whole;
  damaged[whole.find('\n', whole.size() / 2) + 5] = '~';
  const auto line_of = [](const std::string& text, std::size_t at) {
    return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  };
  const struct {
    std::string text, where;
  } cases[] = {
      {"not ours\nat all\n", ":1: this is no state of a cluster"},
      {"not ours, without a line's end", ":1: this is no state of a cluster"},
      {"{}", ":1: this is no state of a cluster"},
      {"{\"apiVersion\":\"v1\",\"kind\":\"Config\"}\n", ":1: this is no state of a cluster"},
      {"{\"version\":3,\"other\":\"tool\"}\n", ":1: this is no state of a cluster"},
      {std::string(100, '\0'), ":1: this is no state of a cluster"},
      {damaged, ":" + line_of(whole, whole.find('\n', whole.size() / 2) + 5) + ": damaged"},
      {whole + "\n", ":" + line_of(whole, whole.size()) + ": damaged"},
  };
  for (const auto& c : cases) {
    write(c.text);
    try {
      const ApiServer server(options());
      FAIL() << "accepted: " << c.text;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("state file " + path + c.where));
      EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
    }
    EXPECT_EQ(read(), c.text);
  }
}

TEST_F(State, OneProcessAtATime) {
  {
    ApiServer first(options());
    call(first, "POST", kConfigMaps, configmap("kept"));
    try {
      const ApiServer second(options());
      FAIL() << "two clusters write one file";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "state file " + path + ": another cluster is using it");
    }
  }
  ApiServer later(options());
  EXPECT_EQ(call(later, "GET", kConfigMaps + "/kept")["kind"], "ConfigMap");
}

/// As on a full disk: what cannot be kept is not acknowledged, and is made up for once there is room.
TEST_F(State, AWriteThatCannotBeKeptIsAnError) {
  {
    ApiServer server(options());
    call(server, "POST", kConfigMaps, configmap("before"));
    {
      const FileSizeLimit limit(std::filesystem::file_size(path) + 50);
      const auto refused = call(server, "POST", kConfigMaps, configmap("during"));
      EXPECT_EQ(refused["code"], 500);
      EXPECT_THAT(refused["message"].get<std::string>(), ::testing::HasSubstr("state file " + path + ": File too large"));
      EXPECT_EQ(call(server, "POST", kConfigMaps, configmap("still"))["code"], 500);
    }
    EXPECT_EQ(call(server, "POST", kConfigMaps, configmap("after"))["kind"], "ConfigMap");
  }
  ApiServer server(options());
  for (const char* name : {"before", "during", "still", "after"}) {
    EXPECT_EQ(call(server, "GET", kConfigMaps + "/" + name)["kind"], "ConfigMap") << name;
  }
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
