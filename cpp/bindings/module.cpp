// The module kruise._core: the entry point; each other file of this folder adds its own part.
#include <pybind11/pybind11.h>

#include "base/log.hpp"
#include "base/version.hpp"
#include "bindings/parts.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core. Private: what it offers has its public name in `kruise`.";
  module.attr("__version__") = std::string(kruise::base::version());
  module.def("log_verbosity", [](int verbosity) { kruise::base::log::configure({.verbosity = verbosity}); });
  kruise::bindings::bind_connection(module);
  kruise::bindings::bind_cluster(module);
  kruise::bindings::bind_manager(module);
  kruise::bindings::bind_nodes(module);
}
