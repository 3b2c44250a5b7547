// Which proxy leads to a server, as the environment says it and Go's programs (kubectl) read it.
#pragma once

#include <string>

#include "base/environment.hpp"
#include "base/result.hpp"
#include "client/config.hpp"

namespace kruise::client {

/// The proxy for `server` (an http or https URL) by HTTPS_PROXY or HTTP_PROXY and NO_PROXY, each also in small letters; empty:
/// none. localhost and addresses that loop back have none. NO_PROXY is a list, by commas, of "*", hosts (with all below them),
/// ".suffixes" (only what is below), addresses and networks ("10.0.0.0/8"), hosts and addresses also with a port.
[[nodiscard]] base::Result<std::string, ConfigError> proxy_of_environment(const std::string& server, const base::Environment&);

/// What is wrong with a proxy's URL, or nothing. Does not repeat the URL, which may hold a password.
[[nodiscard]] std::string proxy_problem(const std::string& url);

/// A proxy's host and port, for people: nothing that it may say about user and password.
[[nodiscard]] std::string proxy_host(const std::string& url);

}  // namespace kruise::client
