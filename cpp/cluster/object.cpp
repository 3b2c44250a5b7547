#include "cluster/object.hpp"

#include <nlohmann/json.hpp>

#include "client/client.hpp"
#include "cluster/json_text.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kObjectMark = "\"object\":";

std::string line_head(std::string_view type) {
  std::string line = "{\"type\":\"";
  line.append(type).append("\",").append(kObjectMark);
  return line;
}

}  // namespace

std::string_view event_name(EventType type) {
  switch (type) {
    case EventType::kAdded:
      return "ADDED";
    case EventType::kModified:
      return "MODIFIED";
    case EventType::kDeleted:
      return "DELETED";
  }
  return "ERROR";
}

std::string watch_line(std::string_view type, std::string_view object) {
  std::string line = line_head(type);
  line.reserve(line.size() + object.size() + 1 + client::Client::kPadding);
  line.append(object).append("}");
  return line;
}

Object::Object(std::string path, std::uint64_t version, const Json& tree, EventType type)
    : path_(std::move(path)), version_(version), type_(type) {
  // Written where the last one was, so that only as much is allocated as is kept.
  thread_local std::string line;
  line = line_head(event_name(type));
  append_json(line, tree);
  line += '}';
  std::string kept;
  kept.reserve(line.size() + client::Client::kPadding);
  line_ = std::make_shared<const std::string>(std::move(kept.append(line)));
}

Object::Object(const Object& other) : path_(other.path_), version_(other.version_), line_(other.line_), type_(other.type_) {}

Object::~Object() = default;

const Json& Object::tree() const {
  std::call_once(once_, [&] { tree_ = std::make_unique<const Json>(parse_stored_json(text())); });
  return *tree_;
}

Json Object::value_at(std::string_view dotted_path) const { return parse_stored_json(text(), dotted_path); }

std::string_view Object::ns() const {
  const auto slash = path_.find('/');
  return slash == std::string::npos ? std::string_view{} : std::string_view(path_).substr(0, slash);
}

std::string_view Object::name() const {
  const auto slash = path_.find('/');
  return slash == std::string::npos ? std::string_view(path_) : std::string_view(path_).substr(slash + 1);
}

std::string_view Object::text() const {
  const std::size_t head = line_head(event_name(type_)).size();
  return std::string_view(*line_).substr(head, line_->size() - head - 1);
}

}  // namespace kruise::cluster
