#include "main/flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kruise::main {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ManagerFlags parsed(const std::vector<std::string>& arguments) {
  auto flags = parse_manager_flags(arguments);
  EXPECT_TRUE(flags.ok()) << (flags.ok() ? "" : flags.error().text);
  return flags.ok() ? flags.value() : ManagerFlags{};
}

// Manager §12.1.
TEST(Flags, EachParsesInBothForms) {
  for (const FlagInfo& flag : manager_flags()) {
    const std::string name = "--" + flag.name;
    EXPECT_TRUE(parse_manager_flags({name + "=" + flag.default_value}).ok()) << name;
    if (flag.is_bool) {
      EXPECT_TRUE(parse_manager_flags({name}).ok()) << name;
      EXPECT_TRUE(parse_manager_flags({name + "=F"}).ok()) << name;
    } else {
      EXPECT_TRUE(parse_manager_flags({name, flag.default_value}).ok()) << name;
      EXPECT_FALSE(parse_manager_flags({name}).ok()) << name << " without a value";
    }
  }
}

TEST(Flags, Defaults) {
  const auto flags = parsed({});
  EXPECT_EQ(flags.metrics_addr, (runtime::ListenAddress{"", 8080}));
  EXPECT_EQ(flags.health_probe_addr, (runtime::ListenAddress{"", 8000}));
  EXPECT_FALSE(flags.pprof_addr);
  EXPECT_TRUE(flags.leader_election);
  EXPECT_EQ(flags.election.ns, "kruise-system");
  EXPECT_EQ(flags.election.name, "kruise-manager");
  EXPECT_FALSE(flags.rate);
  EXPECT_EQ(flags.workers.at("cloneset"), 3);
  EXPECT_EQ(flags.resync, 10h);
  EXPECT_EQ(flags.gates, runtime::Gates());
}

TEST(Flags, LaterOnesWinAndGatesMerge) {
  EXPECT_EQ(parsed({"--cloneset-workers=5", "--cloneset-workers", "7"}).workers.at("cloneset"), 7);
  const auto flags =
      parsed({"--feature-gates=CloneSetShortHash=true,PodIndexLabel=false", "--feature-gates", "PodIndexLabel=true"});
  EXPECT_TRUE(flags.gates.enabled(runtime::Gate::kCloneSetShortHash));
  EXPECT_TRUE(flags.gates.enabled(runtime::Gate::kPodIndexLabel));
}

TEST(Flags, VerbosityInEveryForm) {
  for (const std::vector<std::string>& form : {std::vector<std::string>{"-v=4"}, {"-v", "4"}, {"-v4"}, {"--v=4"}, {"--v", "4"}}) {
    EXPECT_EQ(parsed(form).log.verbosity, 4) << form.front();
  }
}

TEST(Flags, Addresses) {
  EXPECT_FALSE(parsed({"--metrics-addr=0"}).metrics_addr);
  EXPECT_EQ(parsed({"--metrics-addr="}).metrics_addr, (runtime::ListenAddress{"", 8080}));
  EXPECT_FALSE(parsed({"--health-probe-addr="}).health_probe_addr);
  EXPECT_EQ(parsed({"--enable-pprof", "--pprof-addr=127.0.0.1:1"}).pprof_addr, (runtime::ListenAddress{"127.0.0.1", 1}));
}

TEST(Flags, LimitsHoldOnlyWhenGiven) {
  EXPECT_EQ(parsed({"--rest-config-qps=5"}).rate->qps, 5);
  EXPECT_EQ(parsed({"--rest-config-qps=5"}).rate->burst, 50);
  EXPECT_EQ(parsed({"--kube-api-burst=7"}).rate->burst, 7);
  EXPECT_EQ(parsed({"--rest-config-qps=0", "--rest-config-burst=-1"}).rate->qps, 20);
  EXPECT_EQ(parsed({"--rest-config-qps=0", "--rest-config-burst=-1"}).rate->burst, 30);
}

TEST(Flags, Resync) {
  EXPECT_EQ(parsed({"--sync-period="}).resync, 10h);
  EXPECT_EQ(parsed({"--sync-period=90m"}).resync, 90min);
  EXPECT_FALSE(parsed({"--sync-period=0"}).resync);
}

TEST(Flags, HelpIsNoError) {
  for (const char* form : {"-h", "--help"}) {
    const auto help = parse_manager_flags({"--v=1", form});
    ASSERT_FALSE(help.ok());
    EXPECT_EQ(help.error().status, 0);
    EXPECT_TRUE(help.error().to_stdout);
    for (const FlagInfo& flag : manager_flags()) EXPECT_THAT(help.error().text, HasSubstr("--" + flag.name));
  }
}

TEST(Flags, TheVersionIsNoError) {
  const auto version = parse_manager_flags({"--version", "--unknown"});
  ASSERT_FALSE(version.ok());
  EXPECT_EQ(version.error().status, 0);
  EXPECT_TRUE(version.error().to_stdout);
  EXPECT_THAT(version.error().text, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

struct Wrong {
  std::vector<std::string> arguments;
  const char* says;
};

TEST(Flags, WrongOnesAreNamed) {
  for (const Wrong& c : {
           Wrong{{"--no-such-flag"}, "unknown flag: --no-such-flag\n"},
           Wrong{{"--metric-addr=:1"}, "unknown flag: --metric-addr (did you mean --metrics-addr?)\n"},
           Wrong{{"--leader-election=false"}, "unknown flag: --leader-election (did you mean --leader-election-id?)\n"},
           Wrong{{"--x"}, "unknown flag: --x\n"},
           Wrong{{"--="}, "unknown flag: --\n"},
           Wrong{{"--concurrent-cloneset-syncs=3"}, "unknown flag: --concurrent-cloneset-syncs"},
           Wrong{{"-metrics-addr=:1"}, "unknown flag: -metrics-addr=:1"},
           Wrong{{"--allow-privileged", "false"}, "unexpected argument: \"false\""},
           Wrong{{"--allow-privileged=yes"}, "--allow-privileged=yes: \"yes\" is not true or false"},
           Wrong{{"--metrics-addr=8080"}, "--metrics-addr=8080: \"8080\" is not an address"},
           Wrong{{"--health-probe-addr=:99999"}, "--health-probe-addr=:99999"},
           Wrong{{"--pprof-addr=x"}, "--pprof-addr=x"},
           Wrong{{"--rest-config-qps=fast"}, "--rest-config-qps=fast: \"fast\" is not a number"},
           Wrong{{"--rest-config-burst=1.5"}, "--rest-config-burst=1.5"},
           Wrong{{"--kube-api-qps="}, "--kube-api-qps="},
           Wrong{{"--kube-api-burst=x"}, "--kube-api-burst=x"},
           Wrong{{"--feature-gates=Nope=true"}, "unrecognized feature gate: Nope"},
           Wrong{{"--feature-gates=PodWebhook=maybe"}, "PodWebhook: \"maybe\""},
           Wrong{{"--rate-limiter-base-delay=5"}, "--rate-limiter-base-delay=5: \"5\" is not a duration"},
           Wrong{{"--rate-limiter-max-delay=-1s"}, "--rate-limiter-max-delay=-1s: \"-1s\" must be positive"},
           Wrong{{"--rate-limiter-max-delay=1ms"},
                 "--rate-limiter-max-delay=1ms must not be shorter than --rate-limiter-base-delay=5ms"},
           Wrong{{"--rate-limiter-qps=0"}, "--rate-limiter-qps=0"},
           Wrong{{"--rate-limiter-bucket-size=x"}, "--rate-limiter-bucket-size=x"},
           Wrong{{"--expectation-timeout=0s"}, "--expectation-timeout=0s"},
           Wrong{{"--cloneset-workers=0"}, "--cloneset-workers=0: \"0\" must be at least 1"},
           Wrong{{"--crr-workers=-3"}, "--crr-workers=-3"},
           Wrong{{"--sync-period=often"}, "--sync-period=often: \"often\" is not a duration"},
           Wrong{{"--controller-cache-sync-timeout=0"}, "--controller-cache-sync-timeout=0"},
           Wrong{{"--daemonset-extra-allowed-pod-number=-1"}, "--daemonset-extra-allowed-pod-number=-1"},
           Wrong{{"--leader-election-resource-lock=endpoints"}, "--leader-election-resource-lock=endpoints"},
           Wrong{{"--leader-election-id="}, "--leader-election-id="},
           Wrong{{"--leader-election-lease-duration=10s"},
                 "--leader-election-lease-duration=10s must be longer than --leader-election-renew-deadline=10s"},
           Wrong{{"--leader-election-renew-deadline=2400ms"},
                 "--leader-election-renew-deadline=2400ms must be longer than 1.2 times --leader-election-retry-period=2s"},
           Wrong{{"--leader-election-retry-period=0s"}, "--leader-election-retry-period=0s"},
           Wrong{{"--default-ttlseconds-for-always-nodeimage=2678401"}, "--default-ttlseconds-for-always-nodeimage=2678401"},
           Wrong{{"--webhook-initialize-timeout=x"}, "--webhook-initialize-timeout=x"},
           Wrong{{"--nodeimage-creation-delay=x"}, "--nodeimage-creation-delay=x"},
           Wrong{{"--metrics-addr=:9000", "--health-probe-addr=127.0.0.1:9000"},
                 "--health-probe-addr=127.0.0.1:9000 has the port of --metrics-addr=:9000"},
           Wrong{{"--enable-pprof", "--pprof-addr=:8080"}, "--pprof-addr=:8080 has the port of --metrics-addr=:8080"},
           Wrong{{"--v=high"}, "--v=high"},
           Wrong{{"-v=high"}, "--v=high"},
           Wrong{{"--logging-format=xml"}, "--logging-format=xml"},
           Wrong{{"--stderrthreshold=9"}, "--stderrthreshold=9"},
           Wrong{{"--vmodule=a"}, "--vmodule=a"},
           Wrong{{"--log_backtrace_at=a"}, "--log_backtrace_at=a"},
           Wrong{{"--log_file_max_size=x"}, "--log_file_max_size=x"},
           Wrong{{"--log-flush-frequency=x"}, "--log-flush-frequency=x"},
           Wrong{{"--log-json-info-buffer-size=x"}, "--log-json-info-buffer-size=x"},
           Wrong{{"--log-text-info-buffer-size=-1"}, "--log-text-info-buffer-size=-1"},
       }) {
    const auto flags = parse_manager_flags(c.arguments);
    ASSERT_FALSE(flags.ok()) << c.says;
    EXPECT_EQ(flags.error().status, 2) << c.says;
    EXPECT_FALSE(flags.error().to_stdout);
    EXPECT_THAT(flags.error().text, StartsWith("kruise-manager: "));
    EXPECT_THAT(flags.error().text, HasSubstr(c.says));
    EXPECT_THAT(flags.error().text, HasSubstr("\nUsage: kruise-manager "));
    EXPECT_THAT(flags.error().text, EndsWith("...\nkruise-manager --help lists the flags.\n"));
  }
}

TEST(Flags, EachCheckedKindRefusesSomething) {
  for (const FlagInfo& flag : manager_flags()) {
    const std::string nonsense = flag.is_bool ? "maybe" : "\x01=";
    const bool takes_any_text = parse_manager_flags({"--" + flag.name + "=" + nonsense}).ok();
    static const std::set<std::string> kTexts{"kubeconfig",
                                              "master",
                                              "namespace",
                                              "leader-election-namespace",
                                              "leader-election-id",
                                              "protection-log-path",
                                              "ws-enabled-versioned-status",
                                              "log_dir",
                                              "log_file"};
    EXPECT_EQ(takes_any_text, kTexts.contains(flag.name)) << flag.name;
  }
}

}  // namespace
}  // namespace kruise::main
