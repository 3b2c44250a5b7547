#include "cache/envelope.hpp"

#include <simdjson.h>

#include <array>

#include "cache/traits.hpp"
#include "client/client.hpp"

namespace kruise::cache {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

static_assert(client::Client::kPadding >= simdjson::SIMDJSON_PADDING);

api::DecodeError syntax_error(std::string message) { return {"", std::move(message), true}; }
api::DecodeError syntax_error(error_code error) { return syntax_error(std::string("not JSON: ") + simdjson::error_message(error)); }

simdjson::padded_string_view padded(std::string_view json) {
  return simdjson::padded_string_view(json.data(), json.size(), json.size() + client::Client::kPadding);
}

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

/// The form in which API servers write an event: `{"type":"ADDED","object":{…}}`. That the braces balance is the decoder's to see.
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

/// Calls `take(key, value)` for each member of an object; the first error ends it.
template <class Take>
error_code each_member(ondemand::object object, Take&& take) {
  for (auto member : object) {
    ondemand::field field;
    std::string_view name;
    if (const auto error = std::move(member).get(field)) return error;
    if (const auto error = field.unescaped_key().get(name)) return error;
    if (const auto error = take(name, field.value())) return error;
  }
  return error_code::SUCCESS;
}

/// Null reads as the empty string.
error_code read_string(ondemand::value value, std::string_view& text) {
  bool null = false;
  if (const auto error = value.is_null().get(null)) return error;
  if (null) return error_code::SUCCESS;
  return value.get_string().get(text);
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

error_code parse_list_metadata(ondemand::value value, ListMeta& meta) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  return each_member(object, [&](std::string_view name, ondemand::value content) -> error_code {
    std::string_view text;
    if (name != "resourceVersion" && name != "continue") return error_code::SUCCESS;
    if (const auto error = read_string(content, text)) return error;
    if (name == "continue") {
      meta.continue_token = text;
    } else {
      meta.version = version_number(text);
    }
    return error_code::SUCCESS;
  });
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
  ondemand::document document;
  ondemand::object root;
  error_code error = parser.iterate(padded(page)).get(document);
  if (!error) error = document.get_object().get(root);
  if (error) return syntax_error(error);
  ListMeta meta;
  bool has_metadata = false;
  error = each_member(root, [&](std::string_view name, ondemand::value value) -> error_code {
    if (name == "metadata") {
      has_metadata = true;
      return parse_list_metadata(value, meta);
    }
    if (name != "items") return error_code::SUCCESS;
    bool null = false;
    if (const auto failed = value.is_null().get(null)) return failed;
    if (null) return error_code::SUCCESS;  // how Go writes an empty list that was never made
    ondemand::array items;
    if (const auto failed = value.get_array().get(items)) return failed;
    for (auto item : items) {
      ondemand::object object;
      std::string_view json;
      if (const auto failed = item.get_object().get(object)) return failed;
      if (const auto failed = object.raw_json().get(json)) return failed;
      each(json);
    }
    return error_code::SUCCESS;
  });
  if (error) return syntax_error(error);
  if (!has_metadata || meta.version == 0) return syntax_error("not a list: it has no resourceVersion");
  return meta;
}

}  // namespace kruise::cache
