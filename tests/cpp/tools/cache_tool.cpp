// The pod cache of one namespace over a real client, told what to do by lines on standard input, so that tests can hold it
// against a real API server:  cache-tool KUBECONFIG NAMESPACE  then  start | stop | dump | wait | quit
// Each line is answered by one of JSON; that of `dump` holds the cache: versions by name, what was heard, and the counts.
// `wait` is answered when the cache has moved on, or nothing moved for half a second.
#include <future>
#include <iostream>
#include <memory>
#include <utility>

#include "api/scheme.hpp"
#include "base/executor.hpp"
#include "base/json_writer.hpp"
#include "base/random.hpp"
#include "cache/informer.hpp"
#include "cache/pod_decoder.hpp"
#include "client/config.hpp"
#include "client/rest_client.hpp"

namespace api = kruise::api;
namespace base = kruise::base;
namespace cache = kruise::cache;
namespace client = kruise::client;

namespace {

/// Lives on the loop.
class PodCache {
 public:
  PodCache(client::Client& client, const std::string& ns)
      : executor_(client.executor()),
        informer_(client, api::kPods, cache::pod_decoder(), base::Random(base::random_seed()), options(ns)) {
    informer_.store().subscribe(
        [this](const cache::Change<api::Pod>& change) { ++(change.before ? change.after ? changed_ : deleted_ : added_); });
    informer_.store().on_progress([this] { wake(); });
  }
  void wake_soon(std::promise<void>& waiter) {
    waiter_ = &waiter;
    timer_ = executor_.post_after(std::chrono::milliseconds(500), [this] { wake(); });
  }
  void start() { informer_.start(); }
  void stop() { informer_.stop(); }
  [[nodiscard]] std::string dump() const {
    const cache::ReflectorStats stats = informer_.stats();
    base::JsonWriter w;
    w.begin_object()
        .key("synced")
        .boolean(informer_.synced())
        .key("version")
        .integer(static_cast<std::int64_t>(informer_.store().version()));
    w.key("pods").begin_object();
    for (const auto& pod : informer_.store().all()) w.key(pod->name()).string(std::to_string(pod->resource_version()));
    w.end_object().key("added").integer(added_).key("changed").integer(changed_).key("deleted").integer(deleted_);
    const auto count = [&](const char* name, std::uint64_t value) { w.key(name).integer(static_cast<std::int64_t>(value)); };
    count("state", static_cast<std::uint64_t>(stats.state));
    count("lists", stats.lists);
    count("streamed_lists", stats.streamed_lists);
    count("pages", stats.pages);
    count("watches", stats.watches);
    count("bookmarks", stats.bookmarks);
    count("expired", stats.expired);
    count("foreign", stats.foreign);
    count("failures", stats.failures);
    w.key("last_error").string(stats.last_error).end_object();
    return w.text();
  }

 private:
  static cache::ReflectorOptions options(const std::string& ns) {
    cache::ReflectorOptions options;
    options.scope.ns = ns;
    options.page_objects_max = 7;
    return options;
  }
  void wake() {
    if (waiter_ == nullptr) return;
    executor_.cancel(timer_);
    std::exchange(waiter_, nullptr)->set_value();
  }

  base::Executor& executor_;
  std::promise<void>* waiter_ = nullptr;
  base::TimerId timer_ = 0;
  cache::Informer<api::Pod> informer_;
  std::int64_t added_ = 0, changed_ = 0, deleted_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  client::ConfigSource source;
  source.kubeconfig = argv[1];
  const auto config = client::load_config(source);
  if (!config) {
    std::cerr << config.error().message << "\n";
    return 1;
  }
  base::Loop loop("cache");
  client::RestClient client(*config, loop);
  std::unique_ptr<PodCache> cache;
  loop.run_and_wait([&] { cache = std::make_unique<PodCache>(client, argv[2]); });
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    std::string answer = "{}";
    if (line == "wait") {
      std::promise<void> moved;
      loop.run_and_wait([&] { cache->wake_soon(moved); });
      moved.get_future().wait();
    }
    loop.run_and_wait([&] {
      if (line == "start") cache->start();
      if (line == "stop") cache->stop();
      if (line == "dump") answer = cache->dump();
    });
    std::cout << answer << std::endl;
  }
  loop.run_and_wait([&] { cache.reset(); });
  return 0;
}
