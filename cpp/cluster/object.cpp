#include "cluster/object.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "client/client.hpp"
#include "cluster/fields/owners.hpp"
#include "cluster/json_text.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kObjectMark = "\"object\":";

std::string line_head(std::string_view type) {
  std::string line = "{\"type\":\"";
  line.append(type).append("\",").append(kObjectMark);
  return line;
}

/// Where managedFields, and one comma beside it, stand in a text.
struct Place {
  std::size_t begin = 0;
  std::size_t bytes = 0;
};

Place append_metadata(std::string& out, const Json& metadata, const fields::Owners& owners) {
  constexpr std::string_view kName = "managedFields";
  Place place;
  out += '{';
  const auto put_owners = [&](bool after, bool before) {
    place.begin = out.size();
    if (after && !before) out += ',';
    out.append("\"").append(kName).append("\":");
    owners.append_text(out);
    if (before) out += ',';
    place.bytes = out.size() - place.begin;
  };
  bool first = true;
  for (const auto& [name, value] : metadata.get_ref<const Json::object_t&>()) {
    if (!first) out += ',';
    if (place.bytes == 0 && name > kName) put_owners(false, true);
    first = false;
    base::append_json_string(out, name);
    out += ':';
    append_json(out, value);
  }
  if (place.bytes == 0) put_owners(!first, false);
  out += '}';
  return place;
}

Place append_whole(std::string& out, const Json& tree, const OwnersPtr& owners) {
  const auto metadata = tree.find("metadata");
  if (!owners || owners->list().empty() || metadata == tree.end() || !metadata->is_object()) {
    append_json(out, tree);
    return {};
  }
  Place place;
  char before = '{';
  for (const auto& [name, value] : tree.get_ref<const Json::object_t&>()) {
    out += before;
    before = ',';
    base::append_json_string(out, name);
    out += ':';
    if (&value == &*metadata) {
      place = append_metadata(out, value, *owners);
    } else {
      append_json(out, value);
    }
  }
  out += '}';
  return place;
}

}  // namespace

void append_object(std::string& out, const Json& tree, const OwnersPtr& owners) {
  static_cast<void>(append_whole(out, tree, owners));
}

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

Object::Object(std::string path, std::uint64_t version, const Json& tree, EventType type, OwnersPtr owners)
    : path_(std::move(path)), version_(version), type_(type), owners_(std::move(owners)) {
  // Written where the last one was, so that only as much is allocated as is kept.
  thread_local std::string line;
  line = line_head(event_name(type));
  const std::size_t head = line.size();
  const Place place = append_whole(line, tree, owners_);
  line += '}';
  owners_bytes_ = place.bytes;
  owners_begin_ = place.bytes > 0 ? place.begin - head : 0;
  std::string kept;
  kept.reserve(line.size() + client::Client::kPadding);
  line_ = std::make_shared<const std::string>(std::move(kept.append(line)));
}

Object::Object(const Object& other)
    : path_(other.path_),
      version_(other.version_),
      line_(other.line_),
      type_(other.type_),
      owners_(other.owners_),
      owners_begin_(other.owners_begin_),
      owners_bytes_(other.owners_bytes_) {}

Object::~Object() = default;

const Json& Object::tree() const {
  std::call_once(once_, [&] { tree_ = std::make_unique<const Json>(parsed({})); });
  return *tree_;
}

Json Object::value_at(std::string_view dotted_path) const {
  return dotted_path == "metadata" ? parse_stored_json(text(), dotted_path) : parsed(dotted_path);
}

Json Object::parsed(std::string_view dotted_path) const {
  const std::string_view whole = text();
  if (owners_bytes_ == 0) return parse_stored_json(whole, dotted_path);
  // Copying the rest costs less than passing over the owners.
  thread_local std::string rest;
  rest.assign(whole.substr(0, owners_begin_)).append(whole.substr(owners_begin_ + owners_bytes_));
  const std::size_t bytes = rest.size();
  rest.append(client::Client::kPadding, ' ');
  return parse_stored_json(std::string_view(rest).substr(0, bytes), dotted_path);
}

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
