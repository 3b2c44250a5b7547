#include "runtime/leader_lock.hpp"

#include <nlohmann/json.hpp>

namespace kruise::runtime {
namespace {

using Json = nlohmann::json;
constexpr const char* kAnnotation = "control-plane.alpha.kubernetes.io/leader";

std::string text(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

Json parsed(std::string_view json) { return Json::parse(json, nullptr, false); }

/// The two forms differ in one name.
const char* transitions_name(LockKind kind) { return kind == LockKind::kLease ? "leaseTransitions" : "leaderTransitions"; }

Json record_json(LockKind kind, const ElectionRecord& record) {
  return {{"holderIdentity", record.holder},
          {"leaseDurationSeconds", record.lease_duration_s},
          {"acquireTime", record.acquire_time},
          {"renewTime", record.renew_time},
          {transitions_name(kind), record.transitions}};
}

}  // namespace

const api::Resource& resource_of(LockKind kind) { return kind == LockKind::kLease ? api::kLeases : api::kConfigMaps; }

std::string lock_time(LockKind kind, base::Time t) {
  return kind == LockKind::kLease ? base::format_micro_time(t) : base::format_time(t);
}

std::optional<ElectionRecord> read_lock(LockKind kind, std::string_view object_json) {
  const Json object = parsed(object_json);
  if (!object.is_object()) return std::nullopt;
  Json record;
  if (kind == LockKind::kLease) {
    record = object.value("spec", Json());
  } else {
    const Json annotations = object.value("metadata", Json::object()).value("annotations", Json());
    if (annotations.is_object()) record = parsed(text(annotations, kAnnotation));
  }
  if (!record.is_object()) return std::nullopt;
  return ElectionRecord{text(record, "holderIdentity"), number(record, "leaseDurationSeconds"), text(record, "acquireTime"),
                        text(record, "renewTime"), number(record, transitions_name(kind))};
}

std::string write_lock(LockKind kind, std::string_view ns, std::string_view name, const std::optional<std::string>& object_json,
                       const ElectionRecord& record) {
  Json object = object_json ? parsed(*object_json) : Json();
  if (!object.is_object()) {
    const api::Resource& resource = resource_of(kind);
    object = {{"apiVersion", resource.api_version()}, {"kind", resource.kind}, {"metadata", {{"namespace", ns}, {"name", name}}}};
  }
  const Json written = record_json(kind, record);
  if (kind == LockKind::kLease) {
    Json& spec = object["spec"];
    if (!spec.is_object()) spec = Json::object();
    spec.update(written);
  } else {
    Json& annotations = object["metadata"]["annotations"];
    if (!annotations.is_object()) annotations = Json::object();
    annotations[kAnnotation] = written.dump();
  }
  return object.dump();
}

}  // namespace kruise::runtime
