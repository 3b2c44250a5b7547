// Connections, watch streams, and API errors as Python's.
#include "session/connection.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/executor.hpp"
#include "bindings/blocking.hpp"
#include "bindings/parts.hpp"
#include "session/rest_connection.hpp"

namespace py = pybind11;

namespace kruise::bindings {
namespace {

struct Deadline {
  std::optional<base::MonoTime> at;

  explicit Deadline(std::optional<double> seconds) {
    if (seconds)
      at = base::SystemClock{}.mono() + std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(*seconds));
  }
  [[nodiscard]] bool passed() const { return at && base::SystemClock{}.mono() >= *at; }
};

void raise(const client::ApiError& error) {
  py::list causes;
  for (const auto& cause : error.causes) causes.append(py::make_tuple(cause.reason, cause.message, cause.field));
  py::object retry_after = py::none();
  if (error.retry_after) retry_after = py::float_(std::chrono::duration<double>(*error.retry_after).count());
  const py::object made =
      py::module_::import("kruise.errors")
          .attr("_from_core")(error.code, error.reason, error.message, causes, retry_after, error.outcome_unknown);
  PyErr_SetObject(py::type::handle_of(made).ptr(), made.ptr());
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const client::ApiException& exception) {
    raise(exception.error());
  } catch (const session::Refused& exception) {
    py::set_error(py::module_::import("kruise.errors").attr("KruiseError"), exception.what());
  }
}

py::object next_event(session::WatchStream& stream, const Deadline& deadline) {
  std::optional<std::string> line;
  {
    const py::gil_scoped_release release;
    line = stream.next(deadline.at, interruptible());
  }
  return line ? py::object(py::bytes(*line)) : py::none();
}

py::bytes request(session::Connection& connection, const std::string& method, const std::string& path, const std::string& type,
                  const py::bytes& body) {
  std::string sent(body);
  std::string answer;
  {
    const py::gil_scoped_release release;
    answer = connection.request(method, path, type, std::move(sent), interruptible());
  }
  return answer;
}

}  // namespace

void bind_connection(py::module_& module) {
  py::register_exception_translator(translate);

  py::class_<Deadline>(module, "Deadline").def(py::init<std::optional<double>>()).def("passed", &Deadline::passed);

  py::class_<session::WatchStream>(module, "WatchStream")
      .def("next", next_event)
      .def("close", &session::WatchStream::close, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("drained", &session::WatchStream::drained);

  py::class_<session::Connection, std::shared_ptr<session::Connection>>(module, "Connection")
      .def_static(
          "rest",
          [](const std::string& kubeconfig, const std::string& context) -> std::shared_ptr<session::Connection> {
            return session::open_rest(kubeconfig, context);
          },
          py::call_guard<py::gil_scoped_release>())
      .def("request", request)
      .def("watch", &session::Connection::watch, py::call_guard<py::gil_scoped_release>(), py::keep_alive<0, 1>())
      .def_property_readonly("namespace", &session::Connection::default_namespace)
      .def_property_readonly("server", &session::Connection::server);
}

}  // namespace kruise::bindings
