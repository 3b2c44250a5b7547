#include "cluster/json_path.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool quoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.front() == text.back();
}

std::string_view unquoted(std::string_view text) { return quoted(text) ? text.substr(1, text.size() - 2) : text; }

}  // namespace

JsonPath JsonPath::parse(std::string_view text) {
  JsonPath path;
  while (!text.empty()) {
    if (text.front() == '[') {
      const bool filter = text.starts_with("[?(");
      const std::size_t end = text.find(filter ? ")]" : "]");
      if (end == std::string_view::npos) {
        path.steps_.push_back({});
        return path;
      }
      path.parse_bracket(text.substr(1, end - 1 + (filter ? 1 : 0)));
      text.remove_prefix(end + (filter ? 2 : 1));
      continue;
    }
    if (text.front() == '.') text.remove_prefix(1);
    std::string name;
    while (!text.empty() && text.front() != '.' && text.front() != '[') {
      if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
      name += text.front();
      text.remove_prefix(1);
    }
    if (name == "*") {
      path.steps_.push_back({.kind = Step::Kind::kAll, .name = {}, .value = {}});
    } else if (!name.empty()) {
      path.steps_.push_back({.kind = Step::Kind::kMember, .name = std::move(name), .value = {}});
    }
  }
  return path;
}

void JsonPath::parse_bracket(std::string_view inside) {
  inside = trimmed(inside);
  Step step;
  if (inside == "*") {
    step.kind = Step::Kind::kAll;
  } else if (quoted(inside)) {
    step.kind = Step::Kind::kMember;
    step.name = unquoted(inside);
  } else if (inside.starts_with("?(@.") && inside.ends_with(')')) {
    const std::string_view term = inside.substr(4, inside.size() - 5);
    std::size_t op = term.find("==");
    step.equal = op != std::string_view::npos;
    if (!step.equal) op = term.find("!=");
    if (op != std::string_view::npos) {
      step.kind = Step::Kind::kFilter;
      step.name = trimmed(term.substr(0, op));
      step.value = unquoted(trimmed(term.substr(op + 2)));
    }
  } else if (std::from_chars(inside.data(), inside.data() + inside.size(), step.index).ptr == inside.data() + inside.size() &&
             !inside.empty()) {
    step.kind = Step::Kind::kIndex;
  }
  steps_.push_back(std::move(step));
}

std::vector<const Json*> JsonPath::find(const Json& tree) const {
  std::vector<const Json*> found{&tree};
  for (const Step& step : steps_) {
    std::vector<const Json*> next;
    for (const Json* at : found) {
      switch (step.kind) {
        case Step::Kind::kMember:
          if (const Json* value = member(*at, step.name)) next.push_back(value);
          break;
        case Step::Kind::kIndex: {
          const auto size = at->is_array() ? static_cast<std::int64_t>(at->size()) : 0;
          const std::int64_t i = step.index < 0 ? size + step.index : step.index;
          if (i >= 0 && i < size) next.push_back(&(*at)[static_cast<std::size_t>(i)]);
          break;
        }
        case Step::Kind::kAll:
          for (const Json& item : *at) next.push_back(&item);
          break;
        case Step::Kind::kFilter:
          if (!at->is_array()) break;
          for (const Json& item : *at) {
            const auto values = parse("." + step.name).find(item);
            const bool equal =
                !values.empty() && (values.front()->is_string() ? values.front()->get_ref<const std::string&>() == step.value
                                                                : values.front()->dump() == step.value);
            if (equal == step.equal) next.push_back(&item);
          }
          break;
        case Step::Kind::kNothing:
          break;
      }
    }
    found = std::move(next);
  }
  return found;
}

}  // namespace kruise::cluster
