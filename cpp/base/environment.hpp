// The process's environment variables: nothing else reads them.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace kruise::base {

/// The variable's value; absent when it is not set. Do not change the environment while other threads run.
[[nodiscard]] std::optional<std::string> environment(const std::string& name);

/// The type of `environment`, for what takes it as a parameter.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

}  // namespace kruise::base
