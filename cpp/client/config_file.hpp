// Small files of a configuration (kubeconfig, tokens, certificates), and the form of a server's URL.
#pragma once

#include <string>

#include "base/result.hpp"
#include "client/config.hpp"

namespace kruise::client {

/// Larger files are refused: none of these grows by itself.
inline constexpr std::size_t kConfigFileBytesMax = 4U << 20U;

/// The whole file without trailing line breaks; the error names the file and the reason.
[[nodiscard]] base::Result<std::string, ConfigError> read_config_file(const std::string& path);

/// Completes and checks `server` in place; returns what is wrong with it, or nothing.
[[nodiscard]] std::string normalize_server(Config&);

}  // namespace kruise::client
