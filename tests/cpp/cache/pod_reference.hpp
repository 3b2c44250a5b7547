// A second decoder of pods, plain and slow, that shares no code with the one under test.
#pragma once

#include <string_view>

#include "api/pod.hpp"

namespace kruise::cache {

/// Throws whatever nlohmann throws when a field has a wrong type.
[[nodiscard]] api::PodFields reference_pod(std::string_view json);

}  // namespace kruise::cache
