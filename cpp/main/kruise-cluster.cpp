// Serves an embedded cluster over HTTP: the API alone, without nodes or controllers.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/random.hpp"
#include "cluster/api_server.hpp"
#include "cluster/http_server.hpp"

namespace {

using kruise::cluster::ApiServer;
using kruise::cluster::HttpServer;

std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file) throw std::runtime_error(path + ": cannot be written");
}

/// Returns when SIGINT or SIGTERM arrives.
void wait_for_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int signal = 0;
  sigwait(&signals, &signal);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Serves an embedded Kubernetes API without nodes"};
  int port = 0;
  std::string kubeconfig;
  std::string state;
  std::vector<std::string> crds;
  app.add_option("--port", port, "port on 127.0.0.1; 0 takes any that is free");
  app.add_option("--kubeconfig", kubeconfig, "file to write a kubeconfig to");
  app.add_option("--state", state, "file that keeps the objects over restarts");
  app.add_option("--crd", crds, "files of CustomResourceDefinitions to install");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    // Blocked before any thread starts, so that only `wait_for_signal` gets them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    const kruise::base::SystemClock clock;
    ApiServer api({.clock = &clock, .seed = kruise::base::random_seed(), .state_path = state});
    for (const auto& path : crds) api.install_crd(read_file(path));
    const HttpServer server(api, {.port = port});
    if (!kubeconfig.empty()) write_file(kubeconfig, server.kubeconfig());
    std::cout << server.url() << '\n' << std::flush;
    wait_for_signal();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "kruise-cluster: " << error.what() << '\n';
    return 1;
  }
}
