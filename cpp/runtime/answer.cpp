#include "runtime/answer.hpp"

#include <simdjson.h>

#include <charconv>

namespace kruise::runtime {

AnswerMeta read_answer(std::string_view json) {
  AnswerMeta answer;
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return answer;
  const auto text = [](simdjson::simdjson_result<simdjson::dom::element> value) {
    std::string_view view;
    return value.get(view) == simdjson::SUCCESS ? std::string(view) : std::string();
  };
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return answer;
  answer.kind = text(object["kind"]);
  simdjson::dom::object meta;
  if (object["metadata"].get(meta) != simdjson::SUCCESS) return answer;
  answer.uid = text(meta["uid"]);
  answer.resource_version = text(meta["resourceVersion"]);
  answer.terminating = !text(meta["deletionTimestamp"]).empty();
  return answer;
}

std::optional<std::uint64_t> version_number(std::string_view resource_version) {
  std::uint64_t version = 0;
  const char* const begin = resource_version.data();
  const char* const end = begin + resource_version.size();
  const auto read = std::from_chars(begin, end, version);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return version;
}

}  // namespace kruise::runtime
