#include "cluster/yaml_text.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace kruise::cluster {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 200;

Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(begin, end, integer); read.ec == std::errc() && read.ptr == end) return integer;
  double number = 0;
  if (text.find_first_of("0123456789") != std::string::npos && text.find_first_not_of("+-.0123456789eE") == std::string::npos) {
    if (const auto read = std::from_chars(begin, end, number); read.ec == std::errc() && read.ptr == end) return number;
  }
  return text;
}

Json convert(const YAML::Node& node, int depth) {
  if (depth > kDepthMax) throw YAML::Exception(node.Mark(), "nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar(node);
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const auto& item : node) list.push_back(convert(item, depth + 1));
      return list;
    }
    case YAML::NodeType::Map: {
      Json object = Json::object();
      for (const auto& entry : node) object[entry.first.Scalar()] = convert(entry.second, depth + 1);
      return object;
    }
    default:
      return nullptr;
  }
}

}  // namespace

base::Result<std::vector<Json>, std::string> parse_yaml_documents(std::string_view text) {
  try {
    std::vector<Json> documents;
    for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
      if (!node.IsNull() && node.IsDefined()) documents.push_back(convert(node, 0));
    }
    return documents;
  } catch (const YAML::Exception& error) {
    return "line " + std::to_string(error.mark.line + 1) + ": " + error.msg;
  }
}

base::Result<Json, std::string> parse_yaml(std::string_view text) {
  auto documents = parse_yaml_documents(text);
  if (!documents) return documents.error();
  if (documents->size() != 1) return std::string("expected one document, found ") + std::to_string(documents->size());
  return std::move(documents->front());
}

}  // namespace kruise::cluster
