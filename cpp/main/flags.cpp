#include "main/flags.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <regex>
#include <set>
#include <utility>

#include "base/version.hpp"
#include "main/flag_table.hpp"

namespace kruise::main {
namespace {

constexpr std::string_view kWorkersSuffix = "-workers";
constexpr int kWorkersDefault = 3;
constexpr int kNodeImageTtlMax = 2'678'400;

struct Flag {
  std::string name;
  FlagKind kind;
  std::string value;
  std::string help;
};

std::vector<Flag> all_flags() {
  std::vector<Flag> flags;
  for (const FlagRow& row : flag_table())
    flags.push_back({std::string(row.name), row.kind, std::string(row.value), std::string(row.help)});
  for (const auto word : kWorkerFlags) {
    flags.push_back({std::string(word) + std::string(kWorkersSuffix), FlagKind::kPositive, std::to_string(kWorkersDefault),
                     "objects that this controller works on at once"});
  }
  return flags;
}

/// What was typed, or the default.
class Values {
 public:
  explicit Values(const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) values_[flag.name] = flag.value;
  }
  [[nodiscard]] std::string& text(std::string_view name) { return values_.find(name)->second; }
  [[nodiscard]] const std::string& text(std::string_view name) const { return values_.find(name)->second; }
  [[nodiscard]] bool on(std::string_view name) const { return text(name) == "true"; }
  [[nodiscard]] int number(std::string_view name) const {
    const std::string& value = text(name);
    int number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
  }
  [[nodiscard]] double real(std::string_view name) const { return std::strtod(text(name).c_str(), nullptr); }
  [[nodiscard]] base::Duration duration(std::string_view name) const {
    return base::parse_go_duration(text(name)).value_or(base::Duration{0});
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// Values, each by itself.
// ---------------------------------------------------------------------------------------------------------

std::optional<std::string> whole_number(const std::string& value, int from) {
  int number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  if (read.ec != std::errc{} || read.ptr != value.data() + value.size()) return "is not a whole number";
  if (number < from) return "must be at least " + std::to_string(from);
  return std::nullopt;
}

std::optional<std::string> duration(const std::string& value, base::Duration from) {
  const auto parsed = base::parse_go_duration(value);
  if (!parsed) return "is not a duration such as 1m30s";
  if (*parsed < from) return from > base::Duration{0} ? "must be positive" : "must not be negative";
  return std::nullopt;
}

std::optional<std::string> matches(const std::string& value, const char* pattern, const char* otherwise) {
  if (std::regex_match(value, std::regex(pattern))) return std::nullopt;
  return otherwise;
}

/// Go's spellings of a boolean, brought to true and false.
std::optional<std::string> normalise_bool(std::string& value) {
  static const std::set<std::string_view> kTrue{"1", "t", "T", "TRUE", "true", "True"};
  static const std::set<std::string_view> kFalse{"0", "f", "F", "FALSE", "false", "False"};
  if (!kTrue.contains(value) && !kFalse.contains(value)) return "is not true or false";
  value = kTrue.contains(value) ? "true" : "false";
  return std::nullopt;
}

std::optional<std::string> fault(FlagKind kind, std::string& value) {
  using enum FlagKind;
  constexpr base::Duration kNone{0};
  constexpr base::Duration kLeast{1};
  switch (kind) {
    case kText:
      return std::nullopt;
    case kBool:
      return normalise_bool(value);
    case kAddress:
      if (value.empty() || value == "0" || runtime::parse_listen_address(value)) return std::nullopt;
      return "is not an address such as :8080 or 127.0.0.1:8080";
    case kInt:
      return whole_number(value, std::numeric_limits<int>::min());
    case kCount:
      return whole_number(value, 0);
    case kPositive:
      return whole_number(value, 1);
    case kFloat:
      return matches(value, R"([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)", "is not a number");
    case kDuration:
      return duration(value, kNone);
    case kPositiveDuration:
      return duration(value, kLeast);
    case kOptionalDuration:
      return value.empty() ? std::nullopt : duration(value, kNone);
    case kFormat:
      return matches(value, "text|json", "is neither text nor json");
    case kLock:
      return matches(value, "leases|configmaps|configmapsleases", "is none of leases, configmaps, configmapsleases");
    case kSeverity:
      return matches(value, "[0-3]|INFO|WARNING|ERROR|FATAL", "is none of INFO, WARNING, ERROR, FATAL");
    case kModules:
      return matches(value, R"(([^=,]+=\d+(,[^=,]+=\d+)*,?)?)", "is not of the form pattern=N,...");
    case kPlace:
      return matches(value, R"((.*:\d+)?)", "is not of the form file:line");
    case kBytes:
      return matches(value, R"(\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?)", "is not a quantity such as 64Ki");
  }
  return std::nullopt;
}

// argv, by name.
// -----------------------------------------------------------------------------------------------------------------------

struct Typed {
  std::string name;
  std::string value;
};

/// How many letters have to be added, taken away or changed to make one word the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// The flag that was probably meant; nothing where none is near.
std::string meant(std::string_view name, const std::vector<Flag>& flags) {
  const auto away = [&](const Flag& flag) { return distance(name, flag.name); };
  const auto nearest = std::ranges::min_element(flags, {}, away);
  if (nearest == flags.end() || away(*nearest) > name.size() / 3) return "";
  return " (did you mean --" + nearest->name + "?)";
}

/// Everything typed, in order. Asking for help or the version ends it.
base::Result<std::vector<Typed>, std::string> read_arguments(const std::vector<std::string>& arguments,
                                                             const std::vector<Flag>& flags) {
  std::vector<Typed> typed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string argument = arguments[i];
    if (argument == "-h" || argument == "--help" || argument == "--version") {
      typed.push_back({argument == "--version" ? "version" : "help", ""});
      return typed;
    }
    if (argument.starts_with("-v") && !argument.starts_with("--")) {  // -v=2, -v 2, -v2
      argument = "--v" + std::string(argument.size() > 2 && argument[2] != '=' ? "=" : "") + argument.substr(2);
    }
    if (!argument.starts_with("--")) {
      if (argument.starts_with('-') && argument.size() > 1) return "unknown flag: " + argument + " (flags begin with two dashes)";
      return "unexpected argument: \"" + argument + "\" (a boolean is written --name=false)";
    }
    const auto equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; });
    if (flag == flags.end()) return "unknown flag: --" + name + meant(name, flags);
    if (equals != std::string::npos) {
      typed.push_back({name, argument.substr(equals + 1)});
    } else if (flag->kind == FlagKind::kBool) {
      typed.push_back({name, "true"});
    } else if (i + 1 < arguments.size()) {
      typed.push_back({name, arguments[++i]});
    } else {
      return "flag needs a value: --" + name;
    }
  }
  return typed;
}

constexpr const char* kUsage = "Usage: kruise-manager [--FLAG=VALUE | --FLAG VALUE | --BOOLEAN]...\n";

std::string help(const std::vector<Flag>& flags) {
  constexpr std::size_t kColumn = 46;
  std::string text = std::string("Runs the controllers of kruise.\n\n") + kUsage + "\nFlags:\n";
  for (const Flag& flag : flags) {
    std::string line = (flag.name.size() == 1 ? "  -" + flag.name + ", --" : "  --") + flag.name;
    if (flag.kind != FlagKind::kBool) line += " VALUE";
    line.resize(std::max(kColumn, line.size() + 2), ' ');
    line += flag.help;
    if (!flag.value.empty()) line += " (" + flag.value + ")";
    text += line + "\n";
  }
  return text + "  -h, --help\n      --version\n";
}

// Flags against each other.
// -------------------------------------------------------------------------------------------------------

std::string said(const Values& values, std::string_view name) { return "--" + std::string(name) + "=" + values.text(name); }

std::optional<std::string> contradiction(const Values& values, const ManagerFlags& flags) {
  const auto lease = values.duration("leader-election-lease-duration");
  const auto renew = values.duration("leader-election-renew-deadline");
  const auto retry = values.duration("leader-election-retry-period");
  if (lease <= renew) {
    return said(values, "leader-election-lease-duration") + " must be longer than " +
           said(values, "leader-election-renew-deadline");
  }
  if (renew * 10 <= retry * 12) {
    return said(values, "leader-election-renew-deadline") + " must be longer than 1.2 times " +
           said(values, "leader-election-retry-period");
  }
  if (values.number("default-ttlseconds-for-always-nodeimage") > kNodeImageTtlMax) {
    return said(values, "default-ttlseconds-for-always-nodeimage") + " must be at most " + std::to_string(kNodeImageTtlMax);
  }
  if (values.duration("rate-limiter-max-delay") < values.duration("rate-limiter-base-delay")) {
    return said(values, "rate-limiter-max-delay") + " must not be shorter than " + said(values, "rate-limiter-base-delay");
  }
  if (flags.election.name.empty()) return "--leader-election-id= must not be empty";
  std::map<int, std::string> ports;
  const auto listens = {std::pair{"metrics-addr", flags.metrics_addr}, std::pair{"health-probe-addr", flags.health_probe_addr},
                        std::pair{"pprof-addr", flags.pprof_addr}};
  for (const auto& [name, address] : listens) {
    if (!address || address->port == 0) continue;
    const auto [other, fresh] = ports.emplace(address->port, said(values, name));
    if (!fresh) return said(values, name) + " has the port of " + other->second;
  }
  return std::nullopt;
}

runtime::LeaderElector::Mode lock_mode(const std::string& word) {
  using enum runtime::LeaderElector::Mode;
  if (word == "configmaps") return kConfigMaps;
  return word == "leases" ? kLeases : kConfigMapsLeases;
}

/// The reference takes QPS and burst of zero or less for the client library's own defaults.
ManagerFlags::Rate rate_of(double qps, int burst) { return {qps > 0 ? qps : 20, burst > 0 ? burst : 30}; }

ManagerFlags assemble(const Values& values, const std::set<std::string>& given) {
  ManagerFlags flags;
  const auto address = [&](std::string_view name) {
    const std::string& text = values.text(name);
    return text == "0" || text.empty() ? std::nullopt : runtime::parse_listen_address(text);
  };
  flags.metrics_addr = values.text("metrics-addr").empty() ? runtime::parse_listen_address(":8080") : address("metrics-addr");
  flags.health_probe_addr = address("health-probe-addr");
  if (values.on("enable-pprof")) flags.pprof_addr = address("pprof-addr");
  if (flags.pprof_addr && !given.contains("pprof-addr"))
    flags.pprof_addr->host = "127.0.0.1";  // profiles are for those on the machine
  flags.kubeconfig = values.text("kubeconfig");
  flags.master = values.text("master");
  flags.ns = values.text("namespace");
  flags.leader_election = values.on("enable-leader-election");
  flags.election = {.identity = "",
                    .ns = values.text("leader-election-namespace"),
                    .name = values.text("leader-election-id"),
                    .mode = lock_mode(values.text("leader-election-resource-lock")),
                    .lease_duration = values.duration("leader-election-lease-duration"),
                    .renew_deadline = values.duration("leader-election-renew-deadline"),
                    .retry_period = values.duration("leader-election-retry-period")};
  const auto pick = [&](const char* name, const char* alias) { return given.contains(alias) ? alias : name; };
  const auto* qps = pick("rest-config-qps", "kube-api-qps");
  const auto* burst = pick("rest-config-burst", "kube-api-burst");
  if (given.contains(qps) || given.contains(burst)) flags.rate = rate_of(values.real(qps), values.number(burst));
  flags.back_off = {values.duration("rate-limiter-base-delay"), values.duration("rate-limiter-max-delay"),
                    static_cast<double>(values.number("rate-limiter-qps")), values.number("rate-limiter-bucket-size")};
  for (const auto word : kWorkerFlags)
    flags.workers[std::string(word)] = values.number(std::string(word) + std::string(kWorkersSuffix));
  flags.expectation_timeout = values.duration("expectation-timeout");
  if (!values.text("sync-period").empty()) {
    const auto period = values.duration("sync-period");
    flags.resync = period > base::Duration{0} ? std::optional(period) : std::nullopt;
  }
  flags.cache_sync_timeout = values.duration("controller-cache-sync-timeout");
  flags.cloneset_scaling_exclude_preparing_delete = values.on("cloneset-scaling-exclude-preparing-delete");
  flags.log.verbosity = values.number("v");
  flags.log.format = values.text("logging-format") == "json" ? base::log::Format::kJson : base::log::Format::kText;
  return flags;
}

}  // namespace

std::vector<FlagInfo> manager_flags() {
  std::vector<FlagInfo> infos;
  for (const Flag& flag : all_flags()) infos.push_back({flag.name, flag.value, flag.kind == FlagKind::kBool});
  return infos;
}

base::Result<ManagerFlags, Exit> parse_manager_flags(const std::vector<std::string>& arguments,
                                                     const std::optional<std::string>& custom_resource_enable) {
  const std::vector<Flag> flags = all_flags();
  Values values(flags);
  const auto wrong = [](const std::string& what) {
    return Exit{2, "kruise-manager: " + what + "\n" + kUsage + "kruise-manager --help lists the flags.\n"};
  };
  const auto typed = read_arguments(arguments, flags);
  if (!typed) return wrong(typed.error());
  std::set<std::string> given;
  for (const auto& [name, value] : *typed) {
    if (name == "help") return Exit{0, help(flags), true};
    if (name == "version") return Exit{0, std::string(base::version()) + "\n", true};
    std::string& known = values.text(name);
    const bool merged = name == "feature-gates" && !known.empty();
    known = merged ? known + "," + value : value;
    given.insert(name);
  }
  for (const Flag& flag : flags) {
    if (!given.contains(flag.name)) continue;
    std::string& value = values.text(flag.name);
    if (const auto what = fault(flag.kind, value)) return wrong("--" + flag.name + "=" + value + ": \"" + value + "\" " + *what);
  }
  ManagerFlags result = assemble(values, given);
  if (const auto what = contradiction(values, result)) return wrong(*what);
  auto gates = runtime::Gates::parse({values.text("feature-gates"), custom_resource_enable});
  if (!gates) return wrong("--feature-gates=" + values.text("feature-gates") + ": " + gates.error());
  result.gates = gates->gates;
  result.notes = gates->notes;
  return result;
}

}  // namespace kruise::main
