#include "client/config.hpp"

#include <sys/stat.h>

#include "base/log.hpp"
#include "client/config_file.hpp"
#include "client/pem.hpp"
#include "client/proxy.hpp"

namespace kruise::client {
namespace {

bool exists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

std::string value_of(const base::Environment& environment, const std::string& name) { return environment(name).value_or(""); }

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// The service account of the pod that we run in.
base::Result<Config, ConfigError> in_cluster(const ConfigSource& source, const std::string& host, const std::string& port) {
  Config config;
  const bool ipv6 = host.find(':') != std::string::npos;
  config.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  config.token_file = source.service_account_dir + "/token";
  config.source = "the pod's service account";
  const auto token = read_config_file(config.token_file);
  if (!token) return ConfigError{"in-cluster configuration: " + token.error().message};
  const std::string ca_file = source.service_account_dir + "/ca.crt";
  const auto ca = read_config_file(ca_file);
  if (!ca) return ConfigError{"in-cluster configuration: " + ca.error().message};
  if (certificates_in(*ca) == 0)
    return ConfigError{"in-cluster configuration: " + ca_file + " holds no readable PEM certificate"};
  config.ca = *ca;
  const auto ns = read_config_file(source.service_account_dir + "/namespace");
  config.ns = ns ? *ns : "default";
  return config;
}

base::Result<Config, ConfigError> first_of(const ConfigSource& source) {
  if (!source.kubeconfig.empty()) return load_kubeconfig({source.kubeconfig}, source);

  const std::vector<std::string> listed = split_list(value_of(source.environment, "KUBECONFIG"));
  if (!listed.empty()) {
    std::vector<std::string> files;
    for (const std::string& file : listed) {
      if (exists(file)) {
        files.push_back(file);
      } else {
        base::log::warning("kubeconfig file skipped", {{"file", file}, {"reason", "it does not exist"}});
      }
    }
    if (files.empty()) return ConfigError{"KUBECONFIG: none of its files exists: " + value_of(source.environment, "KUBECONFIG")};
    return load_kubeconfig(files, source);
  }

  const std::string host = value_of(source.environment, "KUBERNETES_SERVICE_HOST");
  const std::string port = value_of(source.environment, "KUBERNETES_SERVICE_PORT");
  if (!host.empty() && !port.empty()) return in_cluster(source, host, port);

  const std::string home = value_of(source.environment, "HOME");
  const std::string file = home + "/.kube/config";
  if (!home.empty() && exists(file)) return load_kubeconfig({file}, source);

  if (!source.master.empty()) {
    Config config;
    config.ns = "default";
    config.source = "--master";
    return config;
  }
  return ConfigError{"no way to an API server: no --kubeconfig, no KUBECONFIG, not in a pod (KUBERNETES_SERVICE_HOST) and no " +
                     (home.empty() ? "HOME" : file)};
}

}  // namespace

base::Result<Config, ConfigError> load_config(const ConfigSource& source) {
  auto config = first_of(source);
  if (!config) return config;
  if (!source.master.empty()) config->server = source.master;
  const std::string problem = normalize_server(*config);
  if (!problem.empty()) return ConfigError{(source.master.empty() ? config->source : "--master") + ": " + problem};
  if (config->exec && config->exec->cluster) config->exec->cluster->server = config->server;
  if (config->proxy_url.empty()) {
    const auto proxy = proxy_of_environment(config->server, source.environment);
    if (!proxy) return proxy.error();
    config->proxy_url = *proxy;
  }
  return config;
}

std::string system_ca_file(const base::Environment& environment) {
  std::string named = value_of(environment, "SSL_CERT_FILE");
  if (!named.empty()) return named;
  for (const char* place :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (exists(place)) return place;
  }
  return "";
}

}  // namespace kruise::client
