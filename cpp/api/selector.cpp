#include "api/selector.hpp"

#include <algorithm>

namespace kruise::api {
namespace {

using Op = Selector::Op;

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

std::string_view take_token(std::string_view& text) {
  skip_spaces(text);
  std::size_t n = 0;
  while (n < text.size() && std::string_view(" ,()=!").find(text[n]) == std::string_view::npos) ++n;
  const std::string_view token = text.substr(0, n);
  text.remove_prefix(n);
  skip_spaces(text);
  return token;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  skip_spaces(text);
  return true;
}

std::optional<std::vector<std::string>> take_values(std::string_view& text) {
  if (!take(text, "(")) return std::nullopt;
  std::vector<std::string> values;
  while (true) {
    values.emplace_back(take_token(text));
    if (take(text, ")")) break;
    if (!take(text, ",")) return std::nullopt;
  }
  std::ranges::sort(values);
  return values;
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}

}  // namespace

base::Result<Selector, std::string> Selector::from(const LabelSelector& wire) {
  Selector selector;
  for (const auto& [key, value] : wire.match_labels) selector.requirements_.push_back({key, Op::kEquals, {value}});
  for (std::size_t i = 0; i < wire.match_expressions.size(); ++i) {
    const auto& expression = wire.match_expressions[i];
    const std::string at = "matchExpressions[" + std::to_string(i) + "]";
    Requirement requirement{expression.key, Op::kExists, expression.values};
    if (expression.key.empty()) return at + ".key: must not be empty";
    if (expression.op == "In") {
      requirement.op = Op::kIn;
    } else if (expression.op == "NotIn") {
      requirement.op = Op::kNotIn;
    } else if (expression.op == "Exists") {
      requirement.op = Op::kExists;
    } else if (expression.op == "DoesNotExist") {
      requirement.op = Op::kDoesNotExist;
    } else {
      return at + ".operator: \"" + expression.op + "\" is not a valid operator";
    }
    const bool takes_values = requirement.op == Op::kIn || requirement.op == Op::kNotIn;
    if (takes_values == expression.values.empty()) {
      return at + ".values: " + (takes_values ? "must be specified" : "may not be specified") + " when `operator` is '" + expression.op + "'";
    }
    std::ranges::sort(requirement.values);
    selector.requirements_.push_back(std::move(requirement));
  }
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

base::Result<Selector, std::string> Selector::parse(std::string_view text) {
  const std::string whole(text);
  Selector selector;
  skip_spaces(text);
  while (!text.empty()) {
    Requirement requirement;
    const bool negated = take(text, "!");
    requirement.key = std::string(take_token(text));
    if (requirement.key.empty()) return "cannot parse selector \"" + whole + "\": a key is missing";
    if (negated) {
      requirement.op = Op::kDoesNotExist;
    } else if (take(text, "!=")) {
      requirement.op = Op::kNotEquals;
      requirement.values = {std::string(take_token(text))};
    } else if (take(text, "==") || take(text, "=")) {
      requirement.op = Op::kEquals;
      requirement.values = {std::string(take_token(text))};
    } else if (!text.empty() && text.front() != ',') {
      const bool not_in = take(text, "notin");
      if (!not_in && !take(text, "in")) return "cannot parse selector \"" + whole + "\" at \"" + std::string(text) + "\"";
      auto values = take_values(text);
      if (!values) return "cannot parse selector \"" + whole + "\": a list of values is not closed";
      requirement.op = not_in ? Op::kNotIn : Op::kIn;
      requirement.values = std::move(*values);
    }
    selector.requirements_.push_back(std::move(requirement));
    if (!text.empty() && !take(text, ",")) return "cannot parse selector \"" + whole + "\" at \"" + std::string(text) + "\"";
  }
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

bool Selector::matches(const Lookup& label) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& r) {
    const auto value = label(r.key);
    const bool listed = value && std::ranges::find(r.values, *value) != r.values.end();
    switch (r.op) {
      case Op::kEquals:
      case Op::kIn: return listed;
      case Op::kNotEquals:
      case Op::kNotIn: return !listed;
      case Op::kExists: return value.has_value();
      case Op::kDoesNotExist: return !value.has_value();
    }
    return false;
  });
}

bool Selector::matches(const StringMap& labels) const {
  return matches([&](std::string_view key) -> std::optional<std::string_view> {
    const auto found = labels.find(key);
    if (found == labels.end()) return std::nullopt;
    return found->second;
  });
}

std::string Selector::text() const {
  std::string text;
  for (const auto& r : requirements_) {
    if (!text.empty()) text += ',';
    switch (r.op) {
      case Op::kEquals: text += r.key + "=" + r.values[0]; break;
      case Op::kNotEquals: text += r.key + "!=" + r.values[0]; break;
      case Op::kIn: text += r.key + " in (" + joined(r.values) + ")"; break;
      case Op::kNotIn: text += r.key + " notin (" + joined(r.values) + ")"; break;
      case Op::kExists: text += r.key; break;
      case Op::kDoesNotExist: text += "!" + r.key; break;
    }
  }
  return text;
}

}  // namespace kruise::api
