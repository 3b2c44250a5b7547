#include "client/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/log.hpp"
#include "client/certificates.hpp"
#include "client/pem.hpp"

namespace kruise::client {
namespace {

using test::KeyPair;
using test::TempDir;
using testing::HasSubstr;

const KeyPair& pair() {
  static const KeyPair made = test::make_key_pair();
  return made;
}

base::Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

/// A kubeconfig with one context, whose cluster and user hold the given lines.
std::string kubeconfig(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u, namespace: "
         "team}\nclusters:\n"
         "- name: k\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

class ConfigTest : public testing::Test {
 protected:
  base::Result<Config, ConfigError> load(const std::string& content) {
    return load_config({.kubeconfig = dir.write("config", content), .environment = variables({})});
  }
  Config good(const std::string& cluster, const std::string& user) {
    auto config = load(kubeconfig(cluster, user));
    EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message);
    return config ? *config : Config{};
  }
  std::string problem(const std::string& content) {
    const auto config = load(content);
    EXPECT_FALSE(config.ok());
    return config ? "" : config.error().message;
  }

  TempDir dir;
};

TEST_F(ConfigTest, ReadsTheUsualFields) {
  const Config config =
      good("server: 'https://h:1/', tls-server-name: t, proxy-url: 'http://p:3128', certificate-authority-data: " +
               base64_encode(pair().certificate),
           "token: secret, username: me, password: pw, as: other, as-groups: [g1, g2], as-user-extra: {k: [v]}");
  EXPECT_EQ(config.server, "https://h:1");
  EXPECT_EQ(config.ns, "team");
  EXPECT_EQ(config.tls_server_name, "t");
  EXPECT_EQ(config.proxy_url, "http://p:3128");
  EXPECT_EQ(config.ca, pair().certificate);
  EXPECT_EQ(config.token, "secret");
  EXPECT_EQ(config.username, "me");
  EXPECT_EQ(config.password, "pw");
  EXPECT_EQ(config.impersonate.user, "other");
  EXPECT_EQ(config.impersonate.groups, (std::vector<std::string>{"g1", "g2"}));
  EXPECT_EQ(config.impersonate.extra.size(), 1U);
  EXPECT_EQ(config.source, dir.path("config") + ", context c");
}

TEST_F(ConfigTest, FilesAreRelativeToTheirKubeconfig) {
  dir.write("pki/ca.crt", pair().certificate);
  dir.write("pki/me.crt", pair().certificate);
  dir.write("pki/me.key", pair().key);
  dir.write("token", "from-file\n");
  const Config config = good("server: 'https://h', certificate-authority: pki/ca.crt",
                             "client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: token");
  EXPECT_EQ(config.ca + "\n", pair().certificate);
  EXPECT_EQ(config.client_key + "\n", pair().key);
  EXPECT_EQ(config.client_certificate_file, dir.path("pki/me.crt"));
  EXPECT_EQ(config.client_key_file, dir.path("pki/me.key"));
  EXPECT_EQ(config.token_file, dir.path("token"));
}

TEST_F(ConfigTest, DataWinsOverFile) {
  const Config config = good(
      "server: 'https://h', certificate-authority: missing, certificate-authority-data: " + base64_encode(pair().certificate),
      "");
  EXPECT_EQ(config.ca, pair().certificate);
}

/// A key that cannot change is no part of a pair that is replaced.
TEST_F(ConfigTest, APairThatIsNotAllOfFilesIsNotReadAgain) {
  dir.write("me.crt", pair().certificate);
  const Config config = good("server: 'https://h'", "client-certificate: me.crt, client-key-data: " + base64_encode(pair().key));
  EXPECT_EQ(config.client_certificate + "\n", pair().certificate);
  EXPECT_EQ(config.client_certificate_file, "");
  EXPECT_EQ(config.client_key_file, "");
}

TEST_F(ConfigTest, AProxyOfTheClusterWinsOverThatOfTheEnvironment) {
  const auto load_with = [&](const std::string& cluster, std::map<std::string, std::string> values) {
    return load_config({.kubeconfig = dir.write("config", kubeconfig(cluster, "")), .environment = variables(std::move(values))});
  };
  const std::map<std::string, std::string> set{{"HTTPS_PROXY", "http://of-environment:1"}, {"NO_PROXY", "h"}};
  EXPECT_EQ(load_with("server: 'https://h', proxy-url: 'http://of-cluster:1'", set)->proxy_url, "http://of-cluster:1");
  EXPECT_EQ(load_with("server: 'https://h'", set)->proxy_url, "");
  EXPECT_EQ(load_with("server: 'https://other'", set)->proxy_url, "http://of-environment:1");
  const auto wrong = load_with("server: 'https://other'", {{"HTTPS_PROXY", "ftp://user:secret@h"}});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "the variable HTTPS_PROXY is no http, https or socks5 URL");
}

TEST_F(ConfigTest, ReadsExec) {
  const Config config = good(
      "server: 'https://h', extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1, b: ['x', true], c: '1'}}]",
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./helper, args: [a, 'b c'], env: [{name: A, value: B}], "
      "installHint: get it, provideClusterInfo: true, interactiveMode: Never}");
  ASSERT_TRUE(config.exec);
  EXPECT_EQ(config.exec->command, dir.path("./helper"));
  EXPECT_EQ(config.exec->args, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(config.exec->env.front().second, "B");
  ASSERT_TRUE(config.exec->cluster);
  EXPECT_EQ(config.exec->cluster->server, "https://h");
  EXPECT_EQ(config.exec->cluster->config_json, R"({"a":1,"b":["x",true],"c":"1"})");
}

TEST_F(ConfigTest, AnonymousUserAndBareServer) {
  const Config config = good("server: 'localhost:8080'", "");
  EXPECT_EQ(config.server, "http://localhost:8080");
  EXPECT_EQ(good("server: 'h:6443', insecure-skip-tls-verify: true", "").server, "https://h:6443");
}

struct Bad {
  const char* name;
  std::string content;
  std::vector<std::string> says;  // every part is in the one line
};

class BadConfig : public ConfigTest, public testing::WithParamInterface<Bad> {};

TEST_P(BadConfig, GivesOneLineWithFileAndField) {
  const std::string message = problem(GetParam().content);
  EXPECT_THAT(message, HasSubstr(dir.path("config")));
  for (const std::string& part : GetParam().says) EXPECT_THAT(message, HasSubstr(part));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(message.find("secret"), std::string::npos) << "a secret in a message";
}

const std::string kServer = "server: 'https://h'";

INSTANTIATE_TEST_SUITE_P(
    All, BadConfig,
    testing::Values(
        Bad{"Empty", "", {"current-context is not set"}}, Bad{"NotYaml", "a: [1,\nb: }", {"line 2"}},
        Bad{"List", "- a\n- b\n", {"must be a mapping"}}, Bad{"Text", "hello", {"must be a mapping"}},
        Bad{"UnknownContext", "current-context: x\n", {"there is no context \"x\""}},
        Bad{"UnknownCluster",
            "current-context: c\ncontexts:\n- name: c\n  context: {cluster: z}\n",
            {"contexts[c].context.cluster", "there is no cluster \"z\"", "line 4"}},
        Bad{"UnknownUser",
            "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: z}}]\nclusters: [{name: k, cluster: {server: "
            "'https://h'}}]\n",
            {"contexts[c].context.user", "there is no user \"z\""}},
        Bad{"NoServer", kubeconfig("", ""), {"clusters[k].cluster.server", "is missing"}},
        Bad{"ServerIsNoUrl", kubeconfig("server: 'ftp://h'", ""), {"no http or https URL"}},
        Bad{"ServerWithoutHost", kubeconfig("server: 'https://'", ""), {"no http or https URL"}},
        Bad{"ServerWithQuery", kubeconfig("server: 'https://h?a=b'", ""), {"must have no user, query or fragment"}},
        Bad{"ServerIsAList", kubeconfig("server: [a]", ""), {"clusters[k].cluster.server", "must be a string", "line 9"}},
        Bad{"ProxyIsNoUrl",
            kubeconfig(kServer + ", proxy-url: 'ftp://user:secret@p'", ""),
            {"clusters[k].cluster.proxy-url", "is no http, https or socks5 URL", "line 9"}},
        Bad{"ProxyWithoutHost", kubeconfig(kServer + ", proxy-url: 'http://'", ""), {"cluster.proxy-url", "has no host"}},
        Bad{"InsecureIsNoBool",
            kubeconfig(kServer + ", insecure-skip-tls-verify: perhaps", ""),
            {"insecure-skip-tls-verify", "true or false"}},
        Bad{"CaFileMissing",
            kubeconfig(kServer + ", certificate-authority: no.crt", ""),
            {"certificate-authority", "no.crt", "No such file"}},
        Bad{"CaFileIsADirectory",
            kubeconfig(kServer + ", certificate-authority: /etc", ""),
            {"certificate-authority", "is a directory"}},
        Bad{"CaIsNoCertificate",
            kubeconfig(kServer + ", certificate-authority: config", ""),
            {"certificate-authority", "no readable PEM"}},
        Bad{"CaIsNoBase64",
            kubeconfig(kServer + ", certificate-authority-data: '%%'", ""),
            {"certificate-authority-data", "is no base64"}},
        Bad{"CaBesideInsecure",
            kubeconfig(kServer +
                           ", insecure-skip-tls-verify: true, certificate-authority-data: " + base64_encode(pair().certificate),
                       ""),
            {"certificate-authority-data", "must be absent"}},
        Bad{"TokenFileMissing", kubeconfig(kServer, "tokenFile: no-token"), {"users[u].user.tokenFile", "no-token"}},
        Bad{"KeyMissing",
            kubeconfig(kServer, "client-certificate-data: " + base64_encode(pair().certificate)),
            {"client-key", "is missing"}},
        Bad{"CertificateMissing",
            kubeconfig(kServer, "client-key-data: " + base64_encode(pair().key)),
            {"client-certificate", "is missing"}},
        Bad{"KeyOfAnother",
            kubeconfig(kServer, "client-certificate-data: " + base64_encode(pair().certificate) +
                                    ", client-key-data: " + base64_encode(test::make_key_pair().key)),
            {"users[u].user", "does not belong"}},
        Bad{"AuthProvider", kubeconfig(kServer, "auth-provider: {name: gcp}"), {"auth-provider", "not supported"}},
        Bad{"ExecWithoutCommand",
            kubeconfig(kServer, "exec: {apiVersion: client.authentication.k8s.io/v1}"),
            {"exec.command", "is missing"}},
        Bad{"ExecOldVersion",
            kubeconfig(kServer, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"),
            {"exec.apiVersion"}},
        Bad{"ExecInteractive",
            kubeconfig(kServer, "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}"),
            {"interactiveMode"}},
        Bad{"ImpersonationWithoutUser", kubeconfig(kServer, "as-groups: [g]"), {"users[u].user.as", "is missing"}},
        Bad{"TokenIsAMap", kubeconfig(kServer, "token: {a: secret}"), {"users[u].user.token", "must be a string"}},
        Bad{"UsersIsAMap",
            "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: "
            "'https://h'}}]\n"
            "users: {u: {}}\n",
            {"users", "must be a list"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(ConfigTest, MissingFileIsNamed) {
  const auto config = load_config({.kubeconfig = "/no/such/file", .environment = variables({})});
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message, "kubeconfig /no/such/file: No such file or directory");
}

TEST_F(ConfigTest, AnyPrefixOfAKubeconfigIsNoCrash) {
  const std::string whole = kubeconfig(kServer + ", certificate-authority-data: " + base64_encode("x"), "token: secret");
  for (std::size_t size = 0; size < whole.size(); ++size) (void)load(whole.substr(0, size));
}

// --- several files --------------------------------------------------------------------------------------------------

TEST_F(ConfigTest, FirstFileThatNamesAThingDecidesIt) {
  const std::string a = dir.write("a", "clusters:\n- name: k\n  cluster: {server: 'https://first'}\n");
  const std::string b = dir.write(
      "sub/b",
      "current-context: c\nclusters:\n- name: k\n  cluster: {server: 'https://second', insecure-skip-tls-verify: true}\n"
      "users:\n- name: u\n  user: {tokenFile: tok}\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n");
  const std::string c = dir.write("c", "current-context: other\n");
  dir.write("sub/tok", "x");
  std::vector<std::string> warnings;
  const base::log::Capture capture(
      [&](base::log::Level, std::string_view, const std::string& line) { warnings.push_back(line); });
  const auto config = load_config({.environment = variables({{"KUBECONFIG", a + ":/no/such::" + b + ":" + c}})});
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->server, "https://first");
  EXPECT_FALSE(config->insecure) << "entries are taken whole, not field by field";
  EXPECT_EQ(config->token_file, dir.path("sub/tok"));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("/no/such"));
}

TEST_F(ConfigTest, OrderOfSources) {
  const std::string flag = dir.write("flag", kubeconfig("server: 'https://flag'", ""));
  const std::string variable = dir.write("variable", kubeconfig("server: 'https://variable'", ""));
  dir.write(".kube/config", kubeconfig("server: 'https://home'", ""));
  dir.write("sa/token", "t\n");
  dir.write("sa/ca.crt", pair().certificate);
  dir.write("sa/namespace", "mine");
  std::map<std::string, std::string> all{{"KUBECONFIG", variable},
                                         {"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                                         {"KUBERNETES_SERVICE_PORT", "443"},
                                         {"HOME", dir.path()}};
  const auto server = [&](ConfigSource source) {
    source.environment = variables(all);
    source.service_account_dir = dir.path("sa");
    const auto config = load_config(source);
    return config ? config->server : config.error().message;
  };
  EXPECT_EQ(server({.kubeconfig = flag}), "https://flag");
  EXPECT_EQ(server({.kubeconfig = flag, .master = "https://master:1"}), "https://master:1");
  EXPECT_EQ(server({}), "https://variable");
  all.erase("KUBECONFIG");
  EXPECT_EQ(server({}), "https://10.0.0.1:443");
  all["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(server({}), "https://[fd00::1]:443");
  all.erase("KUBERNETES_SERVICE_HOST");
  EXPECT_EQ(server({}), "https://home");
  all["HOME"] = dir.path("nowhere");
  EXPECT_EQ(server({.master = "http://only:8080"}), "http://only:8080");
  EXPECT_THAT(server({}), HasSubstr("no way to an API server"));
  EXPECT_THAT(server({.master = "nonsense://x"}), HasSubstr("--master: server \"nonsense://x\""));
  all["KUBECONFIG"] = "/gone/1:/gone/2";
  const base::log::Capture capture([](base::log::Level, std::string_view, const std::string&) {});
  EXPECT_EQ(server({}), "KUBECONFIG: none of its files exists: /gone/1:/gone/2");
}

TEST_F(ConfigTest, InClusterNamesWhatIsMissing) {
  ConfigSource source{.environment = variables({{"KUBERNETES_SERVICE_HOST", "h"}, {"KUBERNETES_SERVICE_PORT", "1"}})};
  source.service_account_dir = dir.path("sa");
  EXPECT_THAT(load_config(source).error().message, HasSubstr(dir.path("sa/token")));
  dir.write("sa/token", "t");
  EXPECT_THAT(load_config(source).error().message, HasSubstr(dir.path("sa/ca.crt")));
  dir.write("sa/ca.crt", pair().certificate);
  const auto config = load_config(source);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->ns, "default");
  EXPECT_EQ(config->token_file, dir.path("sa/token"));
}

TEST(SystemCa, IsFoundExplicitly) {
  EXPECT_EQ(system_ca_file(variables({{"SSL_CERT_FILE", "/x"}})), "/x");
  EXPECT_EQ(system_ca_file(variables({})),
            "/etc/ssl/certs/ca-certificates.crt");  // of Debian's ca-certificates, which curl depends on
}

TEST(Base64, RoundTrips) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_decode("Zm9v\nYmE="), "fooba");
  for (const char* bad : {"a", "ab", "abc", "=abc", "ab=c", "a!bc", "ab==="}) EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace kruise::client
