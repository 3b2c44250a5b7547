// The REST client against a real API server. Run by tests/real/test_client.py, which starts the server and writes one kubeconfig
// a way of reaching it into the folder that KRUISE_TEST_KUBECONFIGS names.

#include "client/rest_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "client/recorder.hpp"
#include "client/request.hpp"
#include "client/rest_engine.hpp"
#include "client/sync_client.hpp"

namespace kruise::client {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using test::Recorder;
using testing::HasSubstr;

std::string folder() {
  const char* value = std::getenv("KRUISE_TEST_KUBECONFIGS");
  return value == nullptr ? "KRUISE_TEST_KUBECONFIGS-is-not-set" : value;
}

/// A client by one of the kubeconfigs.
struct Real {
  explicit Real(const std::string& kubeconfig = "token", RestOptions options = {}) : loop("test") {
    const auto config = load_config({.kubeconfig = folder() + "/" + kubeconfig});
    if (!config) throw std::runtime_error(config.error().message);
    options.on_call = [this](const CallInfo& info) { calls.push_back(info); };
    client.emplace(*config, loop, std::move(options));
  }
  Outcome call(Request request) { return Sync(*client).try_call(std::move(request)); }
  json must(Request request) { return json::parse(Sync(*client).call(std::move(request)).body); }
  std::vector<CallInfo> seen() {
    std::vector<CallInfo> copy;
    loop.run_and_wait([&] { copy = calls; });
    return copy;
  }
  std::unique_ptr<Watch> watch(const WatchOptions& options, Recorder& recorder) {
    return client->watch(client::watch(api::kConfigMaps, "default", options), recorder);
  }

  std::vector<CallInfo> calls;  // on the loop
  base::Loop loop;
  std::optional<RestClient> client;
};

api::Key key(const std::string& name) { return {"default", name}; }

std::string config_map(const std::string& name, const std::string& label = "x") {
  return json{{"metadata", {{"name", name}, {"labels", {{"test", label}}}}}, {"data", {{"a", "1"}}}}.dump();
}

// --- ways to reach it -------------------------------------------------------------------------------------------------

class Reaches : public testing::TestWithParam<const char*> {};

TEST_P(Reaches, AsAdmin) {
  Real real(GetParam());
  EXPECT_EQ(real.must(get(api::kNamespaces, {"", "default"}))["metadata"]["name"], "default");
  EXPECT_EQ(real.seen().back().http_version, 2);
  EXPECT_EQ(real.must(list(api::kNodes, "")).at("kind"), "NodeList");
}

INSTANTIATE_TEST_SUITE_P(All, Reaches,
                         testing::Values("token", "certificate", "certificate-files", "token-file", "exec", "exec-certificate",
                                         "insecure", "server-name", "impersonate"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Refusals, AreOneClearLine) {
  struct Case {
    const char* kubeconfig;
    int code;
    const char* reason;
    const char* says;
  };
  const Case cases[] = {{"wrong-token", 401, "Unauthorized", "Unauthorized"},
                        {"viewer", 403, "Forbidden", "cannot get resource \"namespaces\""},
                        {"wrong-ca", 0, "Unreachable", "certificate"},
                        {"wrong-server-name", 0, "Unreachable", "other.example"},
                        {"nobody-listens", 0, "Unreachable", "cannot be reached"}};
  for (const Case& c : cases) {
    Real real(c.kubeconfig);
    const Outcome outcome = real.call(get(api::kNamespaces, {"", "default"}));
    ASSERT_FALSE(outcome.ok()) << c.kubeconfig;
    EXPECT_EQ(outcome.error().code, c.code) << outcome.error().text();
    EXPECT_EQ(outcome.error().reason, c.reason);
    EXPECT_THAT(outcome.error().text(), HasSubstr(c.says));
    EXPECT_EQ(outcome.error().text().find('\n'), std::string::npos);
  }
}

TEST(Rotation, ANewTokenIsTakenUp) {
  const std::string file = folder() + "/rotating-token";
  std::ofstream(file) << "admin-token";
  Real real("rotating");
  EXPECT_TRUE(real.call(list(api::kNodes, "")).ok());
  std::ofstream(file) << "no-token";  // what was read is still good
  EXPECT_TRUE(real.call(list(api::kNodes, "")).ok());
  Real late("rotating");
  EXPECT_EQ(late.call(list(api::kNodes, "")).error().code, 401);
  std::ofstream(file) << "admin-token-2";
  EXPECT_TRUE(late.call(list(api::kNodes, "")).ok());
}

TEST(Http1, CanBeForced) {
  Real real("token", {.http1 = true});
  real.must(list(api::kNodes, ""));
  EXPECT_EQ(real.seen().back().http_version, 1);
}

TEST(UserAgent, IsTheClientsOrTheRequests) {
  Real real("token", {.user_agent = "kruise-manager"});
  Request request = list(api::kNodes, "");
  real.must(request);
  request.user_agent = "kruise-manager/cloneset-controller";
  real.must(request);
}

// --- verbs --------------------------------------------------------------------------------------------------------------

TEST(Verbs, CreateGetUpdateDelete) {
  Real real;
  (void)real.call(remove(api::kConfigMaps, key("verbs")));
  json made = real.must(create(api::kConfigMaps, "default", config_map("verbs"), {.field_manager = "m1"}));
  EXPECT_EQ(made["metadata"]["managedFields"][0]["manager"], "m1");
  EXPECT_TRUE(real.call(create(api::kConfigMaps, "default", config_map("verbs"))).error().already_exists());
  json changed = made;
  changed["data"]["a"] = "2";
  const json after = real.must(update(api::kConfigMaps, key("verbs"), changed.dump()));
  EXPECT_NE(after["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
  EXPECT_TRUE(real.call(update(api::kConfigMaps, key("verbs"), changed.dump())).error().conflict());
  EXPECT_EQ(real.must(get(api::kConfigMaps, key("verbs")))["data"]["a"], "2");

  EXPECT_TRUE(real.call(remove(api::kConfigMaps, key("verbs"), {.uid = "other"})).error().conflict());
  EXPECT_TRUE(real.call(remove(api::kConfigMaps, key("verbs"), {.resource_version = "1"})).error().conflict());
  EXPECT_TRUE(real.call(remove(api::kConfigMaps, key("verbs"), {.dry_run = true})).ok());
  const DeleteOptions exact{.uid = after["metadata"]["uid"], .resource_version = after["metadata"]["resourceVersion"]};
  EXPECT_TRUE(real.call(remove(api::kConfigMaps, key("verbs"), exact)).ok());
  EXPECT_TRUE(real.call(get(api::kConfigMaps, key("verbs"))).error().not_found());
}

TEST(Verbs, EveryPatchType) {
  Real real;
  (void)real.call(remove(api::kConfigMaps, key("patched")));
  const auto patched = [&](PatchType type, const char* body, const WriteOptions& options = {}) {
    return real.call(patch(api::kConfigMaps, key("patched"), type, body, options));
  };
  const auto data = [](const Outcome& outcome) {
    return outcome ? json::parse(outcome->body)["data"].dump() : outcome.error().text();
  };
  const char* const kWhole = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"patched"},"data":{"s":"1"}})";
  EXPECT_EQ(data(patched(PatchType::kApply, kWhole, {.field_manager = "one"})), R"({"s":"1"})");
  EXPECT_EQ(data(patched(PatchType::kMerge, R"({"data":{"m":"1"}})")), R"({"m":"1","s":"1"})");
  EXPECT_EQ(data(patched(PatchType::kStrategic, R"({"data":{"m":null,"t":"1"}})")), R"({"s":"1","t":"1"})");
  EXPECT_EQ(data(patched(PatchType::kJson, R"([{"op":"test","path":"/data/t","value":"1"},{"op":"remove","path":"/data/t"}])")),
            R"({"s":"1"})");
  EXPECT_EQ(patched(PatchType::kJson, R"([{"op":"test","path":"/data/s","value":"9"}])").error().code, 422);

  const char* const kOther = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"patched"},"data":{"s":"2"}})";
  const Outcome conflict = patched(PatchType::kApply, kOther, {.field_manager = "two"});
  ASSERT_FALSE(conflict.ok());
  EXPECT_TRUE(conflict.error().conflict());
  ASSERT_EQ(conflict.error().causes.size(), 1U);
  EXPECT_EQ(conflict.error().causes[0].reason, "FieldManagerConflict");
  EXPECT_EQ(conflict.error().causes[0].field, ".data.s");
  EXPECT_EQ(data(patched(PatchType::kApply, kOther, {.field_manager = "two", .dry_run = true, .force = true})), R"({"s":"2"})");
  EXPECT_EQ(real.must(get(api::kConfigMaps, key("patched")))["data"]["s"], "1") << "a dry run";
  EXPECT_EQ(data(patched(PatchType::kApply, kOther, {.field_manager = "two", .force = true})), R"({"s":"2"})");
}

TEST(Verbs, ErrorsHaveCausesAndFields) {
  Real real;
  const Outcome outcome = real.call(create(api::kPods, "default", R"({"metadata":{"name":"Bad"},"spec":{"containers":[]}})"));
  ASSERT_FALSE(outcome.ok());
  EXPECT_TRUE(outcome.error().invalid());
  std::vector<std::string> fields;
  for (const Cause& cause : outcome.error().causes) fields.push_back(cause.field);
  EXPECT_THAT(fields, testing::IsSupersetOf({"metadata.name", "spec.containers"}));
  const Outcome strict =
      real.call(create(api::kConfigMaps, "default", R"({"metadata":{"name":"x"},"dta":{}})", {.field_validation = "Strict"}));
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().code, 400);
  EXPECT_THAT(strict.error().message, HasSubstr("unknown field \"dta\""));
}

TEST(Verbs, ListsInPages) {
  Real real;
  for (int i = 0; i < 7; ++i)
    (void)real.call(create(api::kConfigMaps, "default", config_map("page-" + std::to_string(i), "page")));
  std::vector<std::string> names;
  ListOptions options{.label_selector = "test in (page)", .limit = 3};
  int pages = 0;
  do {
    const json page = real.must(list(api::kConfigMaps, "default", options));
    for (const json& item : page["items"]) names.push_back(item["metadata"]["name"]);
    options.continue_token = page["metadata"].value("continue", "");
    ++pages;
  } while (!options.continue_token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 7U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  ListOptions bad{.continue_token = "nonsense", .limit = 3};
  EXPECT_EQ(real.call(list(api::kConfigMaps, "default", bad)).error().code, 400);
}

/// Of this process: established TCP connections whose other end has the port.
int connections_to(std::string_view host) {
  std::ostringstream remote;
  remote << "0100007F:" << std::hex << std::uppercase << std::stoi(std::string(host.substr(host.find(':') + 1)));
  std::set<std::string> own;  // inodes of our sockets
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string link = std::filesystem::read_symlink(entry, gone).string();
    if (link.starts_with("socket:[")) own.insert(link.substr(8, link.size() - 9));
  }
  int count = 0;
  std::ifstream sockets("/proc/self/net/tcp");
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream fields(line);
    std::vector<std::string> columns{std::istream_iterator<std::string>(fields), {}};
    count += columns.size() > 9 && columns[2] == remote.str() && columns[3] == "01" && own.contains(columns[9]) ? 1 : 0;
  }
  return count;
}

TEST(Verbs, ManyAtOnceOverFewConnections) {
  Real real;
  constexpr int kCount = 400;
  std::latch answered(kCount);
  int good = 0;  // on the loop
  for (int i = 0; i < kCount; ++i) {
    const std::string name = "many-" + std::to_string(i);
    Request request =
        patch(api::kConfigMaps, key(name), PatchType::kApply,
              R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("}})", {.field_manager = "m"});
    real.client->send(std::move(request), [&](Outcome outcome) {
      EXPECT_TRUE(outcome.ok()) << outcome.error().text();
      good += outcome.ok() ? 1 : 0;
      answered.count_down();
    });
  }
  answered.wait();
  EXPECT_EQ(good, kCount);
  for (const CallInfo& info : real.seen()) EXPECT_EQ(info.http_version, 2);
  EXPECT_LE(connections_to(real.seen().front().host), 5);
}

// --- watches --------------------------------------------------------------------------------------------------------------

json object_of(const std::string& line) { return json::parse(line)["object"]; }

TEST(Watches, GiveEventsFromAVersionOn) {
  Real real;
  (void)real.call(remove(api::kConfigMaps, key("watched")));
  const json all = real.must(list(api::kConfigMaps, "default", {.label_selector = "test=watched"}));
  Recorder recorder;
  auto watch = real.watch({.label_selector = "test=watched", .resource_version = all["metadata"]["resourceVersion"]}, recorder);
  real.must(create(api::kConfigMaps, "default", config_map("watched", "watched")));
  real.must(patch(api::kConfigMaps, key("watched"), PatchType::kMerge, R"({"data":{"a":"2"}})"));
  real.must(remove(api::kConfigMaps, key("watched")));
  ASSERT_TRUE(recorder.wait_lines(3));
  std::vector<std::string> types;
  for (const std::string& line : recorder.lines()) types.push_back(json::parse(line)["type"]);
  EXPECT_EQ(types, (std::vector<std::string>{"ADDED", "MODIFIED", "DELETED"}));
  EXPECT_EQ(object_of(recorder.lines()[1])["data"]["a"], "2");
  real.loop.run_and_wait([&] { watch.reset(); });
}

TEST(Watches, StreamTheFirstList) {
  Real real;
  (void)real.call(create(api::kConfigMaps, "default", config_map("streamed", "streamed")));
  Recorder recorder;
  auto watch = real.watch({.label_selector = "test=streamed", .send_initial_events = true}, recorder);
  ASSERT_TRUE(recorder.wait_lines(2));
  const json mark = json::parse(recorder.lines()[1]);
  EXPECT_EQ(mark["type"], "BOOKMARK");
  EXPECT_EQ(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
  real.loop.run_and_wait([&] { watch.reset(); });
}

TEST(Watches, EndInGoodOrderAtTheirTimeout) {
  Real real;
  Recorder recorder;
  auto watch = real.watch({.resource_version = "0", .timeout_s = 1}, recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_FALSE(recorder.error().has_value()) << recorder.error()->text();
  real.loop.run_and_wait([&] { watch.reset(); });
}

TEST(Watches, RefusalsAreTyped) {
  Real real;
  Recorder recorder;
  auto watch = real.watch({.resource_version = "nonsense"}, recorder);
  ASSERT_TRUE(recorder.wait_end());
  EXPECT_GE(recorder.error()->code, 400);  // 500 it is, for what a user typed
  EXPECT_THAT(recorder.error()->message, HasSubstr("nonsense"));
  Real viewer("viewer");
  Recorder other;
  auto second = viewer.watch({}, other);
  ASSERT_TRUE(other.wait_end());
  EXPECT_EQ(other.error()->code, 403);
  real.loop.run_and_wait([&] { watch.reset(); });
  viewer.loop.run_and_wait([&] { second.reset(); });
}

}  // namespace
}  // namespace kruise::client
