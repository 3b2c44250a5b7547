#include "patch/random_trees.hpp"

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
