#include "cluster/json_text.hpp"

#include <simdjson.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/json_writer.hpp"
#include "client/client.hpp"

namespace kruise::cluster {
namespace {

using Json = nlohmann::json;

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

constexpr std::size_t kDepthMax = 200;

/// Where a value is: a list that lives on the stack, read only to name a member.
struct Place {
  const Place* outer = nullptr;
  std::string_view name;  // empty: an element of a list
  std::size_t index = 0;
};

/// "spec.containers[0]."
std::string path_of(const Place* at) {
  if (at == nullptr) return {};
  std::string path = path_of(at->outer);
  if (!at->name.empty()) return path.append(at->name).append(".");
  path.pop_back();
  return path + "[" + std::to_string(at->index) + "].";
}

/// Makes the tree of what simdjson has parsed.
class Copier {
 public:
  explicit Copier(std::vector<std::string>* duplicates) : duplicates_(duplicates) {}

  /// False: nested too deeply.
  bool copy(const simdjson::dom::element& from, Json& to, const Place* at, std::size_t depth) {
    switch (from.type()) {
      case simdjson::dom::element_type::OBJECT:
        return depth < kDepthMax && copy_object(from.get_object().value_unsafe(), to, at, depth + 1);
      case simdjson::dom::element_type::ARRAY:
        return depth < kDepthMax && copy_array(from.get_array().value_unsafe(), to, at, depth + 1);
      case simdjson::dom::element_type::STRING:
        to = std::string(from.get_string().value_unsafe());
        return true;
      case simdjson::dom::element_type::INT64: {
        const std::int64_t value = from.get_int64().value_unsafe();
        to = value < 0 ? Json(value) : Json(static_cast<std::uint64_t>(value));
        return true;
      }
      case simdjson::dom::element_type::UINT64:
        to = from.get_uint64().value_unsafe();
        return true;
      case simdjson::dom::element_type::DOUBLE:
        to = from.get_double().value_unsafe();
        return true;
      case simdjson::dom::element_type::BOOL:
        to = from.get_bool().value_unsafe();
        return true;
      case simdjson::dom::element_type::NULL_VALUE:
        to = nullptr;
        return true;
    }
    return false;
  }

 private:
  bool copy_object(const simdjson::dom::object& from, Json& to, const Place* at, std::size_t depth) {
    to = Json::object();
    auto& members = to.get_ref<Json::object_t&>();
    for (const auto& [name, value] : from) {
      const std::size_t had = members.size();
      const auto slot = members.try_emplace(members.end(), std::string(name));  // most texts are in order of name
      if (members.size() == had && duplicates_ != nullptr) duplicates_->push_back(path_of(at).append(name));
      const Place here{.outer = at, .name = name};
      if (!copy(value, slot->second, &here, depth)) return false;
    }
    return true;
  }

  bool copy_array(const simdjson::dom::array& from, Json& to, const Place* at, std::size_t depth) {
    to = Json::array();
    auto& items = to.get_ref<Json::array_t&>();
    items.reserve(from.size());
    for (const auto& value : from) {
      const Place here{.outer = at, .name = {}, .index = items.size()};
      if (!copy(value, items.emplace_back(), &here, depth)) return false;
    }
    return true;
  }

  std::vector<std::string>* duplicates_;
};

/// What simdjson takes, nothing for all else: why, is told by the slower reader.
std::optional<Json> parse_quickly(std::string_view text, std::vector<std::string>* duplicates) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  Json tree;
  const std::size_t had = duplicates != nullptr ? duplicates->size() : 0;
  if (Copier(duplicates).copy(root, tree, nullptr, 0)) return tree;
  if (duplicates != nullptr) duplicates->resize(had);
  return std::nullopt;
}

/// Builds the tree and notes members that appear twice.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(Json& root, std::vector<std::string>* duplicates) : root_(root), duplicates_(duplicates) {}

  bool null() override { return put(Json(nullptr)); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return put(Json(value)); }
  bool string(string_t& value) override { return put(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Level& level = levels_.back();
    const auto [where, fresh] = level.value->get_ref<Json::object_t&>().try_emplace(name, nullptr);
    if (!fresh && duplicates_ != nullptr) duplicates_->push_back(path() + name);
    level.slot = &where->second;
    level.name = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    error_ = error.what();
    if (const auto end = error_.find("] "); end != std::string::npos) error_.erase(0, end + 2);  // the library's own number
    if (error_.find("unexpected end of input") != std::string::npos) error_ = "unexpected end of JSON input";
    return false;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Level {
    Json* value;
    Json* slot = nullptr;
    std::string name;
  };

  Json* place(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Level& level = levels_.back();
    if (level.value->is_array()) {
      auto& items = level.value->get_ref<Json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    *level.slot = std::move(value);
    return level.slot;
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (levels_.size() >= kDepthMax) {
      error_ = "nested more than " + std::to_string(kDepthMax) + " levels deep";
      return false;
    }
    levels_.push_back({place(std::move(value)), nullptr, {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  [[nodiscard]] std::string path() const {
    std::string out;
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
      const Level& level = levels_[i];
      if (level.value->is_array()) {
        out.pop_back();
        out += "[" + std::to_string(level.value->size() - 1) + "].";
      } else {
        out += level.name + ".";
      }
    }
    return out;
  }

  Json& root_;
  std::vector<std::string>* duplicates_;
  std::vector<Level> levels_;
  std::string error_;
};

}  // namespace

void append_json(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
        if (!first) out += ',';
        first = false;
        base::append_json_string(out, name);
        out += ':';
        append_json(out, member);
      }
      out += '}';
      break;
    }
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const auto& item : value.get_ref<const Json::array_t&>()) {
        if (!first) out += ',';
        first = false;
        append_json(out, item);
      }
      out += ']';
      break;
    }
    case Json::value_t::string:
      base::append_json_string(out, value.get_ref<const std::string&>());
      break;
    case Json::value_t::boolean:
      out += value.get_ref<const bool&>() ? "true" : "false";
      break;
    case Json::value_t::number_integer:
      append_number(out, value.get_ref<const Json::number_integer_t&>());
      break;
    case Json::value_t::number_unsigned:
      append_number(out, value.get_ref<const Json::number_unsigned_t&>());
      break;
    case Json::value_t::number_float:
      append_number(out, value.get_ref<const Json::number_float_t&>());
      break;
    default:
      out += "null";
      break;
  }
}

std::string json_text(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

base::Result<Json, std::string> parse_json(std::string_view text, std::vector<std::string>* duplicates) {
  if (auto tree = parse_quickly(text, duplicates)) return std::move(*tree);
  Json root;
  Builder builder(root, duplicates);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return root;
  return builder.error().empty() ? std::string("unexpected end of JSON input") : builder.error();
}

Json parse_stored_json(std::string_view text, std::string_view dotted_path) {
  static_assert(client::Client::kPadding >= simdjson::SIMDJSON_PADDING);
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element at;
  if (parser.parse(text.data(), text.size(), false).get(at) != simdjson::SUCCESS)
    throw std::logic_error("a stored object is no JSON: " + std::string(text.substr(0, 200)));
  while (!dotted_path.empty()) {
    const std::size_t end = std::min(dotted_path.find('.'), dotted_path.size());
    if (at[dotted_path.substr(0, end)].get(at) != simdjson::SUCCESS) return nullptr;
    dotted_path.remove_prefix(std::min(end + 1, dotted_path.size()));
  }
  Json tree;
  static_cast<void>(Copier(nullptr).copy(at, tree, nullptr, 0));
  return tree;
}

}  // namespace kruise::cluster
