#include "api/event.hpp"

#include "base/json_writer.hpp"

namespace kruise::api {
namespace {

void read_reference(JsonReader& in, ObjectReference& about) {
  in.object([&](std::string_view key) {
    if (key == "apiVersion") return in.read(about.api_version);
    if (key == "kind") return in.read(about.kind);
    if (key == "namespace") return in.read(about.ns);
    if (key == "name") return in.read(about.name);
    if (key == "uid") return in.read(about.uid);
    if (key == "resourceVersion") return in.read(about.resource_version);
    if (key == "fieldPath") return in.read(about.field_path);
  });
}

void write_text(base::JsonWriter& out, std::string_view key, std::string_view text) {
  if (!text.empty()) out.key(key).string(text);
}

}  // namespace

template <>
Event decode<Event>(std::string_view json) {
  Event event;
  JsonReader in(json);
  std::string reporting;
  in.object([&](std::string_view key) {
    if (key == "metadata") return read(in, event.meta);
    if (key == "involvedObject") return read_reference(in, event.about);
    if (key == "type") return in.read(event.type);
    if (key == "reason") return in.read(event.reason);
    if (key == "message") return in.read(event.message);
    if (key == "count") return in.read(event.count);
    if (key == "firstTimestamp") return in.read(event.first_seen);
    if (key == "lastTimestamp") return in.read(event.last_seen);
    if (key == "eventTime") return in.read(event.event_time);
    if (key == "action") return in.read(event.action);
    if (key == "reportingComponent") return in.read(reporting);
    if (key == "reportingInstance") return in.read(event.instance);
    if (key != "source") return;
    in.object([&](std::string_view member) {
      if (member == "component") return in.read(event.component);
      if (member == "host") return in.read(event.host);
    });
  });
  if (event.component.empty()) event.component = reporting;
  return event;
}

std::string encode(const Event& event) {
  base::JsonWriter out;
  out.begin_object().key("apiVersion").string("v1").key("kind").string("Event");
  write(out.key("metadata"), event.meta);
  out.key("involvedObject").begin_object();
  write_text(out, "apiVersion", event.about.api_version);
  write_text(out, "kind", event.about.kind);
  write_text(out, "namespace", event.about.ns);
  write_text(out, "name", event.about.name);
  write_text(out, "uid", event.about.uid);
  write_text(out, "resourceVersion", event.about.resource_version);
  write_text(out, "fieldPath", event.about.field_path);
  out.end_object();
  write_text(out, "type", event.type);
  write_text(out, "reason", event.reason);
  write_text(out, "message", event.message);
  write_text(out, "action", event.action);
  if (event.count != 0) out.key("count").integer(event.count);
  if (event.first_seen) out.key("firstTimestamp").string(base::format_time(*event.first_seen));
  if (event.last_seen) out.key("lastTimestamp").string(base::format_time(*event.last_seen));
  if (event.event_time) out.key("eventTime").string(base::format_micro_time(*event.event_time));
  out.key("source").begin_object();
  write_text(out, "component", event.component);
  write_text(out, "host", event.host);
  out.end_object();
  out.key("reportingComponent").string(event.component).key("reportingInstance").string(event.instance);
  out.end_object();
  return std::move(out).text();
}

}  // namespace kruise::api
