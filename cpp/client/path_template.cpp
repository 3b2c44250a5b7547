#include "client/path_template.hpp"

#include <vector>

namespace kruise::client {
namespace {

constexpr std::size_t kPartsUsual = 8;

struct Parts {
  std::vector<std::string_view> all;
  std::size_t resource = 0;  // index of the plural in `all`; 0: the path names none
  bool in_namespace = false;

  [[nodiscard]] bool has_name() const { return resource != 0 && all.size() > resource + 1; }
};

Parts split(std::string_view path) {
  Parts parts;
  parts.all.reserve(kPartsUsual);
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.all.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  std::size_t at = 0;
  if (!parts.all.empty() && parts.all[0] == "api") at = 2;
  if (!parts.all.empty() && parts.all[0] == "apis") at = 3;
  if (at == 0 || parts.all.size() <= at) return parts;
  // /namespaces/x and its own subresources are about the namespace itself; with a plural behind, about what is in it.
  const bool namespaces = parts.all[at] == "namespaces" && parts.all.size() > at + 2;
  const bool of_namespace = namespaces && (parts.all[at + 2] == "status" || parts.all[at + 2] == "finalize");
  parts.in_namespace = namespaces && !of_namespace;
  parts.resource = parts.in_namespace ? at + 2 : at;
  return parts;
}

}  // namespace

std::string path_template(std::string_view path) {
  const Parts parts = split(path);
  std::string text;
  for (std::size_t i = 0; i < parts.all.size(); ++i) {
    text += '/';
    if (parts.in_namespace && i + 1 == parts.resource) {
      text += "{namespace}";
    } else if (parts.has_name() && i == parts.resource + 1) {
      text += "{name}";
    } else {
      text += parts.all[i];
    }
  }
  return text;
}

std::string_view verb_of(std::string_view method, std::string_view path) {
  const Parts parts = split(path);
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return parts.has_name() ? "delete" : "deletecollection";
  if (parts.resource == 0 || parts.has_name()) return "get";
  return path.find("watch=1") != std::string_view::npos || path.find("watch=true") != std::string_view::npos ? "watch" : "list";
}

}  // namespace kruise::client
