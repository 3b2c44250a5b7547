#include "patch/tree.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kruise::patch {
namespace {

std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

base::Result<nlohmann::json, Error> parse_tree(std::string_view text) {
  if (depth_of(text) > kDepthMax) return Error::malformed("JSON nested deeper than " + std::to_string(kDepthMax) + " levels");
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    return Error::malformed(std::string("invalid JSON document: ") + e.what());
  }
}

std::string tree_text(const nlohmann::json& tree) { return tree.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

}  // namespace kruise::patch
