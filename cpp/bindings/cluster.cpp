// The embedded cluster.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "bindings/blocking.hpp"
#include "bindings/handles.hpp"
#include "bindings/node_options.hpp"
#include "bindings/parts.hpp"
#include "session/embedded_connection.hpp"

namespace py = pybind11;

namespace kruise::bindings {
namespace {

using nlohmann::json;

session::Embedded::Options options_from(const std::string& text) {
  const json given = json::parse(text);
  session::Embedded::Options options;
  options.virtual_time = given.at("virtual").get<bool>();
  options.seed = given.at("seed").get<std::uint64_t>();
  options.state_path = given.at("state").get<std::string>();
  options.crds = given.at("crds").get<std::vector<std::string>>();
  options.serve_v1beta1 = given.at("serve_v1beta1").get<bool>();
  options.start = base::parse_time(given.at("start").get<std::string>()).value();
  options.nodes = node_options(given);
  return options;
}

std::string event_text(const cluster::StorageEvent& event) {
  base::JsonWriter w;
  const auto object = [&](std::string_view key, std::string_view text) {
    w.key(key);
    if (text.empty()) {
      w.null();
    } else {
      w.raw(text);
    }
  };
  w.begin_object().key("type").string(event.type).key("plural").string(event.plural);
  w.key("namespace").string(event.ns).key("name").string(event.name);
  w.key("resourceVersion").integer(static_cast<std::int64_t>(event.resource_version)).key("writer").string(event.user_agent);
  object("before", event.before);
  object("after", event.type == "DELETED" ? std::string_view{} : event.after);
  w.end_object();
  return std::move(w).text();
}

std::function<void(const cluster::StorageEvent&)> caller_of(const py::object& observer) {
  // Python objects are touched, and let go, under the GIL only, whatever thread writes.
  const auto held = std::shared_ptr<py::object>(new py::object(observer), [](py::object* object) {
    const py::gil_scoped_acquire gil;
    delete object;
  });
  return [held](const cluster::StorageEvent& event) {
    const std::string text = event_text(event);
    const py::gil_scoped_acquire gil;
    Home::observing() = true;
    try {
      (*held)(py::bytes(text));
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("an observer of writes");
    }
    Home::observing() = false;
  };
}

void observe(ClusterHandle& handle, const py::object& observer) {
  std::function<void(const cluster::StorageEvent&)> call;
  if (!observer.is_none()) call = caller_of(observer);
  const py::gil_scoped_release release;  // storage's lock may be held by a thread that waits for the GIL
  handle.get()->api()->observe_writes(std::move(call));
}

bool run_until(ClusterHandle& handle, const std::function<bool()>& done, double limit_s, bool each_step) {
  const auto poll = interruptible();
  const py::gil_scoped_release release;
  return handle.get()->run_until(
      [&] {
        poll();
        const py::gil_scoped_acquire gil;
        return done();
      },
      seconds(limit_s), each_step);
}

void kubelets(ClusterHandle& handle, const std::string& command) {
  std::exception_ptr failure;
  const auto cluster = handle.get();
  cluster->on_loop([&] {
    try {
      cluster->nodes().command(command);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

double now(ClusterHandle& handle) {
  const auto cluster = handle.get_anywhere();
  const auto turn = cluster->turn();
  return std::chrono::duration<double>(cluster->executor().clock().now().time_since_epoch()).count();
}

std::shared_ptr<ConnectionHandle> connect(ClusterHandle& handle, std::string user_agent) {
  return std::make_shared<ConnectionHandle>(std::make_shared<session::EmbeddedConnection>(handle.get(), std::move(user_agent)));
}

}  // namespace

void bind_cluster(py::module_& module) {
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<ViewHandle, std::shared_ptr<ViewHandle>>(module, "LaggingView")
      .def(py::init([](ClusterHandle& cluster, std::size_t lag) {
             return std::make_shared<ViewHandle>(ViewHandle{cluster.get()->make_view(lag)});
           }),
           Release())
      .def("set_lag", [](ViewHandle& view, std::size_t lag) { view.server->set_lag(lag); }, Release());
  py::class_<ClusterHandle, std::shared_ptr<ClusterHandle>>(module, "EmbeddedCluster")
      .def(py::init([](const std::string& options) {
             return held(std::make_unique<ClusterHandle>(std::make_unique<session::Embedded>(options_from(options))));
           }),
           Release())
      .def("connection", connect)
      .def(
          "install_crd", [](ClusterHandle& h, const std::string& yaml) { h.get()->api()->install_crd(yaml); }, Release())
      .def(
          "serve", [](ClusterHandle& h, const std::string& host, int port) { return h.get()->serve(host, port); }, Release())
      .def("now", now, Release())
      .def(
          "run_for", [](ClusterHandle& h, double span_s) { h.get()->run_for(seconds(span_s), interruptible()); }, Release())
      .def("run_until", run_until)
      .def("kubelets", kubelets, Release())
      .def("observe_writes", observe)
      .def("close", &ClusterHandle::close, Release());
}

}  // namespace kruise::bindings
