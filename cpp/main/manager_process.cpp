#include "main/manager_process.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "base/host.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/thread.hpp"
#include "client/config.hpp"
#include "client/rest_client.hpp"
#include "controllers/cloneset/registration.hpp"
#include "controllers/podreadiness/reconciler.hpp"
#include "main/profiles.hpp"
#include "runtime/health.hpp"
#include "runtime/http_listener.hpp"
#include "runtime/manager.hpp"

namespace kruise::main {
namespace {

using namespace std::chrono_literals;
namespace log = base::log;

constexpr const char* kNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
constexpr base::Duration kStopMax = 8s;  // a pod has ten
constexpr base::Duration kScrapeWait = 300ms;
constexpr base::Duration kWatchRest = 50ms;

void add_controllers(runtime::Manager& manager, const ManagerFlags& flags) {
  manager.add(controllers::cloneset::registration({.exclude_preparing_delete = flags.cloneset_scaling_exclude_preparing_delete}));
  manager.add(controllers::podreadiness::registration());
}

int fail(const std::string& line) {
  std::fprintf(stderr, "kruise-manager: %s\n", line.c_str());
  return 1;
}

std::optional<std::string> own_namespace() {
  std::ifstream file(kNamespaceFile);
  std::string ns;
  if (!(file >> ns)) return std::nullopt;
  return ns;
}

const std::vector<double> kLatencyBounds = base::exponential_bounds(0.001, 2, 10);

void count_call(base::Metrics& metrics, const client::CallInfo& call) {
  metrics
      .counter("rest_client_requests_total", "Number of HTTP requests, partitioned by status code, method, and host.",
               {{"code", call.code == 0 ? "<error>" : std::to_string(call.code)},
                {"method", call.method},
                {"host", std::string(call.host)}})
      .add();
  metrics
      .histogram("rest_client_request_latency_seconds", "Request latency in seconds. Broken down by verb and URL.",
                 kLatencyBounds, {{"verb", std::string(call.verb)}, {"url", call.path}})
      .observe(std::chrono::duration<double>(call.elapsed).count());
}

/// A process without its probes or metrics is worth restarting.
void end_with_listener() {
  log::error("ending, since a listener has");
  std::_Exit(1);
}

/// What listens, and what it shows. Probes answer from the start.
class Pages {
 public:
  Pages(base::Metrics& metrics, runtime::HealthChecks& health) : metrics_(metrics), health_(health) {}

  [[nodiscard]] std::optional<std::string> open(const ManagerFlags& flags) {
    const auto probe = [&health = health_](const auto& query) { return answer_probe(health, query); };
    if (auto error = listen(flags.health_probe_addr, "probes", probe, end_with_listener)) return error;
    const auto page = [this](const runtime::HttpQuery& query) -> runtime::HttpReply {
      if (query.path != "/metrics") return {404, "404 page not found\n"};
      refresh_();
      return {200, metrics_.text(), "text/plain; version=0.0.4; charset=utf-8"};
    };
    return listen(flags.metrics_addr, "metrics", page, end_with_listener);
  }
  /// Nothing else depends on profiles: where they cannot be served, the process goes on without.
  void open_profiles(const ManagerFlags& flags) {
    const auto answer = [this](const auto& query) { return answer_profile(query, closing_); };
    if (const auto error = listen(flags.pprof_addr, "profiles", answer, {})) log::warning("no profiles", {{"error", *error}});
  }
  void close() {
    closing_.set();
    listeners_.clear();
  }
  /// Called before each page of metrics, on the page's thread. Set before `open`.
  void on_scrape(std::function<void()> refresh) { refresh_ = std::move(refresh); }

 private:
  std::optional<std::string> listen(const std::optional<runtime::ListenAddress>& address, const char* what,
                                    runtime::HttpListener::Handler handler, std::function<void()> on_death) {
    if (!address) return std::nullopt;
    auto listener = runtime::HttpListener::listen(*address, std::move(handler), std::move(on_death));
    if (!listener) return std::string(what) + ": " + listener.error();
    log::info("listening", {{"for", what}, {"port", (*listener)->port()}});
    listeners_.push_back(std::move(*listener));
    return std::nullopt;
  }

  base::Metrics& metrics_;
  runtime::HealthChecks& health_;
  base::Signal closing_;
  std::function<void()> refresh_ = [] {};
  std::vector<std::unique_ptr<runtime::HttpListener>> listeners_;
};

runtime::Manager::Options manager_options(const ManagerFlags& flags, client::RestClient& client) {
  runtime::Manager::Options options;
  options.ns = flags.ns;
  options.gates = flags.gates;
  options.back_off = flags.back_off;
  options.workers = flags.workers;
  options.expectation_timeout = flags.expectation_timeout;
  options.resync = flags.resync;
  options.seed = base::random_seed();
  if (flags.leader_election) {
    options.election = flags.election;
    options.election->identity = base::host_name() + "_" + base::random_uuid();
    client.set_write_deadline(base::MonoTime{});  // none before the lock is held
  }
  options.cache_sync_timeout = flags.cache_sync_timeout;
  options.on_stuck = [](const std::string& why) {
    log::error("caches were not synced in time", {{"error", why}});
    std::fprintf(stderr, "kruise-manager: %s\n", why.c_str());
    std::_Exit(1);
  };
  options.on_renewed = [&client](base::MonoTime until) { client.set_write_deadline(until); };
  options.on_lost = [&client](const std::string& why) {
    client.abort_all();
    log::error("leader election lost", {{"why", why}});
    std::_Exit(1);
  };
  return options;
}

}  // namespace

int run_manager(const ManagerFlags& given, base::StopSignals& signals) {
  ManagerFlags flags = given;
  base::Metrics metrics;
  base::add_process_metrics(metrics);
  runtime::HealthChecks health;
  Pages pages(metrics, health);
  pages.open_profiles(flags);

  const auto config = client::load_config({.kubeconfig = flags.kubeconfig, .master = flags.master});
  if (!config) return fail(config.error().message);
  if (flags.leader_election && flags.election.ns.empty()) {
    const auto ns = own_namespace();
    if (!ns) return fail("--leader-election-namespace is empty and there is no " + std::string(kNamespaceFile));
    flags.election.ns = *ns;
  }

  base::Loop loop("loop");
  base::Loop workers("plans");
  client::RestOptions rest;
  rest.user_agent = "kruise-manager";
  if (flags.rate) rest.rate = client::Rate{flags.rate->qps, flags.rate->burst};
  rest.on_call = [&metrics](const client::CallInfo& call) { count_call(metrics, call); };
  rest.watch_rest = kWatchRest;
  client::RestClient client(*config, loop, rest);
  log::info("starting", {{"server", config->server}, {"config", config->source}});

  auto manager = std::make_unique<runtime::Manager>(manager_options(flags, client), client, loop, &workers, metrics, health);
  add_controllers(*manager, flags);
  // The page waits for the loop, but not for ever: a page that shows a stuck loop is worth more than none.
  pages.on_scrape([&loop, &manager] {
    const auto done = std::make_shared<base::Signal>();
    loop.post([&manager, done] {
      if (manager) manager->publish_metrics();
      done->set();
    });
    static_cast<void>(done->wait_for(kScrapeWait));
  });
  if (const auto error = pages.open(flags)) {
    pages.close();
    loop.run_and_wait([&] { manager.reset(); });
    return fail(*error);
  }
  loop.run_and_wait([&] { manager->start(); });

  while (!signals.wait_for(1h)) {
  }
  log::info("stopping");
  const auto stopped = std::make_shared<base::Signal>();
  loop.post([&manager, stopped] { manager->stop([stopped] { stopped->set(); }); });
  constexpr base::Duration kLook = 20ms;
  for (base::Duration waited{0}; !stopped->wait_for(kLook); waited += kLook) {
    if (signals.wait_for(0s) || waited > kStopMax) {
      log::warning("stopped at once");
      std::_Exit(1);
    }
  }
  pages.close();
  loop.run_and_wait([&] { manager.reset(); });
  workers.run_and_wait([] {});  // plans under way hold objects of the caches
  loop.run_and_wait([] {});
  log::info("stopped");
  return 0;
}

}  // namespace kruise::main
