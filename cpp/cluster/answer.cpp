#include "cluster/answer.hpp"

#include "base/json_writer.hpp"

namespace kruise::cluster {
namespace {

std::string quoted_name(const std::string& what, const std::string& name) { return what + " \"" + name + "\""; }

std::string qualified(const std::string& name, const std::string& group) { return group.empty() ? name : name + "." + group; }

StatusAnswer about(int code, std::string reason, const Subject& subject, std::string message) {
  return {.code = code,
          .reason = std::move(reason),
          .message = std::move(message),
          .name = subject.name,
          .group = subject.group,
          .kind = subject.resource};
}

StatusAnswer plain(int code, std::string reason, std::string message) {
  return about(code, std::move(reason), Subject{}, std::move(message));
}

void write_details(base::JsonWriter& w, const StatusAnswer& a) {
  w.key("details").begin_object();
  if (!a.name.empty()) w.key("name").string(a.name);
  if (!a.group.empty()) w.key("group").string(a.group);
  if (!a.kind.empty()) w.key("kind").string(a.kind);
  if (!a.uid.empty()) w.key("uid").string(a.uid);
  if (!a.causes.empty()) {
    w.key("causes").begin_array();
    for (const auto& cause : a.causes) {
      w.begin_object();
      if (!cause.reason.empty()) w.key("reason").string(cause.reason);
      if (!cause.message.empty()) w.key("message").string(cause.message);
      if (!cause.field.empty()) w.key("field").string(cause.field);
      w.end_object();
    }
    w.end_array();
  }
  if (a.retry_after_s > 0) w.key("retryAfterSeconds").integer(a.retry_after_s);
  w.end_object();
}

}  // namespace

std::string Subject::qualified_resource() const { return qualified(resource, group); }
std::string Subject::qualified_kind() const { return qualified(kind, group); }

Response answer(const StatusAnswer& a) {
  base::JsonWriter w;
  w.begin_object().key("kind").string("Status").key("apiVersion").string("v1").key("metadata").begin_object().end_object();
  w.key("status").string(a.code < 400 ? "Success" : "Failure");
  if (!a.message.empty()) w.key("message").string(a.message);
  if (!a.reason.empty()) w.key("reason").string(a.reason);
  if (!a.name.empty() || !a.group.empty() || !a.kind.empty() || !a.uid.empty() || !a.causes.empty() || a.retry_after_s > 0) {
    write_details(w, a);
  }
  if (a.code != 200) w.key("code").integer(a.code);
  w.end_object();
  return ok_json(std::move(w).text(), a.code);
}

Response ok_json(std::string body, int code) {
  return {.code = code, .body = std::move(body), .content_type = "application/json"};
}

Response not_found(const Subject& s) {
  return answer(about(404, "NotFound", s, quoted_name(s.qualified_resource(), s.name) + " not found"));
}

Response already_exists(const Subject& s, std::string_view before) {
  return answer(
      about(409, "AlreadyExists", s, std::string(before) + quoted_name(s.qualified_resource(), s.name) + " already exists"));
}

Response conflict(const Subject& s, std::string_view detail) {
  return answer(
      about(409, "Conflict", s,
            "Operation cannot be fulfilled on " + quoted_name(s.qualified_resource(), s.name) + ": " + std::string(detail)));
}

Response stale(const Subject& s) {
  return conflict(s, "the object has been modified; please apply your changes to the latest version and try again");
}

Response invalid(const Subject& s, const FieldErrors& errors) {
  auto status = about(422, "Invalid", s, quoted_name(s.qualified_kind(), s.name) + " is invalid: " + errors.text());
  status.kind = s.kind;
  status.causes = errors.causes();
  return answer(status);
}

Response bad_request(std::string message) { return answer(plain(400, "BadRequest", std::move(message))); }

Response forbidden(const Subject& s, std::string_view detail, std::vector<client::Cause> causes) {
  const std::string what = s.name.empty() ? s.qualified_resource() : quoted_name(s.qualified_resource(), s.name);
  auto status = about(403, "Forbidden", s, what + " is forbidden: " + std::string(detail));
  status.causes = std::move(causes);
  return answer(status);
}

Response method_not_supported() {
  return answer(plain(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"));
}

Response unsupported_media_type(std::string message) { return answer(plain(415, "UnsupportedMediaType", std::move(message))); }
Response not_acceptable(std::string message) { return answer(plain(406, "NotAcceptable", std::move(message))); }

Response no_such_path() { return {.code = 404, .body = "404 page not found\n", .content_type = "text/plain; charset=utf-8"}; }

Response no_such_resource() { return answer(plain(404, "NotFound", "the server could not find the requested resource")); }

Response too_large_version(std::uint64_t wanted, std::uint64_t current) {
  auto status = plain(504, "Timeout",
                      "Timeout: Too large resource version: " + std::to_string(wanted) + ", current: " + std::to_string(current));
  status.causes = {{"ResourceVersionTooLarge", "Too large resource version", ""}};
  status.retry_after_s = 1;
  return answer(status);
}

Response gone(std::string message) { return answer(plain(410, "Expired", std::move(message))); }
Response internal_error(std::string message) { return answer(plain(500, "InternalError", std::move(message))); }

Response deleted(const Subject& s) {
  auto status = about(200, "", s, "");
  status.uid = s.uid;
  return answer(status);
}

}  // namespace kruise::cluster
