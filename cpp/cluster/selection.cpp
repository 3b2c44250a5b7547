#include "cluster/selection.hpp"

#include <algorithm>
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
  auto labels = api::Selector::parse(info.query.get("labelSelector"));
  if (!labels) return bad_request("unable to parse requirement: " + labels.error());
  for (const auto& requirement : labels->requirements()) {
    for (const auto& complaint : check_qualified_name(requirement.key)) {
      return bad_request("unable to parse requirement: <nil>: Invalid value: \"" + requirement.key + "\": " + complaint);
    }
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
    if (!kind->is_selectable(term->field)) {
      const std::string gv = kind->names().group + "/" + kind->names().version;
      return bad_request("Unable to find \"" + gv + ", Resource=" + kind->names().plural + "\" that match label selector \"" +
                         selection.labels_.text() + "\", field selector \"" + std::string(info.query.get("fieldSelector")) +
                         "\": field label not supported: " + std::string(term->field));
    }
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
    } else if ((kind_->selectable(object.tree(), term.field).value_or("") == term.value) != term.equal) {
      return false;
    }
  }
  if (labels_.empty()) return true;
  const Json* labels = member_at(object.tree(), {"metadata", "labels"});
  return labels_.matches([&](std::string_view key) -> std::optional<std::string_view> {
    const Json* value = labels == nullptr ? nullptr : member(*labels, key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_ref<const std::string&>());
  });
}

}  // namespace kruise::cluster
