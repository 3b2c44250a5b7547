// The command line of kruise-manager, as manifests written for OpenKruise use it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/gates.hpp"
#include "runtime/http_listener.hpp"
#include "runtime/leader_elector.hpp"
#include "runtime/work_queue.hpp"

namespace kruise::main {

/// All values checked, alone and against each other.
struct ManagerFlags {
  std::optional<runtime::ListenAddress> metrics_addr;  // absent: no such listener
  std::optional<runtime::ListenAddress> health_probe_addr;
  std::optional<runtime::ListenAddress> pprof_addr;
  std::string kubeconfig;
  std::string master;
  std::string ns;  // caches of namespaced kinds are restricted to it

  bool leader_election = true;
  runtime::LeaderElector::Options election;  // identity still empty; an empty namespace means the pod's own

  struct Rate {
    double qps = 30;
    int burst = 50;
  };
  std::optional<Rate> rate;  // only when asked for

  runtime::Gates gates;
  runtime::BackOff back_off;
  std::map<std::string, int> workers;  // by the word before "-workers"
  base::Duration expectation_timeout = std::chrono::minutes(5);
  std::optional<base::Duration> resync = std::chrono::hours(10);  // absent: never
  base::Duration cache_sync_timeout = std::chrono::minutes(2);
  bool cloneset_scaling_exclude_preparing_delete = false;
  base::log::Options log;
  /// Said in the log once it is configured.
  std::vector<std::string> notes;
};

/// Why there are no flags to run with: print `text` and exit.
struct Exit {
  int status = 2;
  std::string text;
  bool to_stdout = false;
};

/// `arguments` without the program's name; `custom_resource_enable` is the environment variable of that name.
[[nodiscard]] base::Result<ManagerFlags, Exit> parse_manager_flags(const std::vector<std::string>& arguments,
                                                                   const std::optional<std::string>& custom_resource_enable = {});

/// Every flag's name and default, as the usage shows them.
struct FlagInfo {
  std::string name;
  std::string default_value;
  bool is_bool = false;
};
[[nodiscard]] std::vector<FlagInfo> manager_flags();

}  // namespace kruise::main
