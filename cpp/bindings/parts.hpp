// The parts of the module, one file each.
#pragma once

#include <pybind11/pybind11.h>

namespace kruise::bindings {

void bind_connection(pybind11::module_&);
void bind_cluster(pybind11::module_&);
void bind_manager(pybind11::module_&);
void bind_nodes(pybind11::module_&);

}  // namespace kruise::bindings
