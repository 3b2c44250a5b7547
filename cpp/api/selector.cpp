#include "api/selector.hpp"

#include <algorithm>

#include "api/label.hpp"

namespace kruise::api {
namespace {

using Op = Selector::Op;
using Requirement = Selector::Requirement;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + values[i];
  return text;
}

void make_set(std::vector<std::string>& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

/// Reads the query form, one token at a time.
class QueryReader {
 public:
  explicit QueryReader(std::string_view text) : rest_(text) { next(); }

  base::Result<std::vector<Requirement>, std::string> read() {
    std::vector<Requirement> requirements;
    if (token_.empty()) return requirements;
    while (true) {
      if (token_ != "!" && (token_.empty() || is_symbol(token_)))
        fail(requirements.empty() ? "!, identifier, or 'end of string'" : "identifier after ','");
      if (!fault_.empty()) return fault_;
      requirements.push_back(requirement());
      if (!fault_.empty()) return "unable to parse requirement: " + fault_;
      if (!token_.empty() && token_ != ",") fail("',' or 'end of string'");
      if (!fault_.empty()) return fault_;
      if (token_.empty()) return requirements;
      next();
    }
  }

 private:
  static bool is_symbol(std::string_view token) {
    return !token.empty() && std::string_view("=!(),").find(token.front()) != std::string_view::npos;
  }

  /// A symbol (`=`, `==`, `!=`, `!`, `(`, `)`, `,`), a word, or nothing at the end.
  void next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    std::size_t size = 0;
    if (is_symbol(rest_)) {
      size = rest_.starts_with("==") || rest_.starts_with("!=") ? 2 : 1;
    } else {
      size = std::min(rest_.find_first_of(" \t\r\n=!(),"), rest_.size());
    }
    token_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  void fail(std::string_view expected) {
    // The original's words, which clients of its API know.
    if (fault_.empty())
      fault_ = "found '" + std::string(token_) + "'" + (expected == "'('" ? "" : ",") + " expected: " + std::string(expected);
  }

  std::string word(std::string_view what) {
    if (token_.empty() || is_symbol(token_)) {
      fail(what);
      return {};
    }
    std::string text(token_);
    next();
    return text;
  }

  std::string value() {
    std::string text;
    if (!token_.empty() && token_ != "," && token_ != ")") text = word("identifier");
    return text;
  }

  std::vector<std::string> values() {
    std::vector<std::string> found;
    if (token_ != "(") {
      fail("'('");
      return found;
    }
    do {
      next();
      found.push_back(value());
    } while (fault_.empty() && token_ == ",");
    if (token_ != ")") {
      fail("',' or ')'");
      return found;
    }
    next();
    make_set(found);
    return found;
  }

  Requirement requirement() {
    Requirement found;
    const bool negated = token_ == "!";
    if (negated) next();
    found.key = word("identifier");
    if (!fault_.empty() || negated) {
      found.op = Op::kDoesNotExist;
      return found;
    }
    const std::string_view op = token_;
    if (op.empty() || op == ",") return found;  // exists
    if (op == "=" || op == "==" || op == "!=") {
      next();
      found.op = op == "!=" ? Op::kNotEquals : Op::kEquals;
      found.values = {value()};
    } else if (op == "in" || op == "notin") {
      next();
      found.op = op == "in" ? Op::kIn : Op::kNotIn;
      found.values = values();
    } else {
      fail("in, notin, =, ==, !=, gt, lt");
    }
    return found;
  }

  std::string_view rest_;
  std::string_view token_;
  std::string fault_;
};

std::optional<Op> op_of(std::string_view word) {
  if (word == "In") return Op::kIn;
  if (word == "NotIn") return Op::kNotIn;
  if (word == "Exists") return Op::kExists;
  if (word == "DoesNotExist") return Op::kDoesNotExist;
  return std::nullopt;
}

/// What is wrong with one member of matchExpressions; empty when nothing is.
std::string fault_of(const LabelSelector::Requirement& expression) {
  if (expression.key.empty()) return ".key: must not be empty";
  if (!is_label_key(expression.key)) return ".key: " + quoted(expression.key) + " is not a label key";
  const auto op = op_of(expression.op);
  if (!op) return ".operator: " + quoted(expression.op) + " is not a valid operator";
  const bool takes_values = *op == Op::kIn || *op == Op::kNotIn;
  if (takes_values == expression.values.empty()) {
    return std::string(".values: ") + (takes_values ? "must be specified" : "may not be specified") + " when `operator` is '" +
           expression.op + "'";
  }
  const auto bad = std::ranges::find_if_not(expression.values, is_label_value);
  return bad == expression.values.end() ? std::string() : ".values: " + quoted(*bad) + " is not a label value";
}

}  // namespace

base::Result<Selector, std::string> Selector::from(const LabelSelector& wire) {
  Selector selector;
  for (const auto& [key, value] : wire.match_labels) {
    if (!is_label_key(key)) return "matchLabels: " + quoted(key) + " is not a label key";
    if (!is_label_value(value)) return "matchLabels[" + key + "]: " + quoted(value) + " is not a label value";
    selector.requirements_.push_back({key, Op::kEquals, {value}});
  }
  for (std::size_t i = 0; i < wire.match_expressions.size(); ++i) {
    const auto& expression = wire.match_expressions[i];
    if (const auto fault = fault_of(expression); !fault.empty()) return "matchExpressions[" + std::to_string(i) + "]" + fault;
    auto& requirement =
        selector.requirements_.emplace_back(Requirement{expression.key, *op_of(expression.op), expression.values});
    make_set(requirement.values);
  }
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

base::Result<Selector, std::string> Selector::parse(std::string_view text) {
  auto requirements = QueryReader(text).read();
  if (!requirements) return requirements.error();
  Selector selector;
  selector.requirements_ = std::move(*requirements);
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

bool Selector::matches(const Lookup& label) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& r) {
    const auto value = label(r.key);
    const bool listed = value && std::ranges::find(r.values, *value) != r.values.end();
    switch (r.op) {
      case Op::kEquals:
      case Op::kIn:
        return listed;
      case Op::kNotEquals:
      case Op::kNotIn:
        return !listed;
      case Op::kExists:
        return value.has_value();
      case Op::kDoesNotExist:
        return !value.has_value();
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
      case Op::kEquals:
        text += r.key + "=" + r.values[0];
        break;
      case Op::kNotEquals:
        text += r.key + "!=" + r.values[0];
        break;
      case Op::kIn:
        text += r.key + " in (" + joined(r.values) + ")";
        break;
      case Op::kNotIn:
        text += r.key + " notin (" + joined(r.values) + ")";
        break;
      case Op::kExists:
        text += r.key;
        break;
      case Op::kDoesNotExist:
        text += "!" + r.key;
        break;
    }
  }
  return text;
}

}  // namespace kruise::api
