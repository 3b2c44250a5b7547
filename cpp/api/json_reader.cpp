#include "api/json_reader.hpp"

#include <simdjson.h>

#include <limits>

namespace kruise::api {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kDocumentBytesMax = 32U << 20U;

std::string_view name_of(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array:
      return "an array";
    case ondemand::json_type::object:
      return "an object";
    case ondemand::json_type::number:
      return "a number";
    case ondemand::json_type::string:
      return "a string";
    case ondemand::json_type::boolean:
      return "a boolean";
    case ondemand::json_type::null:
      return "null";
  }
  return "no JSON";
}

struct Frame {
  bool array = false;
  bool started = false;
  ondemand::object object;
  ondemand::object_iterator member;
  ondemand::array_iterator element;
  std::string key;
  std::size_t index = 0;
};

}  // namespace

struct JsonReader::State {
  simdjson::padded_string text;
  ondemand::parser parser;
  ondemand::document document;
  ondemand::value value;  // what comes next, once inside the root
  std::vector<Frame> frames;
};

JsonReader::JsonReader(std::string_view json) : state_(std::make_unique<State>()) {
  const auto refuse = [](const std::string& problem) { throw DecodeError("", problem, true); };
  if (json.size() > kDocumentBytesMax) refuse("a document of " + std::to_string(json.size()) + " bytes is larger than 32 MiB");
  state_->text = simdjson::padded_string(json);
  // On-demand parsing does not look into what it skips, so the document is checked first.
  thread_local simdjson::dom::parser checker;
  simdjson::dom::element root;
  if (const auto error = checker.parse(state_->text).get(root))
    refuse(std::string("not a JSON document: ") + simdjson::error_message(error));
  if (!root.is_object()) refuse("not a JSON object");
  if (const auto error = state_->parser.iterate(state_->text).get(state_->document)) refuse(simdjson::error_message(error));
}

JsonReader::~JsonReader() = default;

void JsonReader::fail(const std::string& problem) const {
  std::string path;
  for (const Frame& frame : state_->frames) {
    if (frame.array) {
      path += "[" + std::to_string(frame.index) + "]";
    } else {
      path += (path.empty() ? "" : ".") + frame.key;
    }
  }
  throw DecodeError(path, problem);
}

bool JsonReader::is_null() {
  if (state_->frames.empty()) return false;  // the root is an object, as the constructor saw
  bool null = false;
  if (state_->value.is_null().get(null)) fail("not readable");
  return null;
}

bool JsonReader::enter_object() {
  if (is_null()) return false;
  Frame frame;
  if (state_->frames.empty()) {
    if (state_->document.get_object().get(frame.object)) fail("not a readable object");
    state_->frames.push_back(std::move(frame));
    return true;
  }
  auto type = ondemand::json_type::null;
  if (state_->value.type().get(type)) fail("not readable");
  if (type != ondemand::json_type::object) fail("expected an object, found " + std::string(name_of(type)));
  if (state_->value.get_object().get(frame.object)) fail("not a readable object");
  state_->frames.push_back(std::move(frame));
  return true;
}

std::optional<std::string_view> JsonReader::next_key() {
  Frame& frame = state_->frames.back();
  if (!frame.started) {
    frame.started = true;
    if (frame.object.begin().get(frame.member)) fail("not a readable object");
  } else {
    ++frame.member;
  }
  if (frame.member == ondemand::object_iterator{}) {
    state_->frames.pop_back();
    return std::nullopt;
  }
  ondemand::field field;
  std::string_view key;
  if ((*frame.member).get(field)) fail("not a readable member");
  if (field.unescaped_key().get(key)) fail("not a readable key");
  frame.key = key;
  state_->value = field.value();
  return frame.key;
}

bool JsonReader::enter_array() {
  if (is_null()) return false;
  Frame frame;
  frame.array = true;
  auto type = ondemand::json_type::null;
  ondemand::array array;
  if (state_->value.type().get(type)) fail("not readable");
  if (type != ondemand::json_type::array) fail("expected an array, found " + std::string(name_of(type)));
  if (state_->value.get_array().get(array) || array.begin().get(frame.element)) fail("not a readable array");
  state_->frames.push_back(std::move(frame));
  return true;
}

bool JsonReader::next_element() {
  Frame& frame = state_->frames.back();
  if (frame.started) {
    ++frame.element;
    ++frame.index;
  }
  frame.started = true;
  if (frame.element == ondemand::array_iterator{}) {
    state_->frames.pop_back();
    return false;
  }
  if ((*frame.element).get(state_->value)) fail("not a readable element");
  return true;
}

void JsonReader::read(std::string& out) {
  if (is_null()) return;
  std::string_view text;
  if (state_->value.get_string().get(text)) fail("expected a string");
  out = text;
}

void JsonReader::read(bool& out) {
  if (!is_null() && state_->value.get_bool().get(out)) fail("expected true or false");
}

void JsonReader::read(std::int64_t& out) {
  if (!is_null() && state_->value.get_int64().get(out)) fail("expected an integer");
}

void JsonReader::read(std::int32_t& out) {
  std::int64_t wide = out;
  read(wide);
  if (wide < std::numeric_limits<std::int32_t>::min() || wide > std::numeric_limits<std::int32_t>::max()) {
    fail(std::to_string(wide) + " does not fit into 32 bits");
  }
  out = static_cast<std::int32_t>(wide);
}

void JsonReader::read(IntOrString& out) {
  if (is_null()) return;
  auto type = ondemand::json_type::null;
  if (state_->value.type().get(type)) fail("not readable");
  if (type == ondemand::json_type::string) {
    read(out.value.emplace<std::string>());
  } else if (type == ondemand::json_type::number) {
    read(out.value.emplace<std::int64_t>());
  } else {
    fail("expected an integer or a string, found " + std::string(name_of(type)));
  }
}

void JsonReader::read(base::Time& out) {
  if (is_null()) return;
  std::string text;
  read(text);
  const auto time = base::parse_time(text);
  if (!time) fail("\"" + text + "\" is not a time");
  out = *time;
}

void JsonReader::read(StringMap& out) {
  out.clear();
  object([&](std::string_view key) { read(out[std::string(key)]); });
}

void JsonReader::read(RawJson& out) {
  if (is_null()) return;
  std::string_view text;
  auto type = ondemand::json_type::null;
  if (state_->value.type().get(type)) fail("not readable");
  if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
    if (simdjson::to_json_string(state_->value).get(text)) fail("not readable");
  } else {
    text = state_->value.raw_json_token();
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t'))
      text.remove_suffix(1);
  }
  out.text = text;
}

}  // namespace kruise::api
