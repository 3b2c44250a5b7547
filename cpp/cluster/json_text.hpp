// Trees to text and back: the two conversions of every request, kept fast.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kruise::cluster {

/// Appends `value` as compact JSON, members in order of name.
void append_json(std::string& out, const nlohmann::json& value);
[[nodiscard]] std::string json_text(const nlohmann::json& value);

/// Reads a JSON text. The error is one line. Members that appear twice in one object are named in `duplicates` by path when asked
/// for; the last wins.
[[nodiscard]] base::Result<nlohmann::json, std::string> parse_json(std::string_view text,
                                                                   std::vector<std::string>* duplicates = nullptr);

/// Reads a text that this process wrote, or the value at a path of members in it ("metadata.labels"; null where nothing is).
/// Client::kPadding readable bytes follow the text.
[[nodiscard]] nlohmann::json parse_stored_json(std::string_view text, std::string_view dotted_path = {});

}  // namespace kruise::cluster
