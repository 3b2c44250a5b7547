#include "cluster/query.hpp"

#include <algorithm>
#include <charconv>

namespace kruise::cluster {
namespace {

std::string unescape(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) segments.push_back(unescape(path.substr(0, end), false));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return segments;
}

}  // namespace

Query::Query(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    parameters_.emplace_back(unescape(pair.substr(0, equals), true),
                             unescape(pair.substr(std::min(equals + 1, pair.size())), true));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string_view Query::get(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, [](const auto& p) -> std::string_view { return p.first; });
  return found == parameters_.end() ? std::string_view{} : std::string_view(found->second);
}

bool Query::has(std::string_view name) const {
  return std::ranges::any_of(parameters_, [&](const auto& p) { return p.first == name; });
}

bool Query::flag(std::string_view name) const {
  if (!has(name)) return false;
  const std::string_view value = get(name);
  return value != "0" && value != "false" && value != "False" && value != "FALSE";
}

RequestInfo::RequestInfo(const client::Request& request) {
  const std::string_view line = request.path;
  const std::size_t mark = std::min(line.find('?'), line.size());
  path = unescape(line.substr(0, mark), false);
  query = Query(line.substr(std::min(mark + 1, line.size())));

  std::vector<std::string> parts = segments_of(line.substr(0, mark));
  std::size_t at = 0;
  const auto take = [&] { return at < parts.size() ? parts[at++] : std::string(); };
  const std::string root = take();
  if (root == "apis") {
    group = take();
  } else if (root != "api") {
    return;
  }
  version = take();
  resource = take();
  // A namespace is a scope only when a resource follows it; `namespaces/x/status` is one of its own subresources.
  const bool own_subresource = at + 1 < parts.size() && (parts[at + 1] == "status" || parts[at + 1] == "finalize");
  if (resource == "namespaces" && group.empty() && at + 1 < parts.size() && !own_subresource) {
    ns = take();
    resource = take();
  } else if (resource == "namespaces" && !group.empty() && at + 1 < parts.size()) {
    ns = take();
    resource = take();
  }
  name = take();
  subresource = take();
  while (at < parts.size()) rest.push_back(take());
}

}  // namespace kruise::cluster
