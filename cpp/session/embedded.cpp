#include "session/embedded.hpp"

#include <stdexcept>

#include "api/clone_set_conversion.hpp"

namespace kruise::session {

Embedded::Embedded(const Options& options) {
  if (options.virtual_time) {
    virtual_loop_ = std::make_unique<base::VirtualLoop>(options.start);
  } else {
    loop_ = std::make_unique<base::Loop>("kruise-cluster");
  }
  cluster::ApiServer::Options server;
  server.clock = &executor().clock();
  server.seed = options.seed;
  server.state_path = options.state_path;
  if (options.serve_v1beta1) server.conversions.push_back({"clonesets.apps.kruise.io", "v1beta1", api::convert_clone_set});
  try {
    api_ = std::make_shared<cluster::ApiServer>(server);
  } catch (const std::runtime_error& error) {
    throw Refused(error.what());
  }
  for (const auto& crd : options.crds) api_->install_crd(crd);
  on_loop([&] {
    node_client_ = make_client();
    nodes_ = std::make_unique<Nodes>(*node_client_, options.nodes);
    nodes_->start();
  });
}

Embedded::~Embedded() {
  http_.reset();
  on_loop([&] {
    nodes_.reset();
    node_client_.reset();
  });
}

base::Executor& Embedded::executor() {
  if (virtual_loop_) return *virtual_loop_;
  return *loop_;
}

std::unique_lock<std::recursive_mutex> Embedded::turn() {
  return virtual_loop_ ? std::unique_lock(turn_) : std::unique_lock<std::recursive_mutex>();
}

void Embedded::on_loop(const base::Task& task) {
  if (virtual_loop_) {
    const std::lock_guard lock(turn_);
    task();
  } else {
    loop_->run_and_wait(task);
  }
}

std::unique_ptr<cluster::LocalClient> Embedded::make_client() {
  return std::make_unique<cluster::LocalClient>(*api_, executor());
}

std::shared_ptr<cluster::ApiServer> Embedded::make_view(std::size_t lag) {
  cluster::ApiServer::Options options;
  options.clock = &executor().clock();
  options.head = api_.get();
  auto view = std::make_shared<cluster::ApiServer>(options);
  view->set_lag(lag);
  return view;
}

void Embedded::run_for(base::Duration span, const Poll& poll) {
  const std::lock_guard lock(turn_);
  run_until(
      [&] {
        poll();
        return false;
      },
      span);
}

bool Embedded::run_until(const std::function<bool()>& done, base::Duration limit, bool each_step) {
  const std::lock_guard lock(turn_);
  if (each_step) return virtual_loop_->run_until(done, limit);
  return virtual_loop_->run_until_at_rest(done, limit);
}

int Embedded::serve(const std::string& host, int port) {
  if (http_) throw Refused("the cluster is served already, at " + http_->url());
  try {
    http_ = std::make_unique<cluster::HttpServer>(*api_, cluster::HttpServer::Options{.host = host, .port = port});
  } catch (const std::runtime_error& error) {
    throw Refused(error.what());
  }
  return http_->port();
}

}  // namespace kruise::session
