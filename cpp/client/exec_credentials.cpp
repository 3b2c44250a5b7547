#include "client/exec_credentials.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "base/process.hpp"
#include "client/pem.hpp"

namespace kruise::client {
namespace {

using nlohmann::json;

// Of what a failing program wrote to stderr.
constexpr std::size_t kStderrShownMax = 1024;

std::string exec_info(const ExecConfig& config) {
  base::JsonWriter w;
  w.begin_object().key("kind").string("ExecCredential").key("apiVersion").string(config.api_version);
  w.key("spec").begin_object().key("interactive").boolean(false);
  if (config.cluster) {
    const ExecClusterInfo& cluster = *config.cluster;
    w.key("cluster").begin_object().key("server").string(cluster.server);
    if (!cluster.tls_server_name.empty()) w.key("tls-server-name").string(cluster.tls_server_name);
    if (cluster.insecure) w.key("insecure-skip-tls-verify").boolean(true);
    if (!cluster.ca.empty()) w.key("certificate-authority-data").string(base64_encode(cluster.ca));
    if (!cluster.proxy_url.empty()) w.key("proxy-url").string(cluster.proxy_url);
    if (!cluster.config_json.empty()) w.key("config").raw(cluster.config_json);
    w.end_object();
  }
  w.end_object().end_object();
  return std::move(w).text();
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kStderrShownMax)) {
    if (static_cast<unsigned char>(c) >= 0x20) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

base::Result<ExecCredential, ExecError> parse_exec_credential(std::string_view output, const std::string& api_version) {
  const json answer = json::parse(output, nullptr, false);
  if (!answer.is_object()) return ExecError{"its output is no JSON object"};
  if (text_at(answer, "kind") != "ExecCredential") return ExecError{"its output is no ExecCredential"};
  if (text_at(answer, "apiVersion") != api_version) {
    return ExecError{"its output has apiVersion \"" + text_at(answer, "apiVersion") + "\", asked for was " + api_version};
  }
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) return ExecError{"its output has no status"};
  ExecCredential credential;
  credential.token = text_at(*status, "token");
  credential.certificate = text_at(*status, "clientCertificateData");
  credential.key = text_at(*status, "clientKeyData");
  if (credential.token.empty() && credential.certificate.empty())
    return ExecError{"its status has neither token nor clientCertificateData"};
  if (credential.certificate.empty() != credential.key.empty()) {
    return ExecError{"its status must have clientCertificateData and clientKeyData, or neither"};
  }
  if (!credential.certificate.empty()) {
    const std::string problem = key_pair_problem(credential.certificate, credential.key);
    if (!problem.empty()) return ExecError{problem};
  }
  const std::string expires = text_at(*status, "expirationTimestamp");
  if (!expires.empty()) {
    credential.expires = base::parse_time(expires);
    if (!credential.expires) return ExecError{"its status.expirationTimestamp is no RFC 3339 time"};
  }
  return credential;
}

base::Result<ExecCredential, ExecError> run_exec(const ExecConfig& config, base::Duration limit, std::stop_token stop) {
  const std::string who = "exec credentials: program \"" + config.command + "\": ";
  base::Command command;
  command.argv = {config.command};
  command.argv.insert(command.argv.end(), config.args.begin(), config.args.end());
  command.environment = config.env;
  command.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(config));
  command.limit = limit;
  command.stop = std::move(stop);
  const base::CommandResult result = base::run_command(command);
  if (!result.ok()) {
    std::string message = who + result.text();
    const std::string errors = one_line(result.errors);
    if (!errors.empty()) message += ": " + errors;
    if (result.end == base::CommandResult::End::kNotStarted && !config.install_hint.empty())
      message += " (" + one_line(config.install_hint) + ")";
    return ExecError{message};
  }
  auto credential = parse_exec_credential(result.output, config.api_version);
  if (!credential) return ExecError{who + credential.error().message};
  return credential;
}

}  // namespace kruise::client
