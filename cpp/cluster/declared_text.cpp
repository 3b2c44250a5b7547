#include "cluster/declared_text.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

void append_member(std::string& out, std::string_view name, const Json& value, const api::TypeInfo* type);

void append_value(std::string& out, const Json& value, const api::TypeInfo* type) {
  if (value.is_array()) {
    const bool list = type != nullptr && type->kind == api::TypeInfo::Kind::kList;
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append_value(out, value[i], list ? type->element : type);
    }
    out += ']';
    return;
  }
  if (!value.is_object() || type == nullptr || type->kind != api::TypeInfo::Kind::kObject) return append_json(out, value);
  out += '{';
  for (const auto& field : type->fields) {
    if (const auto found = value.find(field.name); found != value.end()) append_member(out, field.name, *found, field.type);
  }
  for (const auto& [name, item] : value.get_ref<const Json::object_t&>()) {
    if (type->field(name) == nullptr) append_member(out, name, item, nullptr);
  }
  out += '}';
}

void append_member(std::string& out, std::string_view name, const Json& value, const api::TypeInfo* type) {
  if (out.back() != '{') out += ',';
  base::append_json_string(out, name);
  out += ':';
  append_value(out, value, type);
}

}  // namespace

std::string declared_text(const Json& value, const api::TypeInfo& type) {
  std::string out;
  append_value(out, value, &type);
  return out;
}

}  // namespace kruise::cluster
