#include "patch/canonical.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "patch/tree.hpp"

namespace kruise::patch {
namespace {

using nlohmann::json;

void append_escape(std::string& out, unsigned char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 15U];
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '<':
      case '>':
      case '&':
        append_escape(out, static_cast<unsigned char>(c));
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          append_escape(out, static_cast<unsigned char>(c));
        } else if (text.substr(i, 3) == "\xE2\x80\xA8" || text.substr(i, 3) == "\xE2\x80\xA9") {
          out += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
          i += 2;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

/// The shortest digits that read back as the same double; zeros fill up to the point (to_chars would write the exact integer).
void append_double(std::string& out, double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string text(buffer.data(), end);
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-6 || size >= 1e21)) {
    // One-digit negative exponents lose their zero, as in 1e-7.
    if (const auto at = text.find("e-0"); at != std::string::npos) text.erase(at + 2, 1);
    out += text;
    return;
  }
  const auto e = text.find('e');
  const std::string_view power = std::string_view(text).substr(e + (text[e + 1] == '+' ? 2 : 1));
  int exponent = 0;
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  text.erase(e);
  if (text.front() == '-') {
    out += '-';
    text.erase(0, 1);
  }
  if (text.size() > 1) text.erase(1, 1);  // the point
  const auto digits = static_cast<int>(text.size());
  if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + text;
  } else if (digits <= exponent + 1) {
    out += text + std::string(static_cast<std::size_t>(exponent + 1 - digits), '0');
  } else {
    const auto point = static_cast<std::size_t>(exponent) + 1;
    out += text.substr(0, point) + "." + text.substr(point);
  }
}

struct Writer {
  std::string out;
  bool through_double;

  void value(const json& tree, const api::TypeInfo* type) {
    switch (tree.type()) {
      case json::value_t::object:
        object(tree, type);
        break;
      case json::value_t::array: {
        const auto* element = type != nullptr && type->kind == api::TypeInfo::Kind::kList ? type->element : nullptr;
        out += '[';
        for (auto it = tree.begin(); it != tree.end(); ++it) {
          if (it != tree.begin()) out += ',';
          value(*it, element);
        }
        out += ']';
        break;
      }
      case json::value_t::string:
        append_string(out, tree.get_ref<const std::string&>());
        break;
      case json::value_t::number_float:
        append_double(out, tree.get<double>());
        break;
      case json::value_t::number_integer:
      case json::value_t::number_unsigned:
        through_double ? append_double(out, tree.get<double>()) : void(out += tree.dump());
        break;
      default:
        out += tree.dump();
    }
  }

  void object(const json& tree, const api::TypeInfo* type) {
    const bool declared = type != nullptr && type->kind == api::TypeInfo::Kind::kObject;
    bool comma = false;
    const auto member = [&](std::string_view name, const json& inner, const api::TypeInfo* inner_type) {
      if (comma) out += ',';
      comma = true;
      append_string(out, name);
      out += ':';
      value(inner, inner_type);
    };
    out += '{';
    if (declared) {
      for (const auto& field : type->fields) {
        if (const auto found = tree.find(field.name); found != tree.end()) member(field.name, *found, field.type);
      }
    }
    for (const auto& [name, inner] : tree.items()) {
      if (!declared || type->field(name) == nullptr) {
        member(name, inner, type != nullptr && type->kind == api::TypeInfo::Kind::kMap ? type->element : nullptr);
      }
    }
    out += '}';
  }
};

}  // namespace

std::string canonical_text(const json& tree) {
  Writer writer{{}, true};
  writer.value(tree, nullptr);
  return std::move(writer.out);
}

base::Result<std::string, Error> canonical_text(std::string_view text) {
  const auto tree = parse_tree(text);
  if (!tree) return tree.error();
  return canonical_text(*tree);
}

std::string declared_text(const json& tree, const api::TypeInfo* type) {
  Writer writer{{}, false};
  writer.value(tree, type);
  return std::move(writer.out);
}

bool same_text(std::string_view a, std::string_view b) {
  if (a == b) return parse_tree(a).ok();
  const auto left = parse_tree(a);
  const auto right = parse_tree(b);
  return left.ok() && right.ok() && *left == *right;
}

}  // namespace kruise::patch
