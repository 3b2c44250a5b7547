#include "bindings/fault_options.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "bindings/handles.hpp"
#include "session/connection.hpp"

namespace kruise::bindings {
namespace {

using cluster::Fault;
using cluster::RandomFaults;
using cluster::WatchFault;

template <class Table>
auto named(const Table& table, const std::string& name, const char* where) {
  const auto found = table.find(name);
  if (found == table.end()) throw session::Refused(std::string(where) + ": there is no fault named \"" + name + "\"");
  return found->second;
}

const std::map<std::string, double RandomFaults::Rates::*>& rates() {
  using Rates = RandomFaults::Rates;
  static const std::map<std::string, double Rates::*> table{
      {"refused", &Rates::refused},         {"lost_answer", &Rates::lost_answer},   {"timed_out", &Rates::timed_out},
      {"conflict", &Rates::conflict},       {"throttled", &Rates::throttled},       {"server_error", &Rates::server_error},
      {"late_answer", &Rates::late_answer}, {"watch_broken", &Rates::watch_broken}, {"watch_expired", &Rates::watch_expired},
      {"watch_error", &Rates::watch_error}, {"late_event", &Rates::late_event},     {"merged_event", &Rates::merged_event},
      {"lost_event", &Rates::lost_event}};
  return table;
}

Fault write_fault(const std::string& name, base::Duration delay) {
  static const std::map<std::string, Fault> table{
      {"refused", {.kind = Fault::Kind::kRefuse}},
      {"lost_answer", {.kind = Fault::Kind::kBreakAfterWrite}},
      {"timed_out", {.kind = Fault::Kind::kBreakAfterWrite, .silence = cluster::kAnswerTimeout}},
      {"conflict", {.kind = Fault::Kind::kAnswer, .code = 409}},
      {"invalid", {.kind = Fault::Kind::kAnswer, .code = 422}},
      {"throttled", {.kind = Fault::Kind::kAnswer, .code = 429}},
      {"server_error", {.kind = Fault::Kind::kAnswer, .code = 500}},
      {"late_answer", {.kind = Fault::Kind::kDelay}},
  };
  Fault fault = named(table, name, "at_write");
  if (fault.kind == Fault::Kind::kDelay) fault.delay = delay;
  return fault;
}

WatchFault event_fault(const std::string& name, base::Duration delay) {
  static const std::map<std::string, WatchFault::Kind> table{
      {"watch_broken", WatchFault::Kind::kBreak}, {"watch_expired", WatchFault::Kind::kExpire},
      {"watch_error", WatchFault::Kind::kError},  {"late_event", WatchFault::Kind::kDelay},
      {"merged_event", WatchFault::Kind::kMerge}, {"lost_event", WatchFault::Kind::kLose},
  };
  return {.kind = named(table, name, "at_event"), .delay = delay};
}

}  // namespace

std::shared_ptr<RandomFaults> fault_options(const std::string& text) {
  const nlohmann::json given = nlohmann::json::parse(text);
  RandomFaults::Rates drawn;
  drawn.delay_max = seconds(given.at("delay_max").get<double>());
  for (const auto& [name, rate] : given.at("rates").items()) drawn.*named(rates(), name, "faults") = rate.get<double>();
  RandomFaults::Script script;
  for (const auto& [number, name] : given.at("at_write").items())
    script.writes.emplace(std::stoull(number), write_fault(name.get<std::string>(), drawn.delay_max));
  for (const auto& [number, name] : given.at("at_event").items())
    script.events.emplace(std::stoull(number), event_fault(name.get<std::string>(), drawn.delay_max));
  return std::make_shared<RandomFaults>(given.at("seed").get<std::uint64_t>(), drawn, std::move(script));
}

}  // namespace kruise::bindings
