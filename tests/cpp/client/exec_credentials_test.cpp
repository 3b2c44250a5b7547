#include "client/exec_credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/certificates.hpp"

namespace kruise::client {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kV1 = "client.authentication.k8s.io/v1";

class RunExec : public testing::Test {
 protected:
  ExecConfig program(const std::string& script) {
    ExecConfig config;
    config.api_version = kV1;
    config.command = dir.write("helper", "#!/bin/sh\n" + script, true);
    return config;
  }
  test::TempDir dir;
};

TEST_F(RunExec, GivesTokenAndExpiry) {
  ExecConfig config = program(R"(
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'"$1-$STAGE"'","expirationTimestamp":"2030-01-01T00:00:00Z"}}')");
  config.args = {"my token"};
  config.env = {{"STAGE", "prod"}};
  const auto credential = run_exec(config);
  ASSERT_TRUE(credential.ok()) << credential.error().message;
  EXPECT_EQ(credential->token, "my token-prod");
  EXPECT_EQ(credential->expires, base::parse_time("2030-01-01T00:00:00Z"));
}

TEST_F(RunExec, TellsTheClusterWhenAsked) {
  ExecConfig config = program("printf %s \"$KUBERNETES_EXEC_INFO\" > " + dir.path("seen") + "\nexit 1");
  (void)run_exec(config);
  EXPECT_EQ(dir.read("seen"),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
  config.cluster = ExecClusterInfo{"https://h", "t", "PEM", false, "", R"({"a":1})"};
  (void)run_exec(config);
  EXPECT_THAT(
      dir.read("seen"),
      HasSubstr(
          R"("cluster":{"server":"https://h","tls-server-name":"t","certificate-authority-data":"UEVN","config":{"a":1}})"));
}

TEST_F(RunExec, ShowsWhatTheProgramSaid) {
  const auto failed = run_exec(program("echo login >&2; echo first >&2; exit 7"));
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, HasSubstr("exited with status 7: login first"));
  EXPECT_THAT(failed.error().message, HasSubstr(dir.path("helper")));
}

TEST_F(RunExec, NotInstalledShowsTheHint) {
  ExecConfig config;
  config.command = "/no/such/helper";
  config.install_hint = "see\nexample.com";
  EXPECT_THAT(run_exec(config).error().message, HasSubstr("was not found (see example.com)"));
}

TEST_F(RunExec, HasATimeLimit) {
  EXPECT_THAT(run_exec(program("sleep 600"), 50ms).error().message, HasSubstr("ran too long and was ended"));
}

struct Case {
  const char* name;
  std::string output;
  const char* says;
};

class BadExecOutput : public testing::TestWithParam<Case> {};

TEST_P(BadExecOutput, IsATypedError) {
  const auto credential = parse_exec_credential(GetParam().output, kV1);
  ASSERT_FALSE(credential.ok());
  EXPECT_THAT(credential.error().message, HasSubstr(GetParam().says));
  EXPECT_EQ(credential.error().message.find("hidden"), std::string::npos) << "a credential in a message";
}

std::string answer(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":")" + kV1 + R"(",)" + status + "}";
}

INSTANTIATE_TEST_SUITE_P(
    All, BadExecOutput,
    testing::Values(Case{"Empty", "", "no JSON object"}, Case{"Cut", R"({"kind":"Exec)", "no JSON object"},
                    Case{"OtherKind", R"({"kind":"Pod"})", "no ExecCredential"},
                    Case{"OtherVersion", R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
                         "asked for was"},
                    Case{"NoStatus", answer(R"("x":1)"), "no status"},
                    Case{"EmptyStatus", answer(R"("status":{})"), "neither token nor"},
                    Case{"TokenOfWrongType", answer(R"("status":{"token":5})"), "neither token nor"},
                    Case{"CertificateAlone", answer(R"("status":{"clientCertificateData":"hidden"})"), "or neither"},
                    Case{"BadCertificate", answer(R"("status":{"clientCertificateData":"hidden","clientKeyData":"hidden"})"),
                         "no PEM certificate"},
                    Case{"BadExpiry", answer(R"("status":{"token":"hidden","expirationTimestamp":"soon"})"), "RFC 3339"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kruise::client
