// How to reach an API server: what kubeconfig files, the service account of a pod and flags say, resolved and checked.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.hpp"
#include "base/result.hpp"
#include "client/exec_credentials.hpp"

namespace kruise::client {

/// Acting as somebody else (Impersonate-* headers).
struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> extra;  // key, value; a key may come several times
};

/// Everything that a connection needs; certificates and keys are PEM texts. Holds secrets: never printed or logged as a whole.
struct Config {
  std::string server;           // "https://10.0.0.1:6443", without a trailing slash; may have a path
  std::string ns;               // of the context or service account, or "default"
  std::string ca;               // empty: the system's, see system_ca_file
  bool insecure = false;        // the server's certificate is not verified
  std::string tls_server_name;  // verified and asked for instead of the server's host
  std::string proxy_url;        // http, https or socks5; empty: straight to the server, whatever the environment says
  std::string client_certificate;
  std::string client_key;
  /// Where these two came from, when both came from files: re-read when old, for those who renew them in place.
  std::string client_certificate_file;
  std::string client_key_file;
  std::string token;
  std::string token_file;  // re-read when old; its content wins over `token`
  std::string username;
  std::string password;
  std::optional<ExecConfig> exec;
  Impersonation impersonate;
  std::string source;  // where it came from, for messages: "/root/.kube/config, context kind"
};

struct ConfigSource {
  std::string kubeconfig{};  // --kubeconfig: this file and no other
  std::string master{};      // --master: replaces the server's URL
  std::string context{};     // instead of current-context
  base::Environment environment = base::environment;
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// One line that names the file and the field.
struct ConfigError {
  std::string message;
};

/// A cluster that names no proxy has that of the environment (see proxy.hpp).
/// First hit wins: `kubeconfig`; the files of KUBECONFIG (merged as kubectl does: the first file that names a cluster, user,
/// context or the current context decides it; files that do not exist are skipped); the pod's service account; ~/.kube/config.
[[nodiscard]] base::Result<Config, ConfigError> load_config(const ConfigSource& = {});

/// The configuration made of kubeconfig files alone (load_config's first and second way).
[[nodiscard]] base::Result<Config, ConfigError> load_kubeconfig(const std::vector<std::string>& files, const ConfigSource&);

/// A bundle of the system's certificate authorities: SSL_CERT_FILE, else the first known place that exists; empty when there is
/// none. (A bundled libcurl knows only the path of the machine that built it.)
[[nodiscard]] std::string system_ca_file(const base::Environment& = base::environment);

}  // namespace kruise::client
