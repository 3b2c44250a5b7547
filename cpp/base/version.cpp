#include "base/version.hpp"

namespace kruise::base {

std::string_view version() { return KRUISE_VERSION; }

}  // namespace kruise::base
