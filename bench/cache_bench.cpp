// The cache's figures: a reflector on a client that hands over prepared bytes, everything else as in the manager.
#include <memory>
#include <stdexcept>
#include <vector>

#include "api/names.hpp"
#include "api/scheme.hpp"
#include "base/executor.hpp"
#include "cache/informer.hpp"
#include "cache/pod_decoder.hpp"
#include "harness.hpp"
#include "pages_file.hpp"
#include "pods.hpp"

namespace kruise::bench {
namespace {

/// Answers lists from `next_page`, and keeps the handler of the watch for the benchmark to call.
class ByteClient final : public client::Client {
 public:
  using NextPage = std::function<std::optional<std::string>()>;
  ByteClient(base::VirtualLoop& loop, NextPage next_page) : loop_(loop), next_page_(std::move(next_page)) {}
  void send(client::Request, client::Done done) override {
    loop_.post([this, done = std::move(done)] { done(client::Response{200, next_page_().value(), "application/json"}); });
  }
  std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler& handler) override {
    handler_ = &handler;
    return std::make_unique<client::Watch>();
  }
  base::Executor& executor() override { return loop_; }
  [[nodiscard]] client::WatchHandler& handler() const { return *handler_; }

 private:
  base::VirtualLoop& loop_;
  NextPage next_page_;
  client::WatchHandler* handler_ = nullptr;
};

/// The pod cache of a manager: indexes by owner, namespace, node and revision label.
class PodCache {
 public:
  explicit PodCache(ByteClient::NextPage next_page)
      : client_(loop_, std::move(next_page)), informer_(client_, api::kPods, cache::pod_decoder(), base::Random(1), paged()) {
    informer_.store().add_index("node", [](const api::Pod& pod, cache::IndexKeys& keys) { keys.push_back(pod.node()); });
    informer_.store().add_index("revision", [](const api::Pod& pod, cache::IndexKeys& keys) {
      if (const auto revision = pod.label(api::kLabelRevision)) keys.push_back(*revision);
    });
    informer_.store().subscribe([this](const cache::Change<api::Pod>&) { ++changes_; });
  }
  void list() {
    informer_.start();
    if (!loop_.run_until([&] { return informer_.synced(); }, std::chrono::minutes(1)))
      throw std::runtime_error("the list did not end");
    loop_.run_for(base::Duration{0});
  }
  void event(const WatchLine& line) { client_.handler().on_event(line.view()); }
  [[nodiscard]] std::size_t size() { return informer_.store().size(); }
  [[nodiscard]] std::size_t changes() const { return changes_; }
  [[nodiscard]] cache::ReflectorStats stats() const { return informer_.stats(); }

 private:
  static cache::ReflectorOptions paged() {
    cache::ReflectorOptions options;
    options.facts->streams_lists = false;
    return options;
  }
  base::VirtualLoop loop_{base::Time{}};
  ByteClient client_;
  cache::Informer<api::Pod> informer_;
  std::size_t changes_ = 0;
};

void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

double pod_bytes(std::uint32_t pods) {
  PagesFile pages(pods);
  PodCache cache([&] { return pages.next(); });
  const double before = resident_bytes();
  cache.list();
  const double after = resident_bytes();
  expect(cache.size() == pods, "not all pods are in the cache");
  return (after - before) / pods;
}

double list_peak_bytes(std::uint32_t pods) {
  PagesFile pages(pods);
  PodCache cache([&] { return pages.next(); });
  const double before = resident_bytes();
  cache.list();
  return (resident_bytes_max() - before) / pods;
}

double list_decode_ms(std::uint32_t pods) {
  std::vector<std::string> pages;
  PagesFile file(pods);
  while (auto page = file.next()) pages.push_back(std::move(*page));
  std::size_t next = 0;
  PodCache cache([&] { return std::optional(std::move(pages[next++])); });
  const double ms = processor_milliseconds([&] { cache.list(); });
  expect(cache.size() == pods, "not all pods are in the cache");
  return ms;
}

double watch_events_per_s() {
  constexpr std::uint32_t kPods = 10'000, kRounds = 3;
  PagesFile file(kPods);
  PodCache cache([&] { return file.next(); });
  cache.list();
  std::vector<WatchLine> lines;
  lines.reserve(std::size_t{kPods} * kRounds);
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    for (std::uint32_t i = 0; i < kPods; ++i) {
      PodSpec spec;
      spec.index = i;
      spec.version = kPods + 1 + lines.size() + 1;
      spec.update = round;
      spec.ready = round % 2 == 0;
      const bool moves = (i + round) % 20 == 0;  // one in twenty to another node, one in twenty to another revision
      spec.node_shift = moves ? round : 0;
      spec.new_revision = (i + round) % 20 == 10;
      lines.push_back(pod_event(spec));
    }
  }
  const std::size_t before = cache.changes();
  const double ms = processor_milliseconds([&] {
    for (const WatchLine& line : lines) cache.event(line);
  });
  expect(cache.changes() - before == lines.size(), "an event was lost");
  return static_cast<double>(lines.size()) / ms * 1000;
}

}  // namespace

std::vector<Figure> cache_figures() {
  return {{"pod_bytes_10k", "bytes", [] { return pod_bytes(10'000); }},
          {"pod_bytes_50k", "bytes", [] { return pod_bytes(50'000); }},
          {"pod_list_peak_bytes_50k", "bytes", [] { return list_peak_bytes(50'000); }},
          {"list_decode_10k_ms", "ms", [] { return list_decode_ms(10'000); }},
          {"watch_events_per_s", "1/s", watch_events_per_s}};
}

}  // namespace kruise::bench
