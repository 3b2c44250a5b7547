#include "patch/json_patch.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "patch/tree.hpp"

namespace kruise::patch::json_patch {
namespace {

using nlohmann::json;

std::string unescape(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

std::string escape(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// Equal in kind too: 1 is not 1.0, as in an API server, which compares the numbers' text.
bool same_to_the_letter(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return a.is_number_float() == b.is_number_float() && a == b;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), same_to_the_letter);
  if (!a.is_object()) return a == b;
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    if (x.key() != y.key() || !same_to_the_letter(*x, *y)) return false;
  }
  return true;
}

/// About the length of the tree as text.
std::size_t text_size(const json& tree) {
  if (tree.is_string()) return tree.get_ref<const std::string&>().size() + 2;
  std::size_t size = 4;
  if (tree.is_array()) {
    for (const auto& item : tree) size += text_size(item) + 1;
  } else if (tree.is_object()) {
    for (const auto& [key, value] : tree.items()) size += key.size() + 4 + text_size(value);
  }
  return size;
}

/// A place in the document: a container and the name or index within it.
struct Place {
  json* container = nullptr;  // null: there is none
  std::string token;
};

class Patcher {
 public:
  Patcher(json& document, Dialect dialect) : document_(document), strict_(dialect == Dialect::kStrict) {}

  /// The reason why the operation does not apply.
  std::optional<std::string> run(json& operation) {
    const json* op = operation.is_object() ? member(operation, "op") : nullptr;
    if (op == nullptr || !op->is_string()) return "Unexpected kind: unknown";
    op_ = op->get<std::string>();
    if (op_ != "add" && op_ != "remove" && op_ != "replace" && op_ != "move" && op_ != "copy" && op_ != "test") {
      return "Unexpected kind: " + op_;
    }
    const json* path = member(operation, "path");
    if (path == nullptr || !path->is_string()) return op_ + " operation failed to decode path: missing value";
    path_ = path->get<std::string>();
    if (op_ == "remove") return remove();
    if (op_ == "move" || op_ == "copy") {
      const json* from = member(operation, "from");
      if (from == nullptr || !from->is_string()) return op_ + " operation failed to decode from: missing value";
      return transfer(from->get<std::string>());
    }
    json* value = operation.contains("value") ? &operation["value"] : nullptr;
    if (value == nullptr && strict_) return op_ + " operation without value";
    json null;
    json& given = value != nullptr ? *value : null;
    if (op_ == "add") return add(path_, std::move(given));
    return op_ == "replace" ? replace(std::move(given)) : test(given);
  }

 private:
  static const json* member(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
  }

  Place locate(std::string_view path) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos || (strict_ && slash != 0)) return {};
    json* at = &document_;
    path.remove_prefix(slash + 1);
    for (auto next = path.find('/'); next != std::string_view::npos; next = path.find('/')) {
      at = child(*at, unescape(path.substr(0, next)));
      if (at == nullptr) return {};
      path.remove_prefix(next + 1);
    }
    if (!at->is_structured()) return {};
    return {at, unescape(path)};
  }

  /// An index into a list of `size` places, if the token is one.
  std::optional<std::size_t> index(std::string_view token, std::size_t size) const {
    const bool plain =
        !token.empty() && token.front() >= '0' && token.front() <= '9' && (token.size() == 1 || token.front() != '0');
    if (strict_ && !plain) return {};
    if (!token.empty() && token.front() == '+') token.remove_prefix(1);
    std::int64_t at = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), at);
    if (error != std::errc{} || end != token.data() + token.size()) return {};
    if (at < 0) at += static_cast<std::int64_t>(size);
    if (at < 0 || at >= static_cast<std::int64_t>(size)) return {};
    return static_cast<std::size_t>(at);
  }

  json* child(json& container, const std::string& token) const {
    if (container.is_object()) {
      const auto found = container.find(token);
      return found == container.end() ? nullptr : &*found;
    }
    if (!container.is_array()) return nullptr;
    const auto at = index(token, container.size());
    return at ? &container[*at] : nullptr;
  }

  std::string no_path(std::string_view path) const {
    return op_ + " operation does not apply: doc is missing path: " + in_quotes(path) + ": missing value";
  }
  static std::string no_index(std::string_view path, std::string_view token) {
    return "error in path " + in_quotes(path) + ": " + in_quotes(token) +
           " is no index within the list: invalid index referenced";
  }

  std::optional<std::string> add(std::string_view path, json&& value) {
    if (path.empty() && strict_) {
      document_ = std::move(value);
      return {};
    }
    const Place place = locate(path);
    if (place.container == nullptr) return no_path(path);
    if (place.container->is_object()) {
      (*place.container)[place.token] = std::move(value);
      return {};
    }
    if (place.token == "-") {
      place.container->push_back(std::move(value));
      return {};
    }
    const auto at = index(place.token, place.container->size() + 1);
    if (!at) return no_index(path, place.token);
    place.container->insert(place.container->begin() + static_cast<std::ptrdiff_t>(*at), std::move(value));
    return {};
  }

  std::optional<std::string> take(std::string_view path, json* into) {
    const Place place = locate(path);
    if (place.container == nullptr) return no_path(path);
    json* const found = child(*place.container, place.token);
    if (found == nullptr) {
      if (place.container->is_array()) return no_index(path, place.token);
      return "error in " + op_ + " for path: '" + std::string(path) + "': Unable to remove nonexistent key: " + place.token +
             ": missing value";
    }
    if (into != nullptr) *into = std::move(*found);
    if (place.container->is_object()) {
      place.container->erase(place.token);
    } else {
      place.container->erase(place.container->begin() + (found - &place.container->front()));
    }
    return {};
  }

  std::optional<std::string> remove() { return take(path_, nullptr); }

  std::optional<std::string> replace(json&& value) {
    if (path_.empty()) {
      if (!strict_ && !value.is_structured()) return "replace operation value must be object or array";
      document_ = std::move(value);
      return {};
    }
    const Place place = locate(path_);
    if (place.container == nullptr) return no_path(path_);
    if (place.container->is_object() && !strict_) {
      (*place.container)[place.token] = std::move(value);
      return {};
    }
    json* const found = child(*place.container, place.token);
    if (found == nullptr) return "replace operation does not apply: doc is missing key: " + path_ + ": missing value";
    *found = std::move(value);
    return {};
  }

  std::optional<std::string> transfer(const std::string& from) {
    if (op_ == "move") {
      if (strict_ && path_.size() > from.size() && path_.starts_with(from) && path_[from.size()] == '/') {
        return "move operation: cannot move " + in_quotes(from) + " into itself";
      }
      json value;
      if (auto reason = take(from, &value)) return reason;
      return add(path_, std::move(value));
    }
    const json* found = &document_;
    if (!(strict_ && from.empty())) {
      const Place place = locate(from);
      if (place.container == nullptr) return no_path(from);
      found = child(*place.container, place.token);
      if (found == nullptr && (strict_ || place.container->is_array())) {
        return "copy operation does not apply: doc is missing from path: " + from + ": missing value";
      }
    }
    json value = found != nullptr ? *found : json();
    copied_bytes_ += text_size(value);
    if (copied_bytes_ > kCopyBytesMax) {
      return "Unable to complete the copy, the accumulated size increase of copy is " + std::to_string(copied_bytes_) +
             ", exceeding the limit " + std::to_string(kCopyBytesMax);
    }
    return add(path_, std::move(value));
  }

  std::optional<std::string> test(const json& value) {
    const json* found = &document_;
    if (!path_.empty()) {
      const Place place = locate(path_);
      if (place.container == nullptr) return "test operation does not apply: is missing path: " + path_ + ": missing value";
      found = child(*place.container, place.token);
      if (found == nullptr && place.container->is_array()) return no_index(path_, place.token);
    }
    const bool holds = found == nullptr ? !strict_ && value.is_null()
                       : strict_        ? *found == value
                                        : same_to_the_letter(*found, value);
    if (holds) return {};
    return "testing value " + path_ + " failed: test failed";
  }

  json& document_;
  const bool strict_;
  std::string op_;
  std::string path_;
  std::size_t copied_bytes_ = 0;
};

void operation(json& out, const char* op, const std::string& path, const json* value) {
  json entry{{"op", op}, {"path", path}};
  if (value != nullptr) entry["value"] = *value;
  out.push_back(std::move(entry));
}

void diff_into(json& out, const std::string& path, const json& from, const json& to) {
  if (same_to_the_letter(from, to)) return;
  if (from.is_object() && to.is_object()) {
    for (const auto& [key, value] : from.items()) {
      if (!to.contains(key)) operation(out, "remove", path + "/" + escape(key), nullptr);
    }
    for (const auto& [key, value] : to.items()) {
      const auto old = from.find(key);
      if (old == from.end()) {
        operation(out, "add", path + "/" + escape(key), &value);
      } else {
        diff_into(out, path + "/" + escape(key), *old, value);
      }
    }
    return;
  }
  if (!from.is_array() || !to.is_array()) return operation(out, "replace", path, &to);
  // What both lists begin and end with stays; the middle is changed in place as far as it goes, the rest removed or added.
  std::size_t head = 0;
  const std::size_t shorter = std::min(from.size(), to.size());
  while (head < shorter && same_to_the_letter(from[head], to[head])) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && same_to_the_letter(from[from.size() - 1 - tail], to[to.size() - 1 - tail])) ++tail;
  const std::size_t common_end = shorter - tail;
  for (std::size_t i = head; i < common_end; ++i) diff_into(out, path + "/" + std::to_string(i), from[i], to[i]);
  for (std::size_t i = from.size() - tail; i > common_end; --i)
    operation(out, "remove", path + "/" + std::to_string(i - 1), nullptr);
  for (std::size_t i = common_end; i < to.size() - tail; ++i) operation(out, "add", path + "/" + std::to_string(i), &to[i]);
}

}  // namespace

std::optional<Error> apply(json& target, json patch, Dialect dialect) {
  if (patch.is_null()) return {};
  if (!patch.is_array())
    return Error::malformed("a JSON patch is a list of operations, this is " + std::string(patch.type_name()));
  if (patch.size() > kOperationsMax) {
    return Error::too_large("The allowed maximum operations in a JSON patch is " + std::to_string(kOperationsMax) + ", got " +
                            std::to_string(patch.size()));
  }
  for (const auto& operation : patch) {
    if (!operation.is_object() && !operation.is_null()) return Error::malformed("each operation of a JSON patch is an object");
    for (const char* name : {"op", "path", "from"}) {
      if (operation.is_object() && operation.contains(name) && !operation[name].is_string() && !operation[name].is_null()) {
        return Error::malformed("error decoding patch: " + std::string(name) + " of an operation is text");
      }
    }
  }
  Patcher patcher(target, dialect);
  for (std::size_t i = 0; i < patch.size(); ++i) {
    if (auto reason = patcher.run(patch[i])) {
      Error error = Error::invalid(std::move(*reason));
      error.operation = i;
      return error;
    }
  }
  return {};
}

json diff(const json& from, const json& to) {
  json out = json::array();
  diff_into(out, "", from, to);
  return out;
}

base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch, Dialect dialect) {
  auto tree = parse_tree(target);
  if (!tree) return tree.error();
  auto operations = parse_tree(patch);
  if (!operations) return operations.error();
  if (auto error = apply(*tree, std::move(*operations), dialect)) return *error;
  return tree_text(*tree);
}

base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to) {
  const auto old = parse_tree(from);
  if (!old) return old.error();
  const auto wanted = parse_tree(to);
  if (!wanted) return wanted.error();
  return tree_text(diff(*old, *wanted));
}

}  // namespace kruise::patch::json_patch
