// The controllers in this process.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>

#include "base/host.hpp"
#include "base/json_writer.hpp"
#include "base/random.hpp"
#include "base/shifted_executor.hpp"
#include "base/wait.hpp"
#include "bindings/blocking.hpp"
#include "bindings/fault_options.hpp"
#include "bindings/handles.hpp"
#include "bindings/parts.hpp"
#include "client/path_template.hpp"
#include "cluster/query.hpp"
#include "session/controllers.hpp"
#include "session/rest_connection.hpp"

namespace py = pybind11;

namespace kruise::bindings {
namespace {

using nlohmann::json;

std::string_view word(runtime::Write::Verb verb) {
  switch (verb) {
    case runtime::Write::Verb::kCreate:
      return "create";
    case runtime::Write::Verb::kPatch:
      return "patch";
    case runtime::Write::Verb::kDelete:
      return "delete";
  }
  return "";
}

std::string_view word(runtime::Reason::Verdict verdict) {
  switch (verdict) {
    case runtime::Reason::Verdict::kHeld:
      return "held";
    case runtime::Reason::Verdict::kActing:
      return "acting";
    case runtime::Reason::Verdict::kDone:
      return "done";
    case runtime::Reason::Verdict::kInvalid:
      return "invalid";
  }
  return "";
}

void append(base::JsonWriter& w, const runtime::Write& write) {
  w.begin_object().key("verb").string(word(write.verb)).key("resource").string(write.resource->plural);
  w.key("namespace").string(write.key.ns).key("name").string(write.key.name).key("subresource").string(write.subresource);
  w.key("purpose").string(write.purpose).key("body").string(write.body).end_object();
}

std::string plan_text(const runtime::Plan& plan) {
  base::JsonWriter w;
  w.begin_object().key("writes").begin_array();
  for (const auto& step : plan.steps) {
    for (const auto& chain : step.chains) {
      for (const auto& write : chain) append(w, write);
    }
  }
  if (plan.status) append(w, *plan.status);
  for (const auto& write : plan.cleanup) append(w, write);
  w.end_array().key("reasons").begin_array();
  for (const auto& reason : plan.reasons) {
    w.begin_object().key("verdict").string(word(reason.verdict)).key("object").string(reason.object);
    w.key("rule").string(reason.rule).key("text").string(reason.text).end_object();
  }
  w.end_array().key("requeueAfter");
  if (plan.requeue) {
    w.raw(std::to_string(std::chrono::duration<double>(*plan.requeue).count()));
  } else {
    w.null();
  }
  w.key("error");
  if (plan.error) {
    w.string(*plan.error);
  } else {
    w.null();
  }
  w.end_object();
  return std::move(w).text();
}

session::Controllers::Options options_from(const std::string& text) {
  const json given = json::parse(text);
  session::Controllers::Options options;
  options.ns = given.at("namespace").get<std::string>();
  options.seed = given.at("seed").get<std::uint64_t>();
  options.observe_only = given.at("observeOnly").get<bool>();
  options.expectation_timeout = seconds(given.at("expectationTimeout").get<double>());
  std::string flag;
  for (const auto& [name, on] : given.at("gates").items()) flag += name + (on.get<bool>() ? "=true," : "=false,");
  const auto parsed = runtime::Gates::parse({.flag = flag});
  if (!parsed) throw session::Refused("gates: " + parsed.error());
  options.gates = parsed->gates;
  if (given.at("leaderElection").get<bool>()) {
    options.election.emplace();
    options.election->identity = base::host_name() + "_" + std::to_string(base::random_seed());
  }
  return options;
}

class ManagerHandle : public std::enable_shared_from_this<ManagerHandle> {
 public:
  static constexpr auto kStopLimit = std::chrono::seconds(8);
  static constexpr auto kPollInterval = std::chrono::milliseconds(100);

  ManagerHandle(std::shared_ptr<ClusterHandle> cluster, std::shared_ptr<ConnectionHandle> connection,
                std::shared_ptr<ViewHandle> view, const std::string& options)
      : cluster_(std::move(cluster)),
        connection_(std::move(connection)),
        view_(std::move(view)),
        options_(options_from(options)),
        clock_ahead_(seconds(json::parse(options).at("clockAhead").get<double>())) {
    if (!cluster_ && !rest()) throw session::Refused("a manager needs an embedded cluster or a kubeconfig");
    // In virtual time each run is the same, and the name of who leads is part of what is written.
    if (options_.election && cluster_ && cluster_->get()->virtual_time())
      options_.election->identity = "manager_" + std::to_string(options_.seed);
  }
  ~ManagerHandle() {
    const Home::Collected collected;
    kill();
  }
  ManagerHandle(const ManagerHandle&) = delete;
  ManagerHandle& operator=(const ManagerHandle&) = delete;

  void start() {
    const std::lock_guard lock(life_);
    on_loop([&] {
      if (controllers_) return;
      if (cluster_) {
        const auto cluster = cluster_->get();
        base::Executor* loop = &cluster->executor();
        if (clock_ahead_ != base::Duration{0}) loop = &clock_.emplace(*loop, clock_ahead_);
        client_ = std::make_unique<cluster::LocalClient>(*cluster->api(), view_ ? *view_->server : *cluster->api(), *loop);
        client_->inject(faults_);
        sent_.clear();
        client_->on_attempt([this](const client::Request& request) {
          ++sent_[std::string(client::verb_of(request.method, request.path)) + ' ' + cluster::RequestInfo(request).resource];
        });
      }
      controllers_ = std::make_unique<session::Controllers>(
          cluster_ ? static_cast<client::Client&>(*client_) : static_cast<client::Client&>(rest()->client()), options_);
      controllers_->start();
    });
    if (!cluster_) return;
    cluster_->add_guest(this, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
  }

  /// Drains and gives leadership up; what takes too long is cut off.
  void stop(const session::Poll& poll) {
    const std::lock_guard lock(life_);
    if (!controllers_) return;
    const auto stopped = std::make_shared<std::atomic<bool>>(false);
    on_loop([&] {
      controllers_->stop([this, stopped] {
        *stopped = true;
        stopped_.notify();
      });
    });
    try {
      if (cluster_ && cluster_->get()->virtual_time()) {
        cluster_->get()->run_until([&] { return stopped->load(); }, kStopLimit);
      } else {
        const base::MonoTime deadline = base::SystemClock{}.mono() + kStopLimit;
        while (!*stopped && base::wait_slice(stopped_, kPollInterval, deadline)) poll();
      }
    } catch (...) {  // Ctrl-C
      kill();
      throw;
    }
    kill();
  }

  void kill() {
    const std::lock_guard lock(life_);
    if (!controllers_) return;
    if (cluster_) cluster_->remove_guest(this);
    end();
  }

  /// From now on, this manager started again included. Embedded cluster only; null: none.
  void set_faults(std::shared_ptr<cluster::FaultPlan> faults) {
    if (!cluster_) throw session::Refused("faults: only the connection to an embedded cluster can be given some");
    on_loop([&] {
      faults_ = std::move(faults);
      if (client_) client_->inject(faults_);
    });
  }

  [[nodiscard]] bool ready() {
    bool synced = false;
    on_loop([&] { synced = controllers_ && controllers_->ready(); });
    return synced;
  }

  [[nodiscard]] bool leading() {
    bool leads = false;
    on_loop([&] { leads = controllers_ && controllers_->leading(); });
    return leads;
  }

  [[nodiscard]] bool idle() {
    bool rests = true;
    on_loop([&] { rests = !controllers_ || controllers_->idle(); });
    return rests;
  }

  [[nodiscard]] std::optional<std::string> why_not_ready() {
    std::string text;
    on_loop([&] {
      if (controllers_) text = controllers_->complaint();
    });
    return text.empty() ? std::nullopt : std::optional(text);
  }

  [[nodiscard]] std::optional<std::string> plan(const std::string& kind, const std::string& ns, const std::string& name) {
    std::optional<std::string> text;
    std::exception_ptr failure;
    on_loop([&] {
      try {
        if (!controllers_) throw session::Refused("the manager is not running");
        if (const auto made = controllers_->plan(kind, {ns, name})) text = plan_text(*made);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
    return text;
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> requests() {
    std::map<std::string, std::uint64_t> sent;
    on_loop([&] {
      if (client_) sent = sent_;
    });
    return sent;
  }

  [[nodiscard]] std::string metrics() {
    std::string text;
    on_loop([&] {
      if (controllers_) text = controllers_->metrics();
    });
    return text;
  }

  void pause(double limit_s) { stopped_.wait(seconds(limit_s)); }

 private:
  [[nodiscard]] session::RestConnection* rest() const {
    return connection_ ? dynamic_cast<session::RestConnection*>(&connection_->get()) : nullptr;
  }

  void on_loop(const base::Task& task) {
    if (cluster_) {
      cluster_->get()->on_loop(task);
    } else {
      rest()->loop().run_and_wait(task);
    }
  }

  void end() {
    const std::lock_guard lock(life_);
    if (!controllers_) return;
    on_loop([&] {
      controllers_.reset();
      client_.reset();
    });
  }

  std::shared_ptr<ClusterHandle> cluster_;
  std::shared_ptr<ConnectionHandle> connection_;
  std::shared_ptr<ViewHandle> view_;  // null: it sees the present
  session::Controllers::Options options_;
  base::Duration clock_ahead_;  // embedded cluster only
  std::shared_ptr<cluster::FaultPlan> faults_;
  std::recursive_mutex life_;  // held while it starts, stops or ends
  std::optional<base::ShiftedExecutor> clock_;
  std::map<std::string, std::uint64_t> sent_;  // by verb and resource; while the client lives
  std::unique_ptr<cluster::LocalClient> client_;
  std::unique_ptr<session::Controllers> controllers_;
  base::Wakeup stopped_;
};

}  // namespace

void bind_manager(py::module_& module) {
  module.def("controller_of", &session::controller_of);
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<ManagerHandle, std::shared_ptr<ManagerHandle>>(module, "Manager")
      .def(py::init([](std::shared_ptr<ClusterHandle> cluster, std::shared_ptr<ConnectionHandle> connection,
                       std::shared_ptr<ViewHandle> view, const std::string& options) {
             return held(std::make_unique<ManagerHandle>(std::move(cluster), std::move(connection), std::move(view), options));
           }),
           Release())
      .def(
          "set_faults",
          [](ManagerHandle& manager, const std::optional<std::string>& options) {
            manager.set_faults(options ? fault_options(*options) : nullptr);
          },
          Release())
      .def("start", &ManagerHandle::start, Release())
      .def(
          "stop", [](ManagerHandle& manager) { manager.stop(interruptible()); }, Release())
      .def("kill", &ManagerHandle::kill, Release())
      .def_property_readonly("ready", py::cpp_function(&ManagerHandle::ready, Release()))
      .def_property_readonly("leading", py::cpp_function(&ManagerHandle::leading, Release()))
      .def_property_readonly("idle", py::cpp_function(&ManagerHandle::idle, Release()))
      .def_property_readonly("why_not_ready", py::cpp_function(&ManagerHandle::why_not_ready, Release()))
      .def("pause", &ManagerHandle::pause, Release())
      .def("plan", &ManagerHandle::plan, Release())
      .def_property_readonly("requests", py::cpp_function(&ManagerHandle::requests, Release()))
      .def("metrics", &ManagerHandle::metrics, Release());
}

}  // namespace kruise::bindings
