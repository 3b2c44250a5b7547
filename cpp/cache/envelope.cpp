#include "cache/envelope.hpp"

#include <simdjson.h>

#include <array>

#include "cache/page.hpp"

namespace kruise::cache {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

std::optional<WatchEvent::Type> event_type(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, WatchEvent::Type>, 5> kTypes{{{"ADDED", WatchEvent::Type::kAdded},
                                                                                        {"MODIFIED", WatchEvent::Type::kModified},
                                                                                        {"DELETED", WatchEvent::Type::kDeleted},
                                                                                        {"BOOKMARK", WatchEvent::Type::kBookmark},
                                                                                        {"ERROR", WatchEvent::Type::kError}}};
  for (const auto& [text, type] : kTypes) {
    if (text == name) return type;
  }
  return std::nullopt;
}

/// The form in which API servers write an event: `{"type":"ADDED","object":{…}}`. That the braces balance is the decoder's to
/// see.
std::optional<WatchEvent> parse_usual_form(std::string_view line) {
  constexpr std::string_view kBegin = R"({"type":")", kMiddle = R"(","object":)";
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!line.starts_with(kBegin) || !line.ends_with("}}")) return std::nullopt;
  line.remove_prefix(kBegin.size());
  const std::size_t quote = line.find('"');
  const auto type = event_type(line.substr(0, quote));
  if (!type || !line.substr(quote).starts_with(kMiddle)) return std::nullopt;
  line.remove_prefix(quote + kMiddle.size());
  line.remove_suffix(1);
  return WatchEvent{*type, line};
}

simdjson::simdjson_result<WatchEvent> parse_any_form(ondemand::parser& parser, std::string_view line) {
  ondemand::document document;
  ondemand::object fields;
  if (const auto error = parser.iterate(padded(line)).get(document)) return error;
  if (const auto error = document.get_object().get(fields)) return error;
  std::optional<WatchEvent::Type> type;
  std::string_view object;
  for (auto member : fields) {
    ondemand::field field;
    std::string_view name;
    if (const auto error = std::move(member).get(field)) return error;
    if (const auto error = field.unescaped_key().get(name)) return error;
    if (name == "type") {
      std::string_view text;
      if (const auto error = field.value().get_string().get(text)) return error;
      type = event_type(text);
    } else if (name == "object") {
      ondemand::object raw;
      if (const auto error = field.value().get_object().get(raw)) return error;
      if (const auto error = raw.raw_json().get(object)) return error;
    }
  }
  if (!type || object.empty()) return error_code::NO_SUCH_FIELD;
  return WatchEvent{*type, object};
}

struct Metadata {
  Identity identity;
  bool initial_events_end = false;
};

base::Result<Metadata, api::DecodeError> parse_metadata(std::string_view json) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  Metadata found;
  error_code error = parser.iterate(padded(json)).get(document);
  if (!error) error = document.get_object().get(root);
  if (error) return syntax_error(error);
  error = each_member(root, [&](std::string_view name, ondemand::value value) -> error_code {
    if (name != "metadata") return error_code::SUCCESS;
    ondemand::object metadata;
    if (const auto failed = value.get_object().get(metadata)) return failed;
    return each_member(metadata, [&](std::string_view member, ondemand::value content) -> error_code {
      std::string_view text;
      if (member == "name" || member == "namespace" || member == "resourceVersion") {
        if (const auto failed = read_string(content, text)) return failed;
        if (member == "name") found.identity.key.name = text;
        if (member == "namespace") found.identity.key.ns = text;
        if (member == "resourceVersion") found.identity.version = version_number(text);
      } else if (member == "annotations") {
        ondemand::object annotations;
        if (content.get_object().get(annotations)) return error_code::SUCCESS;
        return each_member(annotations, [&](std::string_view annotation, ondemand::value mark) -> error_code {
          if (annotation != "k8s.io/initial-events-end") return error_code::SUCCESS;
          if (const auto failed = read_string(mark, text)) return failed;
          found.initial_events_end = text == "true";
          return error_code::SUCCESS;
        });
      }
      return error_code::SUCCESS;
    });
  });
  if (error) return syntax_error(error);
  return found;
}

}  // namespace

base::Result<WatchEvent, api::DecodeError> parse_event(std::string_view line) {
  if (const auto event = parse_usual_form(line)) return *event;
  ondemand::parser parser;
  WatchEvent event;
  if (const auto error = parse_any_form(parser, line).get(event)) {
    if (error == error_code::NO_SUCH_FIELD) return syntax_error("not an event of a watch");
    return syntax_error(error);
  }
  return event;
}

base::Result<BookmarkInfo, api::DecodeError> parse_bookmark(std::string_view object) {
  auto metadata = parse_metadata(object);
  if (!metadata) return metadata.error();
  return BookmarkInfo{metadata->identity.version, metadata->initial_events_end};
}

base::Result<Identity, api::DecodeError> parse_identity(std::string_view object) {
  auto metadata = parse_metadata(object);
  if (!metadata) return metadata.error();
  if (metadata->identity.key.name.empty()) return syntax_error("an object without a name");
  return metadata->identity;
}

base::Result<ListMeta, api::DecodeError> for_each_item(std::string_view page, const std::function<void(std::string_view)>& each) {
  ondemand::parser parser;
  return walk_page(parser, page, [&](ondemand::object item) -> error_code {
    std::string_view json;
    if (const auto failed = item.raw_json().get(json)) return failed;
    each(json);
    return error_code::SUCCESS;
  });
}

}  // namespace kruise::cache
