// The walk over a page of a list. For .cpp files of this folder, which include simdjson themselves before it.
#pragma once

#ifndef SIMDJSON_H
#error "include <simdjson.h> first: it is kept out of headers"
#endif

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/decode.hpp"
#include "base/result.hpp"
#include "cache/envelope.hpp"
#include "cache/traits.hpp"
#include "client/client.hpp"

namespace kruise::cache {

static_assert(client::Client::kPadding >= simdjson::SIMDJSON_PADDING);

[[nodiscard]] inline simdjson::padded_string_view padded(std::string_view json) {
  return simdjson::padded_string_view(json.data(), json.size(), json.size() + client::Client::kPadding);
}

[[nodiscard]] inline api::DecodeError syntax_error(std::string message) { return {"", std::move(message), true}; }
[[nodiscard]] inline api::DecodeError syntax_error(simdjson::error_code code) {
  return syntax_error(std::string("not JSON: ") + simdjson::error_message(code));
}

/// Whether everything was read: simdjson on demand does not look at what follows a value by itself.
[[nodiscard]] inline bool at_end(simdjson::ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

/// Calls `take(key, value)` for each member of an object; the first error ends it.
template <class Take>
simdjson::error_code each_member(simdjson::ondemand::object object, Take&& take) {
  for (auto member : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (const auto error = std::move(member).get(field)) return error;
    if (const auto error = field.unescaped_key().get(name)) return error;
    if (const auto error = take(name, field.value())) return error;
  }
  return simdjson::SUCCESS;
}

/// Null reads as the empty string.
[[nodiscard]] inline simdjson::error_code read_string(simdjson::ondemand::value value, std::string_view& text) {
  bool null = false;
  if (const auto error = value.is_null().get(null)) return error;
  if (null) return simdjson::SUCCESS;
  return value.get_string().get(text);
}

[[nodiscard]] inline simdjson::error_code read_list_metadata(simdjson::ondemand::value value, ListMeta& meta) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  return each_member(object, [&](std::string_view name, simdjson::ondemand::value content) -> simdjson::error_code {
    std::string_view text;
    if (name != "resourceVersion" && name != "continue") return simdjson::SUCCESS;
    if (const auto error = read_string(content, text)) return error;
    if (name == "continue") {
      meta.continue_token = text;
    } else {
      meta.version = version_number(text);
    }
    return simdjson::SUCCESS;
  });
}

/// Calls `take(object)` for each item, which returns an error code; the first error ends the walk.
template <class Take>
base::Result<ListMeta, api::DecodeError> walk_page(simdjson::ondemand::parser& parser, std::string_view page, Take&& take) {
  namespace ondemand = simdjson::ondemand;
  ondemand::document document;
  ondemand::object root;
  simdjson::error_code error = parser.iterate(padded(page)).get(document);
  if (!error) error = document.get_object().get(root);
  if (error) return syntax_error(error);
  ListMeta meta;
  error = each_member(root, [&](std::string_view name, ondemand::value value) -> simdjson::error_code {
    if (name == "metadata") return read_list_metadata(value, meta);
    if (name != "items") return simdjson::SUCCESS;
    bool null = false;
    if (const auto failed = value.is_null().get(null)) return failed;
    if (null) return simdjson::SUCCESS;  // how Go writes an empty list that was never made
    ondemand::array items;
    if (const auto failed = value.get_array().get(items)) return failed;
    for (auto item : items) {
      ondemand::object object;
      if (const auto failed = item.get_object().get(object)) return failed;
      if (const auto failed = take(object)) return failed;
    }
    return simdjson::SUCCESS;
  });
  if (error) return syntax_error(error);
  if (!at_end(document)) return syntax_error("not JSON: something follows the list");
  if (meta.version == 0) return syntax_error("not a list: it has no resourceVersion");
  return meta;
}

}  // namespace kruise::cache
