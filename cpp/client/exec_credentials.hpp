// Credential programs of a kubeconfig: client.authentication.k8s.io/v1 and v1beta1.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace kruise::client {

/// The cluster as told to the program in KUBERNETES_EXEC_INFO (provideClusterInfo).
struct ExecClusterInfo {
  std::string server;
  std::string tls_server_name;
  std::string ca;  // PEM
  bool insecure = false;
  std::string proxy_url;
  std::string config_json;  // the cluster's extension "client.authentication.k8s.io/exec"
};

struct ExecConfig {
  std::string api_version;
  std::string command;
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string install_hint;
  std::optional<ExecClusterInfo> cluster;
};

/// What a program gave: a token, a certificate with its key, or both.
struct ExecCredential {
  std::string token;
  std::string certificate;
  std::string key;
  std::optional<base::Time> expires;
};

/// One line that names the program; holds no credential.
struct ExecError {
  std::string message;
};

/// Programs must be done within this.
inline constexpr base::Duration kExecLimit = std::chrono::seconds(60);

/// Runs the program, without a shell or terminal, and reads its answer. Blocks up to `limit`, or until stopped. Any thread.
[[nodiscard]] base::Result<ExecCredential, ExecError> run_exec(const ExecConfig&, base::Duration limit = kExecLimit,
                                                               std::stop_token = {});

/// Reads what a program printed (an ExecCredential of the given version).
[[nodiscard]] base::Result<ExecCredential, ExecError> parse_exec_credential(std::string_view output,
                                                                            const std::string& api_version);

}  // namespace kruise::client
