// An embedded cluster as a whole: API server, simulated nodes, garbage collector, and the loop they live on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "cluster/api_server.hpp"
#include "cluster/http_server.hpp"
#include "cluster/local_client.hpp"
#include "session/connection.hpp"
#include "session/nodes.hpp"

namespace kruise::session {

class Embedded {
 public:
  struct Options {
    bool virtual_time = false;
    base::Time start{};  // virtual time only
    std::uint64_t seed = 0;
    NodeOptions nodes{};
    std::string state_path{};
    std::vector<std::string> crds{};  // YAML texts
    /// Serve apps.kruise.io/v1beta1 too, although its definition says that it is not: objects are converted in process.
    bool serve_v1beta1 = false;
  };
  /// Throws Refused or std::invalid_argument naming what is wrong.
  explicit Embedded(const Options&);
  ~Embedded();
  Embedded(const Embedded&) = delete;
  Embedded& operator=(const Embedded&) = delete;

  [[nodiscard]] bool virtual_time() const { return virtual_loop_ != nullptr; }
  [[nodiscard]] const std::shared_ptr<cluster::ApiServer>& api() const { return api_; }
  [[nodiscard]] base::Executor& executor();
  /// In virtual time one thread at a time may do anything here, and holds this meanwhile; in real time it holds nothing.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> turn();
  /// Runs the task on the loop: directly in virtual time, else waits until it is done there.
  void on_loop(const base::Task&);
  /// A client of its own; on the loop. Faults injected below reach it, and nobody else.
  [[nodiscard]] std::unique_ptr<cluster::LocalClient> make_client();
  /// The cluster as it was `lag` writes ago, at any time; `set_lag` changes that.
  [[nodiscard]] std::shared_ptr<cluster::ApiServer> make_view(std::size_t lag);

  /// Virtual time only. `done` is asked, and polled, once an instant, or (`each_step`) between any two things that happen.
  void run_for(base::Duration, const Poll&);
  bool run_until(const std::function<bool()>& done, base::Duration limit, bool each_step = false);

  /// Opens a port for other processes; 0 takes a free one. Returns it. Throws Refused. Real time only.
  int serve(const std::string& host, int port);

  /// On the loop.
  [[nodiscard]] Nodes& nodes() { return *nodes_; }

 private:
  std::recursive_mutex turn_;  // guards all that virtual_loop_ runs
  std::unique_ptr<base::VirtualLoop> virtual_loop_;
  std::unique_ptr<base::Loop> loop_;
  std::shared_ptr<cluster::ApiServer> api_;
  std::unique_ptr<cluster::LocalClient> node_client_;
  std::unique_ptr<Nodes> nodes_;
  std::unique_ptr<cluster::HttpServer> http_;
};

}  // namespace kruise::session
