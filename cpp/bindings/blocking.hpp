// Blocking calls from Python: without the GIL, and open to Ctrl-C.
#pragma once

#include <pybind11/pybind11.h>

#include "session/connection.hpp"

namespace kruise::bindings {

/// For calls that run without the GIL: takes it for a moment and lets a pending signal handler run.
inline session::Poll interruptible() {
  return [] {
    const pybind11::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
  };
}

}  // namespace kruise::bindings
