// The flags by name: kind, default and meaning. What they do is decided in flags.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kruise::main {

enum class FlagKind : std::uint8_t {
  kBool,
  kText,
  kAddress,
  kInt,
  kCount,     // a whole number, not negative
  kPositive,  // a whole number from 1
  kFloat,
  kDuration,  // Go's form, not negative
  kPositiveDuration,
  kOptionalDuration,  // may be empty
  kFormat,            // text or json
  kLock,              // leases, configmaps, configmapsleases
  kSeverity,          // 0…3 or INFO…FATAL
  kModules,           // pattern=N,…
  kPlace,             // file:line
  kBytes,             // a quantity
};

struct FlagRow {
  std::string_view name;
  FlagKind kind;
  std::string_view value;  // default
  std::string_view help;
};

/// The controllers whose workers have a flag.
inline constexpr std::string_view kWorkerFlags[] = {
    "advancedcronjob",      "broadcastjob",       "cloneset",         "daemonset",    "imagepulljob",         "nodeimage",
    "sidecarset",           "statefulset",        "uniteddeployment", "crr",          "podunavailablebudget", "workloadspread",
    "resourcedistribution", "persistentpodstate", "podprobemarker",   "nodepodprobe", "sidecarterminator",
};

[[nodiscard]] std::span<const FlagRow> flag_table();

}  // namespace kruise::main
