#include "main/flag_table.hpp"

#include <array>

namespace kruise::main {
namespace {

using enum FlagKind;

constexpr std::array kTable{
    FlagRow{"metrics-addr", kAddress, ":8080", "where metrics are served; 0 for nowhere"},
    FlagRow{"health-probe-addr", kAddress, ":8000", "where probes are answered; empty or 0 for nowhere"},
    FlagRow{"enable-pprof", kBool, "false", "serve CPU profiles under /debug/pprof/"},
    FlagRow{"pprof-addr", kAddress, ":8090", "where profiles are served; unless given, on this machine only"},
    FlagRow{"kubeconfig", kText, "", "kubeconfig file; else KUBECONFIG, the pod's service account, ~/.kube/config"},
    FlagRow{"master", kText, "", "URL of the API server, instead of the kubeconfig's"},
    FlagRow{"namespace", kText, "", "restrict caches of namespaced kinds to this namespace"},
    FlagRow{"enable-leader-election", kBool, "true", "only one of several managers acts"},
    FlagRow{"leader-election-namespace", kText, "kruise-system", "namespace of the lock; empty for the pod's own"},
    FlagRow{"leader-election-id", kText, "kruise-manager", "name of the lock"},
    FlagRow{"leader-election-resource-lock", kLock, "leases", "leases, configmaps or configmapsleases"},
    FlagRow{"leader-election-lease-duration", kPositiveDuration, "15s", "how long a silent leader is waited for"},
    FlagRow{"leader-election-renew-deadline", kPositiveDuration, "10s", "how long a leader may go on without renewing"},
    FlagRow{"leader-election-retry-period", kPositiveDuration, "2s", "between attempts to take or renew the lock"},
    FlagRow{"rest-config-qps", kFloat, "30", "requests a second of each controller; unlimited unless given"},
    FlagRow{"rest-config-burst", kInt, "50", "requests of each controller at once; unlimited unless given"},
    FlagRow{"kube-api-qps", kFloat, "30", "the same as --rest-config-qps"},
    FlagRow{"kube-api-burst", kInt, "50", "the same as --rest-config-burst"},
    FlagRow{"feature-gates", kText, "", "NAME=true|false,... ; may be repeated"},
    FlagRow{"rate-limiter-base-delay", kPositiveDuration, "5ms", "first back-off of a failing object"},
    FlagRow{"rate-limiter-max-delay", kPositiveDuration, "1000s", "longest back-off of a failing object"},
    FlagRow{"rate-limiter-qps", kPositive, "10", "retries a second of a controller"},
    FlagRow{"rate-limiter-bucket-size", kPositive, "100", "retries of a controller at once"},
    FlagRow{"expectation-timeout", kPositiveDuration, "5m",
            "how long the cache may lag behind own writes before they are read live"},
    FlagRow{"sync-period", kOptionalDuration, "", "each object is looked at anew so often; empty for 10h, 0 for never"},
    FlagRow{"controller-cache-sync-timeout", kPositiveDuration, "2m",
            "how long the first lists may take once the server answers"},
    FlagRow{"allow-privileged", kBool, "true", "privileged containers pass the validation of pod templates"},
    FlagRow{"assign-bcj-pods-by-scheduler", kBool, "true", "pods of a BroadcastJob use node affinity; false sets nodeName"},
    FlagRow{"assign-pods-by-scheduler", kBool, "true", "pods of a DaemonSet use node affinity; false sets nodeName"},
    FlagRow{"daemonset-extra-allowed-pod-number", kCount, "0", "extra pods on a node when a DaemonSet checks the fit"},
    FlagRow{"webhook-initialize-timeout", kDuration, "60s", "how long webhooks may take to come up"},
    FlagRow{"disable-no-deepcopy", kBool, "false", "no effect: cached objects are immutable"},
    FlagRow{"protection-log-path", kText, "/log", "folder of the log of prevented deletions"},
    FlagRow{"nodeimage-creation-delay", kDuration, "30s", "after a node appeared"},
    FlagRow{"default-ttlseconds-for-always-nodeimage", kCount, "300", "0 to 2678400"},
    FlagRow{"cloneset-scaling-exclude-preparing-delete", kBool, "false", "pods in PreparingDelete do not count as replicas"},
    FlagRow{"ws-enabled-versioned-status", kText, "deployment,replicaset", "kinds with a status a version in a WorkloadSpread"},
    FlagRow{"v", kInt, "0", "verbosity of the log"},
    FlagRow{"logging-format", kFormat, "text", "text or json"},
    FlagRow{"logtostderr", kBool, "true", "no effect: the log goes to stderr"},
    FlagRow{"alsologtostderr", kBool, "false", "no effect"},
    FlagRow{"stderrthreshold", kSeverity, "2", "no effect"},
    FlagRow{"vmodule", kModules, "", "no effect"},
    FlagRow{"log_dir", kText, "", "no effect"},
    FlagRow{"log_file", kText, "", "no effect"},
    FlagRow{"log_file_max_size", kCount, "1800", "no effect"},
    FlagRow{"log_backtrace_at", kPlace, ":0", "no effect"},
    FlagRow{"skip_headers", kBool, "false", "no effect"},
    FlagRow{"skip_log_headers", kBool, "false", "no effect"},
    FlagRow{"add_dir_header", kBool, "false", "no effect"},
    FlagRow{"one_output", kBool, "false", "no effect"},
    FlagRow{"log-flush-frequency", kDuration, "5s", "no effect: every line is written at once"},
    FlagRow{"log-json-split-stream", kBool, "false", "no effect"},
    FlagRow{"log-text-split-stream", kBool, "false", "no effect"},
    FlagRow{"log-json-info-buffer-size", kBytes, "0", "no effect"},
    FlagRow{"log-text-info-buffer-size", kBytes, "0", "no effect"},
};

}  // namespace

std::span<const FlagRow> flag_table() { return kTable; }

}  // namespace kruise::main
