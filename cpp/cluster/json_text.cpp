#include "cluster/json_text.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"

namespace kruise::cluster {
namespace {

using Json = nlohmann::json;

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
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
  static constexpr std::size_t kDepthMax = 200;
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
  Json root;
  Builder builder(root, duplicates);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return root;
  return builder.error().empty() ? std::string("unexpected end of JSON input") : builder.error();
}

}  // namespace kruise::cluster
