// The watch cache on the embedded cluster: what it holds is what the server holds, whatever happens between them.
#include <gtest/gtest.h>

#include "api.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "cache/informer.hpp"
#include "cache/pod_decoder.hpp"
#include "cluster/local_client.hpp"

namespace kruise::cluster::testing {
namespace {

using namespace std::chrono_literals;

class CacheUnderFaults : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(CacheUnderFaults, EqualsAFreshList) {
  const base::log::Capture quiet([](base::log::Level level, std::string_view, const std::string& line) {
    EXPECT_NE(level, base::log::Level::kError) << line;
  });
  base::Random random(GetParam());
  Api api(/*history=*/30);
  LocalClient client(api.server, api.loop);
  double refused = 0, answered = 0;
  client.inject([&](const client::Request&) {
    Fault fault;
    if (random.unit() < refused) fault.kind = Fault::Kind::kRefuse;
    if (random.unit() < answered) fault.kind = Fault::Kind::kAnswer, fault.code = random.below(2) == 0 ? 500 : 410;
    return fault;
  });
  cache::ReflectorOptions options;
  options.page_objects_max = 4;
  options.facts->streams_lists = random.below(2) == 0;
  cache::Informer<api::Pod> pods(client, api::kPods, cache::pod_decoder(), random.stream("cache"), options);
  pods.start();

  const auto difference = [&]() -> std::string {
    if (!pods.synced()) return "not synced";
    const Json items = api.get(kPods).body.at("items");
    if (items.size() != pods.store().size()) return "sizes differ";
    for (const Json& item : items) {
      const auto pod = pods.store().get({"default", item.at("metadata").at("name")});
      if (!pod || std::to_string(pod->resource_version()) != item.at("metadata").at("resourceVersion").get<std::string>())
        return item.dump();
    }
    return "";
  };
  for (int phase = 0; phase < 5; ++phase) {
    refused = random.below(2) == 0 ? random.unit() * 0.7 : 0;
    answered = random.below(2) == 0 ? random.unit() * 0.7 : 0;
    for (int i = 0; i < 80; ++i) {
      const std::string name = "p" + std::to_string(random.below(15));
      const bool exists = api.get(kPods + "/" + name).code == 200;
      if (!exists) {
        api.post(kPods, pod(name));
      } else if (random.below(3) == 0) {
        api.remove(kPods + "/" + name + "?gracePeriodSeconds=0");
      } else {
        api.merge(kPods + "/" + name, {{"metadata", {{"labels", {{"x", "v" + std::to_string(random.below(100))}}}}}});
      }
      // Stopped for a while, the cache misses more than the history holds.
      if (random.below(25) == 0) pods.stop();
      if (random.below(3) == 0) api.loop.run_for(std::chrono::milliseconds(random.below(3000)));
      if (random.below(15) == 0) pods.start();
    }
    refused = answered = 0;
    pods.start();
    ASSERT_TRUE(api.loop.run_until([&] { return difference().empty(); }, 5min)) << "phase " << phase << ": " << difference();
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, CacheUnderFaults, ::testing::Range<std::uint64_t>(0, 8));

}  // namespace
}  // namespace kruise::cluster::testing
