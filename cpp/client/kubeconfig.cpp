// kubeconfig files: merged by kubectl's rules, one context resolved, every complaint with file, field and line.

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "client/config.hpp"
#include "client/config_file.hpp"
#include "client/pem.hpp"
#include "client/proxy.hpp"

namespace kruise::client {
namespace {

/// Leaves the parser with the message; caught in load_kubeconfig.
struct Complaint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A YAML value with the file and field it stands in.
class Field {
 public:
  Field(const YAML::Node& node, std::string file, std::string path)
      : node_(node), file_(std::move(file)), path_(std::move(path)) {}

  [[nodiscard]] Field at(const std::string& key) const {
    if (!present()) return {YAML::Node(YAML::NodeType::Undefined), file_, join(key)};
    if (!node_.IsMap()) complain("must be a mapping");
    return {node_[key], file_, join(key)};
  }
  [[nodiscard]] bool present() const { return node_.IsDefined() && !node_.IsNull(); }
  [[nodiscard]] std::string text() const {
    if (!present()) return "";
    if (!node_.IsScalar()) complain("must be a string");
    return node_.Scalar();
  }
  [[nodiscard]] bool flag() const {
    if (!present()) return false;
    bool value = false;
    if (!node_.IsScalar() || !YAML::convert<bool>::decode(node_, value)) complain("must be true or false");
    return value;
  }
  [[nodiscard]] std::vector<Field> items() const {
    std::vector<Field> list;
    if (!present()) return list;
    if (!node_.IsSequence()) complain("must be a list");
    for (std::size_t i = 0; i < node_.size(); ++i) list.emplace_back(node_[i], file_, path_ + "[" + std::to_string(i) + "]");
    return list;
  }
  [[nodiscard]] std::vector<std::pair<std::string, Field>> entries() const {
    std::vector<std::pair<std::string, Field>> list;
    if (!present()) return list;
    if (!node_.IsMap()) complain("must be a mapping");
    for (const auto& entry : node_) {
      if (!entry.first.IsScalar()) complain("must have strings as keys");
      list.emplace_back(entry.first.Scalar(), Field(entry.second, file_, join(entry.first.Scalar())));
    }
    return list;
  }
  /// The file that the value names, as a path; relative ones start at the kubeconfig's folder.
  [[nodiscard]] std::string path_text() const {
    std::string value = text();
    if (value.empty() || value.front() == '/') return value;
    const std::size_t slash = file_.rfind('/');
    return slash == std::string::npos ? value : file_.substr(0, slash + 1) + value;
  }
  /// The content of the file that the value names; empty when absent.
  [[nodiscard]] std::string file_content() const {
    const std::string path = path_text();
    if (path.empty()) return "";
    const auto content = read_config_file(path);
    if (!content) complain(content.error().message);
    return *content;
  }
  [[nodiscard]] std::string decoded() const {
    const auto bytes = base64_decode(text());
    if (!bytes) complain("is no base64");
    return *bytes;
  }
  [[nodiscard]] Field named(const std::string& path) const { return {node_, file_, path}; }
  [[nodiscard]] const YAML::Node& node() const { return node_; }
  [[nodiscard]] const std::string& file() const { return file_; }

  [[noreturn]] void complain(const std::string& what) const {
    std::string message = "kubeconfig " + file_ + ": " + (path_.empty() ? "the file" : path_) + ": " + what;
    if (node_.IsDefined() && node_.Mark().line >= 0) message += " (line " + std::to_string(node_.Mark().line + 1) + ")";
    throw Complaint(message);
  }

 private:
  [[nodiscard]] std::string join(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  YAML::Node node_;
  std::string file_;
  std::string path_;
};

Field parse_file(const std::string& path) {
  const auto text = read_config_file(path);
  if (!text) throw Complaint("kubeconfig " + text.error().message);
  try {
    return {YAML::Load(*text), path, ""};
  } catch (const YAML::Exception& error) {
    throw Complaint("kubeconfig " + path + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

/// The entry of a named list (`clusters`, key `cluster`), from the first file that has the name. Its value may be null.
std::optional<Field> find_entry(const std::vector<Field>& files, const std::string& list, const std::string& key,
                                const std::string& name) {
  for (const Field& file : files) {
    for (const Field& item : file.at(list).items()) {
      if (item.at("name").text() == name) return item.at(key).named(list + "[" + name + "]." + key);
    }
  }
  return std::nullopt;
}

std::string file_names(const std::vector<Field>& files) {
  std::string names;
  for (const Field& file : files) names += (names.empty() ? "" : ":") + file.file();
  return names;
}

/// `<name>-data` wins over the file `<name>`, as in kubectl.
bool has_data(const Field& owner, const std::string& name) { return !owner.at(name + "-data").text().empty(); }

std::string data_or_file(const Field& owner, const std::string& name) {
  return has_data(owner, name) ? owner.at(name + "-data").decoded() : owner.at(name).file_content();
}

nlohmann::json to_json(const Field& field) {
  const YAML::Node& node = field.node();
  if (node.IsMap()) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [key, value] : field.entries()) object[key] = to_json(value);
    return object;
  }
  if (node.IsSequence()) {
    nlohmann::json list = nlohmann::json::array();
    for (const Field& item : field.items()) list.push_back(to_json(item));
    return list;
  }
  if (!field.present()) return nullptr;
  if (node.Tag() != "!") {  // plain, not quoted
    const nlohmann::json value = nlohmann::json::parse(node.Scalar(), nullptr, false);
    if (value.is_boolean() || value.is_number()) return value;
  }
  return node.Scalar();
}

void read_cluster(const Field& cluster, Config& config) {
  config.server = cluster.at("server").text();
  config.tls_server_name = cluster.at("tls-server-name").text();
  config.insecure = cluster.at("insecure-skip-tls-verify").flag();
  config.proxy_url = cluster.at("proxy-url").text();
  if (const std::string problem = config.proxy_url.empty() ? "" : proxy_problem(config.proxy_url); !problem.empty())
    cluster.at("proxy-url").complain(problem);
  config.ca = data_or_file(cluster, "certificate-authority");
  if (config.server.empty()) cluster.at("server").complain("is missing");
  if (config.ca.empty()) return;
  const Field ca =
      cluster.at(cluster.at("certificate-authority-data").present() ? "certificate-authority-data" : "certificate-authority");
  if (certificates_in(config.ca) == 0) ca.complain("holds no readable PEM certificate");
  if (config.insecure) ca.complain("must be absent when insecure-skip-tls-verify is true");
}

ExecConfig read_exec(const Field& exec, const Field& cluster, const Config& config) {
  ExecConfig out;
  out.api_version = exec.at("apiVersion").text();
  if (out.api_version != "client.authentication.k8s.io/v1" && out.api_version != "client.authentication.k8s.io/v1beta1") {
    exec.at("apiVersion").complain("must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
  }
  const Field command = exec.at("command");
  out.command = command.text();
  if (out.command.empty()) command.complain("is missing");
  if (out.command.find('/') != std::string::npos) out.command = command.path_text();
  for (const Field& argument : exec.at("args").items()) out.args.push_back(argument.text());
  for (const Field& variable : exec.at("env").items())
    out.env.emplace_back(variable.at("name").text(), variable.at("value").text());
  out.install_hint = exec.at("installHint").text();
  if (exec.at("interactiveMode").text() == "Always")
    exec.at("interactiveMode").complain("is Always, but there is no terminal here");
  if (exec.at("provideClusterInfo").flag()) {
    ExecClusterInfo info{config.server, config.tls_server_name, config.ca, config.insecure, config.proxy_url, ""};
    for (const Field& extension : cluster.at("extensions").items()) {
      if (extension.at("name").text() == "client.authentication.k8s.io/exec")
        info.config_json = to_json(extension.at("extension")).dump();
    }
    out.cluster = std::move(info);
  }
  return out;
}

void read_user(const Field& user, const Field& cluster, Config& config) {
  config.token = user.at("token").text();
  config.token_file = user.at("tokenFile").path_text();
  if (!config.token_file.empty()) (void)user.at("tokenFile").file_content();  // unreadable: say so now
  config.username = user.at("username").text();
  config.password = user.at("password").text();
  config.client_certificate = data_or_file(user, "client-certificate");
  config.client_key = data_or_file(user, "client-key");
  if (!config.client_certificate.empty() && config.client_key.empty())
    user.at("client-key").complain("is missing beside client-certificate");
  if (config.client_certificate.empty() && !config.client_key.empty())
    user.at("client-certificate").complain("is missing beside client-key");
  if (!config.client_certificate.empty()) {
    const std::string problem = key_pair_problem(config.client_certificate, config.client_key);
    if (!problem.empty()) user.complain(problem);
    if (!has_data(user, "client-certificate") && !has_data(user, "client-key")) {
      config.client_certificate_file = user.at("client-certificate").path_text();
      config.client_key_file = user.at("client-key").path_text();
    }
  }
  if (user.at("auth-provider").present()) user.at("auth-provider").complain("is not supported; use exec");
  if (user.at("exec").present()) config.exec = read_exec(user.at("exec"), cluster, config);
  config.impersonate.user = user.at("as").text();
  config.impersonate.uid = user.at("as-uid").text();
  for (const Field& group : user.at("as-groups").items()) config.impersonate.groups.push_back(group.text());
  for (const auto& [key, values] : user.at("as-user-extra").entries()) {
    for (const Field& value : values.items()) config.impersonate.extra.emplace_back(key, value.text());
  }
  const bool impersonates_more =
      !config.impersonate.groups.empty() || !config.impersonate.extra.empty() || !config.impersonate.uid.empty();
  if (config.impersonate.user.empty() && impersonates_more)
    user.at("as").complain("is missing beside the other impersonation fields");
}

Config resolve(const std::vector<Field>& files, const ConfigSource& source) {
  std::string context_name = source.context;
  for (const Field& file : files) {
    if (context_name.empty()) context_name = file.at("current-context").text();
  }
  const std::string names = file_names(files);
  if (context_name.empty()) throw Complaint("kubeconfig " + names + ": current-context is not set");
  const auto context = find_entry(files, "contexts", "context", context_name);
  if (!context) throw Complaint("kubeconfig " + names + ": there is no context \"" + context_name + "\"");

  const std::string cluster_name = context->at("cluster").text();
  const auto cluster = find_entry(files, "clusters", "cluster", cluster_name);
  if (!cluster) context->at("cluster").complain("there is no cluster \"" + cluster_name + "\"");

  Config config;
  config.source = names + ", context " + context_name;
  config.ns = context->at("namespace").text();
  if (config.ns.empty()) config.ns = "default";
  read_cluster(*cluster, config);

  const std::string user_name = context->at("user").text();
  if (!user_name.empty()) {
    const auto user = find_entry(files, "users", "user", user_name);
    if (!user) context->at("user").complain("there is no user \"" + user_name + "\"");
    read_user(*user, *cluster, config);
  }
  return config;
}

}  // namespace

base::Result<Config, ConfigError> load_kubeconfig(const std::vector<std::string>& files, const ConfigSource& source) {
  try {
    std::vector<Field> parsed;
    parsed.reserve(files.size());
    for (const std::string& file : files) parsed.push_back(parse_file(file));
    return resolve(parsed, source);
  } catch (const Complaint& complaint) {
    return ConfigError{complaint.what()};
  } catch (const YAML::Exception& error) {
    return ConfigError{"kubeconfig " + files.front() + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg};
  }
}

}  // namespace kruise::client
