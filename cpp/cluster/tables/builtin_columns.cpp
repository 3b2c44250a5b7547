#include "cluster/tables/builtin_columns.hpp"

#include <nlohmann/json.hpp>

#include "cluster/json_path.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

std::string joined(const std::vector<const Json*>& values) {
  std::string text;
  for (const Json* value : values) {
    if (!value->is_string()) continue;
    if (!text.empty()) text += ',';
    text += value->get_ref<const std::string&>();
  }
  return text;
}

std::string selector_text(const Json& selector) {
  const Json* labels = member(selector, "matchLabels");
  const Json& pairs = labels != nullptr ? *labels : selector;
  std::string text;
  for (const auto& [key, value] : pairs.items()) {
    if (!value.is_string()) continue;
    if (!text.empty()) text += ',';
    text += key + "=" + value.get<std::string>();
  }
  return text;
}

}  // namespace

Column name_column() {
  return {.name = "Name", .format = "name", .cell = [](const Json& tree, base::Time) {
            return Json(text_at(tree, {"metadata", "name"}));
          }};
}

Column age_column() {
  return {.name = "Age", .cell = [](const Json& tree, base::Time now) {
            return Json(age_of(text_at(tree, {"metadata", "creationTimestamp"}), now));
          }};
}

Column text_column(std::string name, std::string_view path, std::string otherwise, int priority) {
  return {.name = std::move(name),
          .priority = priority,
          .cell = [path = JsonPath::parse(path), otherwise = std::move(otherwise)](const Json& tree, base::Time) -> Json {
            const auto found = path.find(tree);
            if (found.empty()) return otherwise;
            if (found.size() > 1) return joined(found);
            if (found.front()->is_string())
              return found.front()->get_ref<const std::string&>().empty() ? Json(otherwise) : *found.front();
            return found.front()->dump();
          }};
}

Column count_column(std::string name, std::string_view path) {
  return {
      .name = std::move(name), .type = "integer", .cell = [path = JsonPath::parse(path)](const Json& tree, base::Time) -> Json {
        const auto found = path.find(tree);
        return found.empty() || !found.front()->is_number() ? Json(0) : *found.front();
      }};
}

Column containers_column() { return text_column("Containers", ".spec.template.spec.containers[*].name", {}, 1); }
Column images_column() { return text_column("Images", ".spec.template.spec.containers[*].image", {}, 1); }

Column selector_column(std::string_view path) {
  return {.name = "Selector", .priority = 1, .cell = [path = JsonPath::parse(path)](const Json& tree, base::Time) -> Json {
            const auto found = path.find(tree);
            const std::string text = found.empty() ? std::string() : selector_text(*found.front());
            return text.empty() ? "<none>" : text;
          }};
}

std::vector<Column> builtin_columns(std::string_view group, std::string_view plural) {
  if (!group.empty()) return workload_columns(group, plural);
  return plural == "pods" ? pod_columns() : core_columns(plural);
}

}  // namespace kruise::cluster
