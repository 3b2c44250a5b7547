#include "cluster/field_errors.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"

namespace kruise::cluster {

std::string shown(const nlohmann::json& value) {
  if (value.is_null()) return "null";
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string child(std::string_view path, std::string_view name) {
  std::string out(path);
  if (!out.empty()) out += '.';
  return out.append(name);
}

std::string index(std::string_view path, std::size_t i) { return std::string(path) + "[" + std::to_string(i) + "]"; }
std::string entry(std::string_view path, std::string_view key) { return std::string(path) + "[" + std::string(key) + "]"; }

void FieldErrors::add(std::string field, std::string_view reason, std::string message) {
  causes_.push_back({std::string(reason), std::move(message), std::move(field)});
}

void FieldErrors::required(std::string field, std::string_view detail) {
  add(std::move(field), "FieldValueRequired", detail.empty() ? "Required value" : "Required value: " + std::string(detail));
}

void FieldErrors::invalid(std::string field, const nlohmann::json& value, std::string_view detail) {
  invalid_text(std::move(field), shown(value), detail);
}

void FieldErrors::invalid_text(std::string field, std::string_view shown, std::string_view detail) {
  std::string message = "Invalid value: " + std::string(shown);
  if (!detail.empty()) message.append(": ").append(detail);
  add(std::move(field), "FieldValueInvalid", std::move(message));
}

void FieldErrors::type_invalid(std::string field, const nlohmann::json& value, std::string_view detail) {
  add(std::move(field), "FieldValueTypeInvalid", "Invalid value: " + shown(value) + ": " + std::string(detail));
}

void FieldErrors::not_supported(std::string field, const nlohmann::json& value, const std::vector<std::string>& supported) {
  std::string message = "Unsupported value: " + shown(value);
  for (std::size_t i = 0; i < supported.size(); ++i) {
    message += i == 0 ? ": supported values: " : ", ";
    base::append_json_string(message, supported[i]);
  }
  add(std::move(field), "FieldValueNotSupported", std::move(message));
}

void FieldErrors::duplicate(std::string field, const nlohmann::json& value) {
  add(std::move(field), "FieldValueDuplicate", "Duplicate value: " + shown(value));
}

void FieldErrors::not_found(std::string field, const nlohmann::json& value) {
  add(std::move(field), "FieldValueNotFound", "Not found: " + shown(value));
}

void FieldErrors::forbidden(std::string field, std::string_view detail) {
  add(std::move(field), "FieldValueForbidden", "Forbidden: " + std::string(detail));
}

void FieldErrors::too_long(std::string field, std::size_t bytes_max) {
  add(std::move(field), "FieldValueTooLong", "Too long: may not be more than " + std::to_string(bytes_max) + " bytes");
}

void FieldErrors::too_long_text(std::string field, std::string_view shown) {
  add(std::move(field), "FieldValueTooLong", "Too long: " + std::string(shown));
}

void FieldErrors::too_many(std::string field, std::size_t count, std::size_t count_max) {
  add(std::move(field), "FieldValueTooMany",
      "Too many: " + std::to_string(count) + ": must have at most " + std::to_string(count_max) + " items");
}

void FieldErrors::internal(std::string field, std::string_view detail) {
  add(std::move(field), "InternalError", "Internal error: " + std::string(detail));
}

std::string FieldErrors::text() const {
  std::vector<std::string> lines;
  for (const auto& cause : causes_) {
    std::string line = cause.field + ": " + cause.message;
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
  }
  if (lines.size() == 1) return lines[0];
  std::string text = "[";
  for (const auto& line : lines) text += (text.size() > 1 ? ", " : "") + line;
  return text + "]";
}

}  // namespace kruise::cluster
