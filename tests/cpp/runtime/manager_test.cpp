// The manager on an embedded API server in virtual time, with a controller of the test kind (cluster-scoped, two versions).
#include "runtime/manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/gadget_conversion.hpp"
#include "api/revision.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "cluster/local_client.hpp"

namespace kruise::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using Json = nlohmann::json;

const api::Resource kGadgets{"test.kruise.io", "v1", "Gadget", "gadgets", api::Scope::kCluster};
constexpr const char* kGadgetsPath = "/apis/test.kruise.io/v1/gadgets";
constexpr const char* kCrdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.test.kruise.io";

std::string gadget_crd() {
  std::ifstream file(KRUISE_SOURCE_DIR "/tests/data/crds/test.kruise.io_gadgets.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Writes into the status which generation it has seen and how big it is.
class GadgetReconciler final : public Reconciler {
 public:
  GadgetReconciler(cache::Store<api::Gadget>& gadgets, Enqueue enqueue) : gadgets_(gadgets) {
    gadgets.subscribe([enqueue = std::move(enqueue)](const cache::Change<api::Gadget>& change) {
      enqueue((change.after ? change.after : change.before)->meta.key(), Cause::kUserEdit);
    });
  }
  std::string name() const override { return "gadget-controller"; }
  ObjectReference reference(const api::Key& key) const override {
    const auto gadget = gadgets_.get(key);
    return {&kGadgets, key, gadget ? gadget->meta.uid : "", ""};
  }
  std::optional<PlanFunction> observe(const api::Key& key) override {
    auto gadget = gadgets_.get(key);
    if (!gadget) return std::nullopt;
    return [gadget](const Context&) {
      Plan plan;
      if (gadget->status.observed_generation == gadget->meta.generation) return plan;
      Write write;
      write.verb = Write::Verb::kPatch;
      write.resource = &kGadgets;
      write.key = gadget->meta.key();
      write.subresource = "status";
      write.patch_type = client::PatchType::kMerge;
      write.resource_version = gadget->meta.resource_version;
      base::JsonWriter body;
      body.begin_object().key("metadata").begin_object().end_object();
      body.key("status").begin_object().key("observedGeneration").integer(gadget->meta.generation);
      body.key("seen").integer(gadget->spec.size.value_or(1)).end_object().end_object();
      write.body = std::move(body).text();
      plan.status = std::move(write);
      plan.events = {{Event::Type::kNormal, "Seen", "size " + std::to_string(gadget->spec.size.value_or(1))}};
      return plan;
    };
  }

 private:
  cache::Store<api::Gadget>& gadgets_;
};

Registration gadget_registration() {
  return {"gadget-controller", "gadget", kGadgets, [](Wiring& wiring) -> std::unique_ptr<Reconciler> {
            auto& gadgets = wiring.store<api::Gadget>(kGadgets, [] {
              return cache::decoder_from<api::Gadget>([](std::string_view json) -> cache::Decoder<api::Gadget>::Decoded {
                try {
                  return std::shared_ptr<const api::Gadget>(std::make_shared<api::Gadget>(api::decode_gadget(json)));
                } catch (const api::DecodeError& error) {
                  return error;
                }
              });
            });
            return std::make_unique<GadgetReconciler>(gadgets, wiring.enqueue());
          }};
}

/// A manager as a process would hold it.
struct Process {
  Process(cluster::ApiServer& server, base::VirtualLoop& loop, Manager::Options options)
      : client(server, loop), manager(prepared(std::move(options)), client, loop, nullptr, metrics, health) {
    manager.add(gadget_registration());
    manager.start();
  }
  Manager::Options prepared(Manager::Options options) {
    options.on_lost = [this](const std::string& why) { lost = why; };
    return options;
  }
  base::Metrics metrics;
  HealthChecks health;
  std::optional<std::string> lost;
  cluster::LocalClient client;
  Manager manager;
};

struct ManagerTest : testing::Test {
  base::VirtualLoop loop{*base::parse_time("2021-03-01T08:00:00Z")};
  cluster::ApiServer server{{.clock = &loop, .seed = 7, .watch_history_events = 10'000, .state_path = {}}};
  std::vector<std::string> lines;
  base::log::Capture capture{[this](auto, std::string_view, const std::string& line) { lines.push_back(line); }};

  Json call(const std::string& method, const std::string& path, const Json& body = nullptr) {
    const auto response = server.handle({.method = method,
                                         .path = path,
                                         .content_type = method == "PATCH" ? "application/merge-patch+json" : "application/json",
                                         .body = body.is_null() ? "" : body.dump(),
                                         .user_agent = "test"});
    return Json::parse(response.body, nullptr, false);
  }
  void install() { server.install_crd(gadget_crd()); }
  void make_gadget(const std::string& name, int size = 5) {
    call("POST", kGadgetsPath,
         {{"apiVersion", "test.kruise.io/v1"}, {"kind", "Gadget"}, {"metadata", {{"name", name}}}, {"spec", {{"size", size}}}});
  }
  int seen(const std::string& name) {
    const Json gadget = call("GET", std::string(kGadgetsPath) + "/" + name);
    return gadget.contains("status") ? gadget["status"].value("seen", 0) : 0;
  }
  std::unique_ptr<Process> process(Manager::Options options = {}) {
    return std::make_unique<Process>(server, loop, std::move(options));
  }
  bool within(base::Duration limit, const std::function<bool()>& holds) { return loop.run_until(holds, limit); }
  static Manager::Options electing(std::string identity) {
    Manager::Options options;
    options.election.emplace();
    options.election->identity = std::move(identity);
    options.election->ns = "default";
    return options;
  }
};

TEST_F(ManagerTest, ReconcilesWhatIsThereAndWhatComes) {
  install();
  make_gadget("a");
  auto running = process();
  EXPECT_FALSE(running->manager.ready());
  EXPECT_TRUE(within(1s, [&] { return seen("a") == 5; }));
  EXPECT_TRUE(running->manager.ready());
  EXPECT_EQ(answer_probe(running->health, {"/readyz", {}}).code, 200);
  make_gadget("b", 7);
  EXPECT_TRUE(within(1s, [&] { return seen("b") == 7; }));
  call("PATCH", std::string(kGadgetsPath) + "/a", {{"spec", {{"size", 6}}}});
  EXPECT_TRUE(within(1s, [&] { return seen("a") == 6; }));
  EXPECT_TRUE(within(1s, [&] { return call("GET", "/api/v1/namespaces/default/events")["items"].size() == 3; }));
}

TEST_F(ManagerTest, WithoutDefinitionsItIsReadyAndWaitsForThem) {
  auto running = process();
  EXPECT_TRUE(within(30s, [&] { return running->manager.ready(); }));
  EXPECT_EQ(running->manager.controller("gadget-controller"), nullptr);
  loop.run_for(10min);
  const auto quiet = lines.size();
  loop.run_for(10min);
  EXPECT_EQ(lines.size(), quiet);
  install();
  make_gadget("a");
  EXPECT_TRUE(within(10s, [&] { return seen("a") == 5; }));
}

/// Counts the claims that it is asked to look at.
class CountingReconciler final : public Reconciler {
 public:
  CountingReconciler(cache::Store<api::Claim>& claims, const Enqueue& enqueue, int& looks) : looks_(looks) {
    claims.subscribe([enqueue](const cache::Change<api::Claim>& change) {
      enqueue((change.after ? change.after : change.before)->meta.key(), Cause::kChange);
    });
  }
  std::string name() const override { return "counting-controller"; }
  ObjectReference reference(const api::Key& key) const override { return {&api::kClaims, key, "", ""}; }
  std::optional<PlanFunction> observe(const api::Key&) override {
    ++looks_;
    return std::nullopt;
  }

 private:
  int& looks_;
};

TEST_F(ManagerTest, AKindThatEveryServerHasNeedsNoDefinition) {
  base::Metrics metrics;
  HealthChecks health;
  cluster::LocalClient client(server, loop);
  Manager manager({.resync = std::nullopt}, client, loop, nullptr, metrics, health);
  int looks = 0;
  manager.add({.name = "counting-controller",
               .workers = "counting",
               .resource = api::kClaims,
               .make =
                   [&looks](Wiring& wiring) {
                     return std::make_unique<CountingReconciler>(wiring.store<api::Claim>(api::kClaims), wiring.enqueue(), looks);
                   },
               .built_in = true});
  manager.start();
  EXPECT_TRUE(within(1s, [&] { return manager.ready(); }));
  call("POST", "/api/v1/namespaces/default/persistentvolumeclaims",
       {{"apiVersion", "v1"},
        {"kind", "PersistentVolumeClaim"},
        {"metadata", {{"name", "a"}}},
        {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
  EXPECT_TRUE(within(1s, [&] { return looks == 1; }));
}

TEST_F(ManagerTest, ADefinitionThatGoesStopsItsControllerAndDropsItsCache) {
  install();
  make_gadget("a");
  auto running = process();
  EXPECT_TRUE(within(1s, [&] { return seen("a") == 5; }));
  EXPECT_TRUE(running->manager.caches().reached(kGadgets));
  call("DELETE", kCrdPath);
  EXPECT_TRUE(within(10s, [&] { return running->manager.controller("gadget-controller") == nullptr; }));
  EXPECT_FALSE(running->manager.caches().reached(kGadgets));
  EXPECT_TRUE(running->manager.ready());
  loop.run_for(1min);
  install();
  make_gadget("b", 9);
  EXPECT_TRUE(within(10s, [&] { return seen("b") == 9; }));
}

TEST_F(ManagerTest, AnUnreachableServerIsWaitedForVisibly) {
  install();
  make_gadget("a");
  auto running = process();
  bool down = true;
  running->client.inject(
      [&](const client::Request&) { return down ? cluster::Fault{cluster::Fault::Kind::kRefuse} : cluster::Fault{}; });
  loop.run_for(2min);
  EXPECT_FALSE(running->manager.ready());
  const auto reply = answer_probe(running->health, {"/readyz/caches-synced", {}});
  EXPECT_EQ(reply.code, 500);
  EXPECT_THAT(reply.body, HasSubstr("waiting for the list of gadgets: list: the connection was refused"));
  EXPECT_LT(lines.size(), 30U);  // one line a back-off step, not more
  down = false;
  EXPECT_TRUE(within(30s, [&] { return seen("a") == 5; }));
}

TEST_F(ManagerTest, ListsThatNeverComeAreNotWaitedForForEver) {
  install();
  Manager::Options options;
  std::string why;
  options.on_stuck = [&](const std::string& text) { why = text; };
  auto running = process(options);
  running->client.inject([](const client::Request& request) {
    const bool forbidden = request.path.find("/gadgets") != std::string::npos;
    return forbidden ? cluster::Fault{cluster::Fault::Kind::kAnswer, 403} : cluster::Fault{};
  });
  loop.run_for(119s);
  EXPECT_EQ(why, "");
  loop.run_for(3s);
  EXPECT_THAT(why, HasSubstr("waiting for the list of gadgets: "));
  EXPECT_THAT(why, HasSubstr("403"));
}

TEST_F(ManagerTest, AServerThatWasNeverReachedIsWaitedFor) {
  install();
  Manager::Options options;
  bool stuck = false;
  options.on_stuck = [&](const std::string&) { stuck = true; };
  cluster::LocalClient client(server, loop);
  bool down = true;
  client.inject([&](const client::Request&) { return down ? cluster::Fault{cluster::Fault::Kind::kRefuse} : cluster::Fault{}; });
  base::Metrics metrics;
  HealthChecks health;
  Manager manager(options, client, loop, nullptr, metrics, health);
  manager.add(gadget_registration());
  manager.start();
  loop.run_for(1h);
  EXPECT_FALSE(stuck);
  down = false;
  EXPECT_TRUE(within(1min, [&] { return manager.ready(); }));
}

TEST_F(ManagerTest, OnlyTheLeaderActsAndTheFollowerTakesOver) {
  install();
  auto a = process(electing("a"));
  loop.run_for(1s);
  auto b = process(electing("b"));
  loop.run_for(1s);
  EXPECT_TRUE(a->manager.leading());
  EXPECT_TRUE(b->manager.ready());
  EXPECT_FALSE(b->manager.leading());
  make_gadget("x");
  EXPECT_TRUE(within(1s, [&] { return seen("x") == 5; }));
  a.reset();  // killed
  make_gadget("y");
  EXPECT_TRUE(within(20s, [&] { return seen("y") == 5; }));
  EXPECT_TRUE(b->manager.leading());
}

/// The next event, and what is behind it on its watch, comes an hour late; answers and lists after a moment.
struct LateEvent final : cluster::FaultPlan {
  cluster::Fault on_request(const client::Request&) override { return {.delay = 100ms}; }
  cluster::WatchFault on_event(const client::Request&) override {
    if (std::exchange(told, true)) return {};
    return {cluster::WatchFault::Kind::kDelay, 1h};
  }
  bool told = false;
};

TEST_F(ManagerTest, ALeaderListsAnewWhatItsWatchesMayNotHaveShown) {
  install();
  auto a = process(electing("a"));
  loop.run_for(1s);
  auto b = process(electing("b"));
  loop.run_for(1s);
  EXPECT_TRUE(b->manager.ready());
  b->client.inject(std::make_shared<LateEvent>());
  make_gadget("x");
  EXPECT_TRUE(within(1s, [&] { return seen("x") == 5; }));
  a.reset();  // killed
  make_gadget("y");
  EXPECT_TRUE(within(20s, [&] { return b->manager.leading(); }));
  EXPECT_TRUE(within(2s, [&] { return seen("y") == 5; }));
}

TEST_F(ManagerTest, ALeaderFromTheStartListsOnce) {
  install();
  make_gadget("x");
  auto a = process(electing("a"));
  int watches = 0;
  a->client.on_attempt([&](const client::Request& request) {
    if (cluster::ApiServer::is_watch(request) && request.path.find("/gadgets?") != std::string::npos) ++watches;
  });
  EXPECT_TRUE(within(5s, [&] { return seen("x") == 5; }));
  EXPECT_EQ(watches, 1) << "streamed, and watched on";
}

TEST_F(ManagerTest, StoppedItGivesTheLockUp) {
  install();
  auto a = process(electing("a"));
  auto b = process(electing("b"));
  loop.run_for(5s);
  bool stopped = false;
  auto& leader = a->manager.leading() ? a : b;
  auto& follower = a->manager.leading() ? b : a;
  leader->manager.stop([&] { stopped = true; });
  EXPECT_EQ(answer_probe(leader->health, {"/readyz", {}}).code, 500);
  EXPECT_TRUE(within(3s, [&] { return follower->manager.leading(); }));
  EXPECT_TRUE(stopped);
}

TEST_F(ManagerTest, StopEndsAlsoWhenTheServerDoesNotAnswer) {
  install();
  auto running = process(electing("a"));
  loop.run_for(1s);
  make_gadget("x");
  running->client.inject([](const client::Request&) { return cluster::Fault{cluster::Fault::Kind::kDelay, 0, 1h}; });
  call("PATCH", std::string(kGadgetsPath) + "/x", {{"spec", {{"size", 6}}}});
  loop.run_for(1s);
  bool stopped = false;
  running->manager.stop([&] { stopped = true; });
  loop.run_for(20s);
  EXPECT_TRUE(stopped);
}

TEST_F(ManagerTest, KilledAtAnyStepTheNextOneCarriesOn) {
  install();
  for (int kill_after_ms = 0; kill_after_ms < 60; ++kill_after_ms) {
    const std::string name = "g" + std::to_string(kill_after_ms);
    make_gadget(name, kill_after_ms + 1);
    auto running = process();
    running->client.inject([](const client::Request&) { return cluster::Fault{cluster::Fault::Kind::kDelay, 0, 4ms}; });
    loop.run_for(std::chrono::milliseconds(kill_after_ms));
  }
  auto last = process();
  loop.run_for(1s);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(seen("g" + std::to_string(i)), i + 1);
}

TEST_F(ManagerTest, AMalformedObjectIsToldAndTheOthersProgress) {
  std::string lax = gadget_crd();  // as written before the schema said what a size is
  const std::string typed = "size: {type: integer, format: int32";
  lax.replace(lax.find(typed), typed.size(), "size: {x-kubernetes-preserve-unknown-fields: true");
  server.install_crd(lax);
  make_gadget("good");
  call("POST", kGadgetsPath,
       {{"apiVersion", "test.kruise.io/v1"},
        {"kind", "Gadget"},
        {"metadata", {{"name", "bad"}}},
        {"spec", {{"size", {{"deep", 1}}}}}});
  auto running = process();
  EXPECT_TRUE(within(1s, [&] { return seen("good") == 5; }));
  loop.run_for(1s);
  std::vector<std::string> told;
  const Json events = call("GET", "/api/v1/namespaces/default/events");
  for (const auto& event : events["items"]) {
    told.push_back(event["involvedObject"]["name"].get<std::string>() + ": " + event["reason"].get<std::string>() + ": " +
                   event["message"].get<std::string>());
  }
  EXPECT_THAT(told, Contains(HasSubstr("bad: ReconcileError: spec.size")));
  EXPECT_THAT(lines, Contains(HasSubstr("cannot be read")));
}

TEST_F(ManagerTest, ResyncLooksAtEverythingAgain) {
  install();
  make_gadget("a");
  Manager::Options options;
  options.resync = 10min;
  auto running = process(options);
  loop.run_for(1min);
  const auto before = running->manager.controller("gadget-controller")->reconciles();
  loop.run_for(11min);
  EXPECT_EQ(running->manager.controller("gadget-controller")->reconciles(), before + 1);
}

}  // namespace
}  // namespace kruise::runtime
