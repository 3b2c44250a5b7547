#include "cluster/protobuf_body.hpp"

#include <nlohmann/json.hpp>
#include <protozero/pbf_reader.hpp>

#include "api/schema.hpp"
#include "base/time.hpp"
#include "cluster/base64.hpp"

namespace kruise::cluster {
namespace {

using Json = nlohmann::json;
using Type = api::TypeInfo::Kind;
using Reader = protozero::pbf_reader;

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr int kDepthMax = 100;

std::string_view view(const protozero::data_view& data) { return {data.data(), data.size()}; }

Json read_message(Reader message, const api::TypeInfo& type, int depth);

Json read_quantity(Reader message) {
  std::string text;
  while (message.next(1)) text = message.get_string();
  return text;
}

Json read_int_or_string(Reader message) {
  std::int64_t type = 0;
  std::int64_t number = 0;
  std::string text;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        type = message.get_int64();
        break;
      case 2:
        number = message.get_int32();
        break;
      case 3:
        text = message.get_string();
        break;
      default:
        message.skip();
    }
  }
  return type == 0 ? Json(number) : Json(text);
}

Json read_time(Reader message, bool micro) {
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  bool set = false;
  while (message.next()) {
    set = true;
    switch (message.tag()) {
      case 1:
        seconds = message.get_int64();
        break;
      case 2:
        nanos = message.get_int32();
        break;
      default:
        message.skip();
    }
  }
  if (!set) return nullptr;
  const base::Time time{std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos)};
  return micro ? base::format_micro_time(time) : base::format_time(time);
}

Json read_raw(Reader message) {
  std::string text;
  while (message.next(1)) text = message.get_string();
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(nullptr) : value;
}

Json read_value(Reader& field, const api::TypeInfo& type, int depth) {
  switch (type.kind) {
    case Type::kString:
      return std::string(view(field.get_view()));
    case Type::kBytes:
      return base64_encode(view(field.get_view()));
    case Type::kInt32:
      return field.get_int32();
    case Type::kInt64:
      return field.get_int64();
    case Type::kFloat:
      return field.get_double();
    case Type::kBool:
      return field.get_bool();
    case Type::kQuantity:
      return read_quantity(field.get_message());
    case Type::kIntOrString:
      return read_int_or_string(field.get_message());
    case Type::kTime:
      return read_time(field.get_message(), false);
    case Type::kMicroTime:
      return read_time(field.get_message(), true);
    case Type::kAny:
      return read_raw(field.get_message());
    case Type::kObject:
      return read_message(field.get_message(), type, depth + 1);
    case Type::kList: {
      // A list within a map travels as a message of one repeated field.
      Json list = Json::array();
      Reader items = field.get_message();
      while (items.next(1)) list.push_back(read_value(items, *type.element, depth + 1));
      return list;
    }
    case Type::kMap:
      break;
  }
  field.skip();
  return nullptr;
}

void read_entry(Reader entry, const api::TypeInfo& type, Json& map, int depth) {
  std::string key;
  Json value = type.element->kind == Type::kString || type.element->kind == Type::kBytes ? Json("") : Json(nullptr);
  while (entry.next()) {
    if (entry.tag() == 1) {
      key = entry.get_string();
    } else if (entry.tag() == 2) {
      value = read_value(entry, *type.element, depth);
    } else {
      entry.skip();
    }
  }
  map[key] = std::move(value);
}

void read_fields(Reader& message, const api::TypeInfo& type, std::uint8_t outer, Json& object, int depth) {
  while (message.next()) {
    const api::FieldInfo* found = nullptr;
    bool is_outer = false;
    for (const auto& field : type.fields) {
      if (field.proto_outer == outer && field.proto_field == message.tag()) found = &field;
      if (outer == 0 && field.proto_outer != 0 && field.proto_outer == message.tag()) is_outer = true;
    }
    if (is_outer) {
      const auto tag = static_cast<std::uint8_t>(message.tag());
      Reader inner = message.get_message();
      read_fields(inner, type, tag, object, depth);
    } else if (found == nullptr) {
      message.skip();
    } else if (found->type->kind == Type::kMap) {
      Json& map = object[std::string(found->name)];
      if (!map.is_object()) map = Json::object();
      read_entry(message.get_message(), *found->type, map, depth);
    } else if (found->type->kind == Type::kList) {
      object[std::string(found->name)].push_back(read_value(message, *found->type->element, depth));
    } else {
      Json value = read_value(message, *found->type, depth);
      if (!value.is_null()) object[std::string(found->name)] = std::move(value);
    }
  }
}

Json read_message(Reader message, const api::TypeInfo& type, int depth) {
  if (depth > kDepthMax) throw protozero::invalid_length_exception();
  Json object = Json::object();
  read_fields(message, type, 0, object, depth);
  return object;
}

struct Envelope {
  std::string api_version, kind;
  std::string_view raw;
};

Envelope read_envelope(std::string_view body) {
  Envelope envelope;
  Reader unknown(body.data(), body.size());
  while (unknown.next()) {
    if (unknown.tag() == 1) {
      Reader type = unknown.get_message();
      while (type.next()) {
        if (type.tag() == 1) {
          envelope.api_version = type.get_string();
        } else if (type.tag() == 2) {
          envelope.kind = type.get_string();
        } else {
          type.skip();
        }
      }
    } else if (unknown.tag() == 2) {
      envelope.raw = view(unknown.get_view());
    } else {
      unknown.skip();
    }
  }
  return envelope;
}

}  // namespace

base::Result<Json, std::string> parse_protobuf_body(std::string_view body) {
  if (!body.starts_with(kMagic))
    return std::string("provided data does not appear to be a protobuf message, expected prefix \"k8s\\0\"");
  try {
    const Envelope envelope = read_envelope(body.substr(kMagic.size()));
    const auto slash = envelope.api_version.find('/');
    const std::string group = slash == std::string::npos ? std::string() : envelope.api_version.substr(0, slash);
    const std::string version = slash == std::string::npos ? envelope.api_version : envelope.api_version.substr(slash + 1);
    const api::TypeInfo* type = api::core_type(group, version, envelope.kind);
    if (type == nullptr) type = api::part_type(envelope.kind);
    if (type == nullptr) return "no kind \"" + envelope.kind + "\" is registered for version \"" + envelope.api_version + "\"";
    Json tree = read_message(Reader(envelope.raw.data(), envelope.raw.size()), *type, 0);
    tree["kind"] = envelope.kind;
    tree["apiVersion"] = envelope.api_version;
    return tree;
  } catch (const protozero::exception& error) {
    return std::string("the protobuf body cannot be read: ") + error.what();
  }
}

}  // namespace kruise::cluster
