#include "patch/random_trees.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kruise::patch::test {

using nlohmann::json;

namespace {
const char* const kNames[] = {"a", "b", "c", "name", "a/b", "~", "", "é", "0", "-"};
std::string random_name(base::Random& random) { return kNames[random.below(std::size(kNames))]; }
}  // namespace

json random_value(base::Random& random, int depth, bool nulls) {
  switch (random.below(depth > 0 ? 9 : 6)) {
    case 0:
      if (nulls) return nullptr;
      [[fallthrough]];
    case 1:
      return random.below(2) == 0;
    case 2:
      return static_cast<std::int64_t>(random.below(5)) - 2;
    case 3:
      return static_cast<double>(random.below(8)) / 4;
    case 4:
    case 5:
      return random_name(random);
    case 6: {
      json list = json::array();
      for (auto n = random.below(5); n > 0; --n) list.push_back(random_value(random, depth - 1, nulls));
      return list;
    }
    default: {
      json object = json::object();
      for (auto n = random.below(5); n > 0; --n) object[random_name(random)] = random_value(random, depth - 1, nulls);
      return object;
    }
  }
}

json random_object(base::Random& random, int depth) {
  json object = json::object();
  for (auto n = random.below(7); n > 0; --n) object[random_name(random)] = random_value(random, depth - 1);
  return object;
}

namespace {

bool holds(const json& list, const json& element, std::string_view merge_key) {
  return std::any_of(list.begin(), list.end(), [&](const json& other) {
    if (merge_key.empty() || !element.is_object()) return other == element;
    return other.at(std::string(merge_key)) == element.at(std::string(merge_key));
  });
}

json random_list(base::Random& random, const api::FieldInfo& field, int depth) {
  json list = json::array();
  for (auto n = random.below(4); n > 0; --n) {
    json element = random_of_type(random, *field.type->element, depth);
    if (!field.merge_key.empty() && !element.contains(field.merge_key)) {
      const auto* key = field.type->element->field(field.merge_key);
      element[std::string(field.merge_key)] = random_of_type(random, *key->type, 0);
    }
    if (!field.patch_merge || !holds(list, element, field.merge_key)) list.push_back(std::move(element));
  }
  return list;
}

}  // namespace

json random_of_type(base::Random& random, const api::TypeInfo& type, int depth) {
  using Kind = api::TypeInfo::Kind;
  const char* const texts[] = {"a", "b", "c", ""};
  const char* const amounts[] = {"1", "1000m", "1.5Gi", "0", "500u", "1e3"};
  switch (type.kind) {
    case Kind::kObject: {
      json object = json::object();
      if (depth <= 0) return object;
      for (const auto& field : type.fields) {
        if (random.below(type.fields.size()) >= 5) continue;
        const bool list = field.type->kind == Kind::kList;
        object[std::string(field.name)] =
            list ? random_list(random, field, depth - 1) : random_of_type(random, *field.type, depth - 1);
      }
      return object;
    }
    case Kind::kMap: {
      json map = json::object();
      for (auto n = random.below(4); n > 0; --n) map[texts[random.below(3)]] = random_of_type(random, *type.element, depth - 1);
      return map;
    }
    case Kind::kList: {
      json list = json::array();
      for (auto n = random.below(3); n > 0; --n) list.push_back(random_of_type(random, *type.element, depth - 1));
      return list;
    }
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kFloat:
    case Kind::kIntOrString:
      return static_cast<std::int64_t>(random.below(3));
    case Kind::kBool:
      return random.below(2) == 0;
    case Kind::kQuantity:
      return amounts[random.below(std::size(amounts))];
    case Kind::kAny:
      return random_value(random, 1, false);
    default:
      return texts[random.below(std::size(texts))];
  }
}

json mutated(json tree, base::Random& random) {
  json* at = &tree;
  while (at->is_structured() && !at->empty() && random.below(3) != 0) {
    auto child = at->begin();
    std::advance(child, static_cast<std::ptrdiff_t>(random.below(at->size())));
    at = &*child;
  }
  if (at->is_object() && random.below(3) != 0) {
    (*at)[random_name(random)] = random_value(random, 2);
    if (random.below(2) == 0) at->erase(at->begin());
  } else if (at->is_array() && random.below(3) != 0) {
    at->insert(at->begin() + static_cast<std::ptrdiff_t>(random.below(at->size() + 1)), random_value(random, 1));
    if (random.below(2) == 0) at->erase(random.below(at->size()));
  } else {
    *at = random_value(random, 2);
  }
  return tree;
}

std::string damaged(std::string text, base::Random& random) {
  for (auto n = 1 + random.below(3); n > 0 && !text.empty(); --n) {
    const auto at = random.below(text.size());
    switch (random.below(3)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, 1 + random.below(4));
        break;
      default:
        text.insert(at, text.substr(at, 1 + random.below(4)));
    }
  }
  return text;
}

json without_null_members(json tree) {
  if (!tree.is_object()) return tree;
  for (auto it = tree.begin(); it != tree.end();) {
    if (it->is_null()) {
      it = tree.erase(it);
    } else {
      *it = without_null_members(std::move(*it));
      ++it;
    }
  }
  return tree;
}

}  // namespace kruise::patch::test
