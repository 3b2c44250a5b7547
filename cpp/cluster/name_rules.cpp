#include "cluster/name_rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"

namespace kruise::cluster {
namespace {

constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kSubdomainBytesMax = 253;
constexpr std::size_t kAnnotationsBytesMax = std::size_t{256} * 1024;

constexpr std::string_view kSubdomainMessage =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kLabelMessage =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kServiceMessage =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an "
    "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kQualifiedMessage =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. "
    "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kLabelValueMessage =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

constexpr std::string_view kConfigKeyMessage =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool alnum(char c) { return lower(c) || digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_dns_label(std::string_view text) {
  const auto edge = [](char c) { return lower(c) || digit(c); };
  return !text.empty() && edge(text.front()) && edge(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return edge(c) || c == '-'; });
}

bool is_subdomain(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_name_part(std::string_view text) {
  return !text.empty() && alnum(text.front()) && alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string longest_text(std::size_t max) { return "must be no more than " + std::to_string(max) + " characters"; }
std::string longest(std::size_t bytes_max) { return "must be no more than " + std::to_string(bytes_max) + " bytes"; }

}  // namespace

Complaints check_subdomain(std::string_view text) {
  Complaints complaints;
  if (text.size() > kSubdomainBytesMax) complaints.push_back(longest(kSubdomainBytesMax));
  if (!is_subdomain(text)) complaints.emplace_back(kSubdomainMessage);
  return complaints;
}

Complaints check_label_name(std::string_view text) {
  Complaints complaints;
  if (text.size() > kLabelBytesMax) complaints.push_back(longest(kLabelBytesMax));
  if (!is_dns_label(text)) complaints.emplace_back(is_subdomain(text) ? "must not contain dots" : kLabelMessage);
  return complaints;
}

Complaints check_service_name(std::string_view text) {
  Complaints complaints;
  if (text.size() > kLabelBytesMax) complaints.push_back(longest(kLabelBytesMax));
  if (!is_dns_label(text) || !lower(text.front())) complaints.emplace_back(kServiceMessage);
  return complaints;
}

Complaints check_path_segment(std::string_view text) {
  if (text == "." || text == "..") return {"may not be '" + std::string(text) + "'"};
  Complaints complaints;
  for (const std::string_view part : {"/", "%"}) {
    if (text.find(part) != std::string_view::npos) complaints.push_back("may not contain '" + std::string(part) + "'");
  }
  return complaints;
}

Complaints check_qualified_name(std::string_view text) {
  Complaints complaints;
  const auto slash = text.find('/');
  std::string_view name = text;
  if (slash != std::string_view::npos) {
    if (text.find('/', slash + 1) != std::string_view::npos) {
      return {"a qualified name " + std::string(kQualifiedMessage.substr(10)) +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    const std::string_view prefix = text.substr(0, slash);
    name = text.substr(slash + 1);
    if (prefix.empty()) {
      complaints.emplace_back("prefix part must be non-empty");
    } else {
      for (const auto& complaint : check_subdomain(prefix)) complaints.push_back("prefix part " + complaint);
    }
  }
  if (name.empty()) {
    complaints.emplace_back("name part must be non-empty");
  } else if (name.size() > kLabelBytesMax) {
    complaints.push_back("name part " + longest_text(kLabelBytesMax));
  }
  if (!is_name_part(name)) complaints.emplace_back(kQualifiedMessage);
  return complaints;
}

Complaints check_label_value(std::string_view text) {
  Complaints complaints;
  if (text.size() > kLabelBytesMax) complaints.push_back(longest_text(kLabelBytesMax));
  if (!text.empty() && !is_name_part(text)) complaints.emplace_back(kLabelValueMessage);
  return complaints;
}

Complaints check_config_key(std::string_view text) {
  Complaints complaints;
  if (text.size() > kSubdomainBytesMax) complaints.push_back(longest(kSubdomainBytesMax));
  const bool valid =
      !text.empty() && std::ranges::all_of(text, [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
  if (!valid) complaints.emplace_back(kConfigKeyMessage);
  if (text == "." || text == "..") {
    complaints.push_back("must not be '" + std::string(text) + "'");
  } else if (text.starts_with("..")) {
    complaints.emplace_back("must not start with '..'");
  }
  return complaints;
}

Complaints check_name(NameRule rule, std::string_view text) {
  switch (rule) {
    case NameRule::kSubdomain:
      return check_subdomain(text);
    case NameRule::kLabel:
      return check_label_name(text);
    case NameRule::kServiceName:
      return check_service_name(text);
    case NameRule::kPathSegment:
      return check_path_segment(text);
  }
  return {};
}

void validate_labels(const Json& labels, std::string_view path, FieldErrors& errors) {
  if (!labels.is_object()) return;
  for (const auto& [key, value] : labels.get_ref<const Json::object_t&>()) {
    for (const auto& complaint : check_qualified_name(key)) errors.invalid(std::string(path), key, complaint);
    if (!value.is_string()) continue;
    for (const auto& complaint : check_label_value(value.get_ref<const std::string&>())) {
      errors.invalid(std::string(path), value, complaint);
    }
  }
}

void validate_annotations(const Json& annotations, std::string_view path, FieldErrors& errors) {
  if (!annotations.is_object()) return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations.get_ref<const Json::object_t&>()) {
    std::string lowered = key;
    std::ranges::transform(lowered, lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const auto& complaint : check_qualified_name(lowered)) errors.invalid(std::string(path), key, complaint);
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  if (bytes > kAnnotationsBytesMax) errors.too_long(std::string(path), kAnnotationsBytesMax);
}

}  // namespace kruise::cluster
