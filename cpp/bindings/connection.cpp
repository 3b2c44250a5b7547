// Connections, watch streams, and API errors as Python's.
#include "session/connection.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <exception>
#include <mutex>

#include "base/executor.hpp"
#include "bindings/blocking.hpp"
#include "bindings/handles.hpp"
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

/// A stream that one thread may close while another waits for its next event.
class StreamHandle {
 public:
  explicit StreamHandle(std::unique_ptr<session::WatchStream> stream) : stream_(std::move(stream)) {}

  std::optional<std::string> next(std::optional<base::MonoTime> deadline) {
    const std::lock_guard lock(reading_);
    try {
      return stream_->next(deadline, [this, poll = interruptible()] {
        if (closed_) throw Closed{};
        poll();
      });
    } catch (const Closed&) {
      return std::nullopt;
    }
  }
  void close() {
    closed_ = true;
    const std::lock_guard lock(reading_);
    stream_->close();
  }
  [[nodiscard]] bool drained() const { return stream_->drained(); }

 private:
  struct Closed : std::exception {};

  std::unique_ptr<session::WatchStream> stream_;
  std::mutex reading_;  // held by who waits for an event
  std::atomic<bool> closed_ = false;
};

py::object next_event(StreamHandle& stream, const Deadline& deadline) {
  std::optional<std::string> line;
  {
    const py::gil_scoped_release release;
    line = stream.next(deadline.at);
  }
  return line ? py::object(py::bytes(*line)) : py::none();
}

py::bytes request(const ConnectionHandle& connection, std::string method, std::string path, std::string type,
                  const py::bytes& body, std::string accept) {
  client::Request sent{.method = std::move(method), .path = std::move(path)};
  if (!accept.empty()) sent.accept = std::move(accept);
  sent.content_type = std::move(type);
  sent.body = std::string(body);
  std::string answer;
  {
    const py::gil_scoped_release release;
    answer = connection.get().request(std::move(sent), interruptible());
  }
  return answer;
}

}  // namespace

void bind_connection(py::module_& module) {
  py::register_exception_translator(translate);

  py::class_<Deadline>(module, "Deadline").def(py::init<std::optional<double>>()).def("passed", &Deadline::passed);

  py::class_<StreamHandle, std::shared_ptr<StreamHandle>>(module, "WatchStream")
      .def("next", next_event)
      .def("close", &StreamHandle::close, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("drained", &StreamHandle::drained);

  py::class_<ConnectionHandle, std::shared_ptr<ConnectionHandle>>(module, "Connection")
      .def_static(
          "rest",
          [](const std::string& kubeconfig, const std::string& context) {
            return std::make_shared<ConnectionHandle>(held(session::open_rest(kubeconfig, context)));
          },
          py::call_guard<py::gil_scoped_release>())
      .def("request", request, py::arg("method"), py::arg("path"), py::arg("content_type"), py::arg("body"),
           py::arg("accept") = "")
      .def(
          "watch",
          [](const ConnectionHandle& c, const std::string& path) {
            return held(std::make_unique<StreamHandle>(c.get().watch(path)));
          },
          py::call_guard<py::gil_scoped_release>(), py::keep_alive<0, 1>())
      .def_property_readonly("namespace", [](const ConnectionHandle& c) { return c.get().default_namespace(); })
      .def_property_readonly("server", [](const ConnectionHandle& c) { return c.get().server(); });
}

}  // namespace kruise::bindings
