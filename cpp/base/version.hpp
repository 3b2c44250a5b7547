// Which release this is.
#pragma once

#include <string_view>

namespace kruise::base {

/// "0.1.0", as the build's project line says: the one place where the version is written.
[[nodiscard]] std::string_view version();

}  // namespace kruise::base
