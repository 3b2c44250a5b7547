// Gives the API server of a kubeconfig simulated nodes until standard input ends. A line there is a fault: "fail-image IMAGE",
// "lose-node NODE", "recover-node NODE".
//     simulated-nodes KUBECONFIG NODES
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "client/rest_client.hpp"
#include "cluster/sim/kubelets.hpp"
#include "cluster/sim/scheduler.hpp"
#include "cluster/sim/volume_binder.hpp"

namespace {

namespace sim = kruise::cluster::sim;
using namespace std::chrono_literals;

struct Nodes {
  Nodes(kruise::client::Client& client, int count)
      : kubelets(client, kruise::base::Random(1),
                 {.nodes = count,
                  .pull = {50ms, 0ms},
                  .start = {50ms, 0ms},
                  .ready = {200ms, 0ms},
                  .terminate = {100ms, 0ms},
                  .node_grace = 1s}),
        scheduler(client, kruise::base::Random(2)),
        binder(client, kruise::base::Random(3), {.make_volumes = true}) {
    kubelets.start();
    scheduler.start();
    binder.start();
  }
  sim::Kubelets kubelets;
  sim::Scheduler scheduler;
  sim::VolumeBinder binder;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: simulated-nodes KUBECONFIG NODES\n";
    return 2;
  }
  kruise::client::ConfigSource source;
  source.kubeconfig = argv[1];
  const auto config = kruise::client::load_config(source);
  if (!config) {
    std::cerr << config.error().message << "\n";
    return 1;
  }
  kruise::base::Loop loop("nodes");
  kruise::client::RestClient client(*config, loop, {.user_agent = "simulated-nodes"});
  std::unique_ptr<Nodes> nodes;
  loop.run_and_wait([&] { nodes = std::make_unique<Nodes>(client, std::stoi(argv[2])); });
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string fault;
    std::string what;
    words >> fault >> what;
    loop.run_and_wait([&] {
      if (fault == "fail-image") nodes->kubelets.fail_image(what);
      if (fault == "lose-node") (void)nodes->kubelets.lose_node(what);
      if (fault == "recover-node") (void)nodes->kubelets.recover_node(what);
    });
  }
  loop.run_and_wait([&] { nodes.reset(); });
  return 0;
}
