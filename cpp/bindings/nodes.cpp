// Simulated nodes for the cluster of a kubeconfig.
#include "session/nodes.hpp"

#include <pybind11/pybind11.h>

#include <nlohmann/json.hpp>

#include "bindings/handles.hpp"
#include "bindings/node_options.hpp"
#include "bindings/parts.hpp"
#include "session/rest_connection.hpp"

namespace py = pybind11;

namespace kruise::bindings {

using nlohmann::json;

session::NodeOptions node_options(const json& options) {
  session::NodeOptions made;
  made.count = options.at("nodes").get<int>();
  made.seed = options.at("seed").get<std::uint64_t>();
  const json& delays = options.at("delays");
  made.schedule_s = delays.at("schedule").get<double>();
  made.pull_s = delays.at("pull").get<double>();
  made.start_s = delays.at("start").get<double>();
  made.ready_s = delays.at("ready").get<double>();
  made.stop_s = delays.at("stop").get<double>();
  made.jitter = delays.at("jitter").get<double>();
  made.node_grace_s = delays.at("node_grace").get<double>();
  made.pull_backoff_s = delays.at("pull_backoff").get<double>();
  return made;
}

namespace {

/// Nodes and the connection that they alone use.
class NodesHandle {
 public:
  NodesHandle(const std::string& kubeconfig, const std::string& context, const std::string& options)
      : connection_(session::open_rest(kubeconfig, context, "simulated-nodes")) {
    session::NodeOptions parsed = node_options(json::parse(options));
    parsed.stand_alone = false;
    connection_->loop().run_and_wait([&] {
      nodes_ = std::make_unique<session::Nodes>(connection_->client(), parsed);
      nodes_->start();
    });
  }
  ~NodesHandle() { close(); }
  NodesHandle(const NodesHandle&) = delete;
  NodesHandle& operator=(const NodesHandle&) = delete;

  void command(const std::string& text) {
    home_.check();
    std::exception_ptr failure;
    connection_->loop().run_and_wait([&] {
      try {
        if (!nodes_) throw session::Refused("the simulated nodes are closed");
        nodes_->command(text);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
  }

  void close() {
    home_.check();
    connection_->loop().run_and_wait([&] { nodes_.reset(); });
  }

 private:
  Home home_;
  std::shared_ptr<session::RestConnection> connection_;
  std::unique_ptr<session::Nodes> nodes_;
};

}  // namespace

void bind_nodes(py::module_& module) {
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<NodesHandle, std::shared_ptr<NodesHandle>>(module, "SimulatedNodes")
      .def(py::init([](const std::string& kubeconfig, const std::string& context, const std::string& options) {
             return held(std::make_unique<NodesHandle>(kubeconfig, context, options));
           }),
           Release())
      .def("kubelets", &NodesHandle::command, Release())
      .def("close", &NodesHandle::close, Release());
}

}  // namespace kruise::bindings
