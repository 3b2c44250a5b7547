#include "cluster/builtin/shape.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "api/quantity.hpp"
#include "base/json_writer.hpp"
#include "base/time.hpp"
#include "cluster/base64.hpp"

namespace kruise::cluster {

using Type = api::TypeInfo::Kind;

struct Shape::Field {
  std::string name;
  const Shape* shape = nullptr;
  bool pointer = false;
  bool omit_empty = false;
  bool always = false;                // something to do even when the member is absent
  std::optional<Json> fallback = {};  // declared default
};

Shape::Shape() = default;
Shape::~Shape() = default;

namespace {

std::string go_type(const api::TypeInfo& type) {
  switch (type.kind) {
    case Type::kObject:
      return std::string(type.package.substr(type.package.rfind('_') + 1)) + "." + std::string(type.name);
    case Type::kMap:
      return "map[string]" + (type.element != nullptr ? go_type(*type.element) : "string");
    case Type::kList:
      return "[]" + (type.element != nullptr ? go_type(*type.element) : "string");
    case Type::kInt32:
      return "int32";
    case Type::kInt64:
      return "int64";
    case Type::kFloat:
      return "float64";
    case Type::kBool:
      return "bool";
    case Type::kBytes:
      return "[]uint8";
    default:
      return "string";
  }
}

std::string_view json_type(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_number()) return "number";
  return value.is_array() ? "array" : "object";
}

/// What is wrong with a text that is no quantity: its suffix, or all of it.
std::string quantity_complaint(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const auto skip = [&](std::string_view letters) { at = std::min(text.find_first_not_of(letters, at), text.size()); };
  skip("0123456789.");
  const bool number = at > 0 && at < text.size();
  skip("eEinumkKMGTP");
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  skip("0123456789");
  if (number && at == text.size()) return "unable to parse quantity's suffix";
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}

bool is_zero(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case Json::value_t::boolean:
      return !value.get_ref<const bool&>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return value == 0;
    case Json::value_t::number_float:
      return value == 0.0;
    case Json::value_t::array:
    case Json::value_t::object:
      return value.empty();
    default:
      return true;
  }
}

}  // namespace

/// All shapes made so far.
class ShapeBook {
 public:
  const Shape& of(const api::TypeInfo& type) {
    const std::lock_guard lock(mutex_);
    return make(type);
  }

 private:
  const Shape& make(const api::TypeInfo& type) {
    auto& slot = shapes_[&type];
    if (slot) return *slot;
    slot = std::make_unique<Shape>();
    Shape& shape = *slot;
    shape.type_ = &type;
    if (type.element != nullptr) shape.element_ = &make(*type.element);
    for (const auto& info : type.fields) {
      Shape::Field field{
          .name = std::string(info.name), .shape = &make(*info.type), .pointer = info.pointer, .omit_empty = info.omit_empty};
      if (!info.default_json().empty()) field.fallback = Json::parse(info.default_json());
      const Type kind = info.type->kind;
      const bool has_zero = kind != Type::kList && kind != Type::kMap && kind != Type::kTime && kind != Type::kMicroTime &&
                            kind != Type::kAny && kind != Type::kBytes && kind != Type::kQuantity && kind != Type::kIntOrString;
      // Go writes structs and times even when they are empty; only the creation time is left out then.
      const bool is_time = kind == Type::kTime || kind == Type::kMicroTime;
      field.always = field.fallback.has_value() ||
                     (!info.pointer &&
                      (kind == Type::kObject || (is_time && info.name != "creationTimestamp") || (!info.omit_empty && has_zero)));
      shape.fields_.push_back(std::move(field));
    }
    std::ranges::sort(shape.fields_, {}, &Shape::Field::name);
    return shape;
  }

  std::mutex mutex_;  // guards the one below
  std::map<const api::TypeInfo*, std::unique_ptr<Shape>> shapes_;
};

/// One walk over one tree.
class ShapeWalk {
 public:
  explicit ShapeWalk(std::vector<std::string>& unknown) : unknown_(unknown) {}

  bool walk(Json& value, const Shape& shape) {
    switch (shape.type_->kind) {
      case Type::kObject:
        return value.is_object() ? walk_object(value, shape) : mismatch(value, shape);
      case Type::kMap:
        return value.is_object() ? walk_map(value, shape) : mismatch(value, shape);
      case Type::kList:
        return value.is_array() ? walk_list(value, shape) : mismatch(value, shape);
      case Type::kString:
        return value.is_string() || mismatch(value, shape);
      case Type::kBytes:
        return value.is_string() ? walk_bytes(value) : mismatch(value, shape);
      case Type::kInt32:
        return fits<std::int32_t>(value) || mismatch(value, shape);
      case Type::kInt64:
        return fits<std::int64_t>(value) || mismatch(value, shape);
      case Type::kFloat:
        return value.is_number() || mismatch(value, shape);
      case Type::kBool:
        return value.is_boolean() || mismatch(value, shape);
      case Type::kQuantity:
        return walk_quantity(value, shape);
      case Type::kIntOrString:
        return value.is_string() || value.is_number_integer() || mismatch(value, shape);
      case Type::kTime:
      case Type::kMicroTime:
        return walk_time(value, shape);
      case Type::kAny:
        return true;
    }
    return true;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  template <class Int>
  static bool fits(const Json& value) {
    if (value.is_number_unsigned())
      return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Int>::max());
    return value.is_number_integer() && value.get<std::int64_t>() >= std::numeric_limits<Int>::min() &&
           value.get<std::int64_t>() <= std::numeric_limits<Int>::max();
  }

  bool walk_object(Json& value, const Shape& shape) {
    auto& members = value.get_ref<Json::object_t&>();
    auto at = members.begin();
    const Shape* outer = std::exchange(owner_, &shape);
    for (const auto& field : shape.fields_) {
      while (at != members.end() && at->first < field.name) at = unknown_member(members, at);
      const bool present = at != members.end() && at->first == field.name;
      if (present && !at->second.is_null()) {
        if (!walk_member(at->second, field)) return false;
        // A zero of a plain field is the same as none; what then is always written comes back below.
        if (field.pointer || field.shape->type_->kind == Type::kAny || !is_zero(at->second) ||
            (field.always && !field.fallback)) {
          ++at;
          continue;
        }
      }
      if (present) at = members.erase(at);
      if (field.always && !fill(members, at, field)) return false;
    }
    while (at != members.end()) at = unknown_member(members, at);
    owner_ = outer;
    return true;
  }

  /// Gives an absent member its default or zero.
  bool fill(Json::object_t& members, Json::object_t::iterator before, const Shape::Field& field) {
    Json value;
    if (field.fallback) {
      value = *field.fallback;
    } else {
      switch (field.shape->type_->kind) {
        case Type::kObject:
          value = Json::object();
          break;
        case Type::kString:
          value = "";
          break;
        case Type::kBool:
          value = false;
          break;
        case Type::kTime:
        case Type::kMicroTime:
          value = nullptr;
          break;
        default:
          value = 0;
          break;
      }
    }
    if (field.shape->type_->kind == Type::kObject) {
      if (!walk_member(value, field)) return false;
    }
    members.emplace_hint(before, field.name, std::move(value));
    return true;
  }

  bool walk_member(Json& value, const Shape::Field& field) {
    path_.push_back(field.name);
    if (!walk(value, *field.shape)) return false;
    path_.pop_back();
    return true;
  }

  Json::object_t::iterator unknown_member(Json::object_t& members, Json::object_t::iterator at) {
    unknown_.push_back(path(at->first));
    return members.erase(at);
  }

  bool walk_map(Json& value, const Shape& shape) {
    for (auto& [name, item] : value.get_ref<Json::object_t&>()) {
      if (item.is_null() && shape.element_->type_->kind == Type::kString) item = "";
      path_.push_back(name);
      in_map_ = true;
      if (!item.is_null() && !walk(item, *shape.element_)) return false;
      in_map_ = false;
      path_.pop_back();
    }
    return true;
  }

  bool walk_list(Json& value, const Shape& shape) {
    std::size_t i = 0;
    for (auto& item : value.get_ref<Json::array_t&>()) {
      if (item.is_null() && shape.element_->type_->kind == Type::kObject) item = Json::object();
      path_.push_back("[" + std::to_string(i++) + "]");
      if (!item.is_null() && !walk(item, *shape.element_)) return false;
      path_.pop_back();
    }
    return true;
  }

  bool walk_quantity(Json& value, const Shape& shape) {
    if (value.is_number()) value = value.dump();
    if (!value.is_string()) return mismatch(value, shape);
    auto& text = value.get_ref<std::string&>();
    const auto quantity = api::Quantity::parse(text);
    if (!quantity) {
      error_ = quantity_complaint(text);
      return false;
    }
    // Amounts of resources, the maps among the quantities, are kept to the milli.
    std::string own = in_map_ ? quantity->rounded_up_to_milli().text() : quantity->text();
    if (own != text) text = std::move(own);
    return true;
  }

  bool walk_bytes(Json& value) {
    auto& text = value.get_ref<std::string&>();
    if (const auto place = base64_fault(text)) {
      error_ = "illegal base64 data at input byte " + std::to_string(*place);
      return false;
    }
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    return true;
  }

  bool walk_time(Json& value, const Shape& shape) {
    if (!value.is_string()) return mismatch(value, shape);
    const auto time = base::parse_time(value.get_ref<const std::string&>());
    if (!time) {
      error_ = "parsing time " + value.dump() + " as \"2006-01-02T15:04:05Z07:00\": cannot parse it";
      return false;
    }
    value = shape.type_->kind == Type::kTime ? base::format_time(*time) : base::format_micro_time(*time);
    return true;
  }

  bool mismatch(const Json& value, const Shape& shape) {
    error_ = "json: cannot unmarshal " + std::string(json_type(value));
    if (value.is_number()) error_ += " " + value.dump();
    error_ += " into Go struct field " + (owner_ != nullptr ? std::string(owner_->type_->name) : std::string()) + "." +
              go_path() + " of type " + go_type(*shape.type_);
    return false;
  }

  /// "spec.containers[0].foo"
  [[nodiscard]] std::string path(std::string_view last) const {
    std::string out;
    for (const auto& part : path_) {
      if (!out.empty() && part.front() != '[') out += '.';
      out += part;
    }
    if (!out.empty()) out += '.';
    return out.append(last);
  }

  /// Go names no indexes.
  [[nodiscard]] std::string go_path() const {
    std::string out;
    for (const auto& part : path_) {
      if (part.front() == '[') continue;
      if (!out.empty()) out += '.';
      out += part;
    }
    return out;
  }

  std::vector<std::string>& unknown_;
  std::vector<std::string> path_;
  const Shape* owner_ = nullptr;
  bool in_map_ = false;  // the value is directly that of a map
  std::string error_;
};

const Shape& Shape::of(const api::TypeInfo& type) {
  static ShapeBook book;
  return book.of(type);
}

std::optional<std::string> Shape::conform(Json& tree, std::vector<std::string>& unknown) const {
  ShapeWalk walk(unknown);
  if (walk.walk(tree, *this)) return std::nullopt;
  return walk.error();
}

}  // namespace kruise::cluster
