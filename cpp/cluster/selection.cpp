#include "cluster/selection.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cluster/answer.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

struct Term {
  std::string_view field, value;
  bool equal;
};

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::optional<Term> split_term(std::string_view text) {
  for (const std::string_view op : {"!=", "==", "="}) {
    if (const auto at = text.find(op); at != std::string_view::npos) {
      return Term{text.substr(0, at), text.substr(at + op.size()), op != "!="};
    }
  }
  return std::nullopt;
}

/// What is wrong with the numbers among the options of a list.
std::optional<std::string> number_fault(const Query& query) {
  for (const std::string_view name : {"limit", "timeoutSeconds"}) {
    const std::string_view text = query.get(name);
    if (text.empty()) continue;
    const std::string quoted = "strconv.ParseInt: parsing \"" + std::string(text) + "\": ";
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), text.data() + text.size(), value);
    if (read.ec == std::errc::result_out_of_range) return quoted + "value out of range";
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return quoted + "invalid syntax";
  }
  return std::nullopt;
}

/// What is wrong with the key and values of a term that could be read; empty when nothing is.
std::string requirement_fault(const api::Selector::Requirement& requirement) {
  const auto fault = [](const std::string& where, const std::string& value, const std::string& complaint) {
    return where + ": Invalid value: \"" + value + "\": " + complaint;
  };
  for (const auto& complaint : check_qualified_name(requirement.key)) return fault("<nil>", requirement.key, complaint);
  for (std::size_t i = 0; i < requirement.values.size(); ++i) {
    for (const auto& complaint : check_label_value(requirement.values[i]))
      return fault("values[" + std::to_string(i) + "][" + requirement.key + "]", requirement.values[i], complaint);
  }
  return {};
}

std::string unsupported_field(const Kind& kind, std::string_view field) {
  if (kind.selects_own_fields()) return "field label not supported: " + std::string(field);
  return "\"" + std::string(field) + "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
}

std::size_t term_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      return i;
    }
  }
  return text.size();
}

}  // namespace

base::Result<Selection, client::Response> Selection::from(const KindPtr& kind, const RequestInfo& info) {
  Selection selection;
  selection.kind_ = kind;
  if (kind->names().namespaced && !info.ns.empty()) selection.prefix_ = info.ns + "/";
  if (const auto fault = number_fault(info.query)) return bad_request(*fault);
  auto labels = api::Selector::parse(info.query.get("labelSelector"));
  if (!labels) return bad_request(labels.error());
  for (const auto& requirement : labels->requirements()) {
    if (const auto fault = requirement_fault(requirement); !fault.empty())
      return bad_request("unable to parse requirement: " + fault);
  }
  selection.labels_ = std::move(*labels);

  std::string_view rest = info.query.get("fieldSelector");
  while (!rest.empty()) {
    const std::size_t end = term_end(rest);
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.empty()) continue;
    const auto term = split_term(text);
    if (!term)
      return bad_request("invalid selector: '" + std::string(info.query.get("fieldSelector")) + "'; can't understand '" +
                         std::string(text) + "'");
    if (!kind->is_selectable(term->field)) return bad_request(unsupported_field(*kind, term->field));
    selection.fields_.push_back({std::string(term->field), unescaped(term->value), term->equal});
  }
  return selection;
}

bool Selection::matches(const Object& object) const {
  if (!object.path().starts_with(prefix_)) return false;
  for (const auto& term : fields_) {
    if (term.field == "metadata.name") {
      if ((object.name() == term.value) != term.equal) return false;
    } else if (term.field == "metadata.namespace") {
      if ((object.ns() == term.value) != term.equal) return false;
    } else if ((kind_->selectable(object, term.field).value_or("") == term.value) != term.equal) {
      return false;
    }
  }
  if (labels_.empty()) return true;
  const Json labels = object.value_at("metadata.labels");
  return labels_.matches([&](std::string_view key) -> std::optional<std::string_view> {
    const Json* value = member(labels, key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_ref<const std::string&>());
  });
}

}  // namespace kruise::cluster
