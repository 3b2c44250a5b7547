// Event (core v1): what happened to an object, for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/decode.hpp"
#include "api/meta.hpp"

namespace kruise::api {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string field_path;
  bool operator==(const ObjectReference&) const = default;
};

struct Event {
  ObjectMeta meta;
  ObjectReference about;  // .involvedObject
  std::string type;       // Normal or Warning
  std::string reason;
  std::string message;
  std::int32_t count = 0;  // how often it was seen; 0 where the writer does not count
  std::optional<base::Time> first_seen;
  std::optional<base::Time> last_seen;
  std::optional<base::Time> event_time;  // microseconds
  std::string component;                 // .source.component, .reportingComponent
  std::string host;                      // .source.host
  std::string instance;                  // .reportingInstance
  std::string action;
  bool operator==(const Event&) const = default;
};

template <>
Event decode<Event>(std::string_view json);
[[nodiscard]] std::string encode(const Event&);

}  // namespace kruise::api
