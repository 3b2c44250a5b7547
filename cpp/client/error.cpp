#include "client/error.hpp"

#include <simdjson.h>

namespace kruise::client {
namespace {

// What is shown of a body that is no Status (a proxy's page, cut JSON).
constexpr std::size_t kForeignBodyShownMax = 256;
constexpr std::size_t kCausesMax = 100;

std::string_view reason_of_code(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 406:
      return "NotAcceptable";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 413:
      return "RequestEntityTooLarge";
    case 415:
      return "UnsupportedMediaType";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "Unknown";
  }
}

/// One printable line of a foreign body.
std::string excerpt(std::string_view body) {
  std::string line;
  for (const char c : body.substr(0, kForeignBodyShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x20 && byte < 0x7F;
    if (printable && (c != ' ' || (!line.empty() && line.back() != ' '))) {
      line += c;
    } else if (!printable && !line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (body.size() > kForeignBodyShownMax) line += "...";
  return line;
}

std::string string_at(const simdjson::dom::element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<Cause> causes_of(const simdjson::dom::element& details) {
  std::vector<Cause> causes;
  simdjson::dom::array list;
  if (details["causes"].get(list) != simdjson::SUCCESS) return causes;
  for (const simdjson::dom::element cause : list) {
    if (causes.size() == kCausesMax) break;
    causes.push_back({string_at(cause, "reason"), string_at(cause, "message"), string_at(cause, "field")});
  }
  return causes;
}

/// Fills what a Status says; false when the body is none.
bool read_status(std::string_view body, ApiError& error) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return false;
  if (string_at(root, "kind") != "Status") return false;
  error.message = string_at(root, "message");
  error.reason = string_at(root, "reason");
  std::int64_t number = 0;
  if (error.code < 400 && root["code"].get(number) == simdjson::SUCCESS && number >= 400 && number < 600)
    error.code = static_cast<int>(number);
  simdjson::dom::element details;
  if (root["details"].get(details) != simdjson::SUCCESS) return true;
  error.causes = causes_of(details);
  if (!error.retry_after && details["retryAfterSeconds"].get(number) == simdjson::SUCCESS && number > 0) {
    error.retry_after = std::chrono::seconds(std::min<std::int64_t>(number, 3600));
  }
  return true;
}

}  // namespace

std::string ApiError::text() const {
  std::string text = message.empty() ? "the server gave no message" : message;
  text += " (";
  if (code != 0) text += std::to_string(code) + " ";
  return text + (reason.empty() ? "Unknown" : reason) + ")";
}

ApiError error_from_status(int http_code, std::string_view body, std::optional<base::Duration> retry_after) {
  ApiError error;
  error.code = http_code;
  error.retry_after = retry_after;
  if (!read_status(body, error)) error.message = excerpt(body);
  if (error.code < 400) error.code = 500;  // an ERROR event that says nothing
  if (error.reason.empty()) error.reason = reason_of_code(error.code);
  return error;
}

}  // namespace kruise::client
