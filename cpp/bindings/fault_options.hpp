// The faults of a manager's connection as Python sends them.
#pragma once

#include <memory>
#include <string>

#include "cluster/faults.hpp"

namespace kruise::bindings {

/// Reads {"seed", "rates": {name: probability}, "delay_max", "at_write": {n: name}, "at_event": {n: name}}. Throws
/// session::Refused naming what is wrong.
[[nodiscard]] std::shared_ptr<cluster::RandomFaults> fault_options(const std::string& text);

}  // namespace kruise::bindings
