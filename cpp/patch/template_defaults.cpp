#include <nlohmann/json.hpp>

#include "api/quantity.hpp"
#include "patch/template_form.hpp"

namespace kruise::patch {
namespace {

using api::TypeInfo;
using nlohmann::json;
using Kind = TypeInfo::Kind;

void fill_declared(json& tree, const TypeInfo& type);

void set_absent(json& object, const char* name, const json& value) {
  if (!object.contains(name)) object[name] = value;
}

/// The defaults that look at other fields.
void fill_special(json& tree, const TypeInfo& type) {
  if (type.name == "Volume" && tree.size() == (tree.contains("name") ? 1 : 0)) {
    tree["emptyDir"] = json::object();
  } else if (type.name == "ResourceRequirements") {
    for (const char* name : {"limits", "requests"}) {
      const auto amounts = tree.find(name);
      if (amounts == tree.end() || !amounts->is_object()) continue;
      for (auto& [resource, amount] : amounts->items()) {
        const auto quantity = amount.is_string() ? api::Quantity::parse(amount.get<std::string>()) : std::nullopt;
        if (quantity) amount = quantity->rounded_up_to_milli().text();
      }
    }
  }
}

void fill_object(json& tree, const TypeInfo& type) {
  for (const auto& field : type.fields) {
    auto found = tree.find(field.name);
    const bool absent =
        // NOLINTNEXTLINE(readability-container-size-empty): it may be of any type, and empty() is true of lists too
        found == tree.end() || found->is_null() || (!field.pointer && (*found == "" || (found->is_number() && *found == 0)));
    if (absent && !field.default_json().empty()) {
      tree[std::string(field.name)] = json::parse(field.default_json());
      found = tree.find(field.name);
    }
    if (found != tree.end()) fill_declared(*found, *field.type);
  }
  fill_special(tree, type);
}

void fill_declared(json& tree, const TypeInfo& type) {
  if (type.kind == Kind::kObject && tree.is_object()) {
    fill_object(tree, type);
  } else if ((type.kind == Kind::kList && tree.is_array()) || (type.kind == Kind::kMap && tree.is_object())) {
    for (auto& item : tree) fill_declared(item, *type.element);
  }
}

}  // namespace

void fill_template_defaults(json& pod_template) {
  static const TypeInfo* const kTemplate = api::part_type("core_v1.PodTemplateSpec");
  fill_declared(pod_template, *kTemplate);
  const auto spec = pod_template.find("spec");
  if (spec == pod_template.end() || !spec->is_object()) return;
  set_absent(*spec, "enableServiceLinks", true);
  const bool host_network = spec->value("hostNetwork", json()) == true;
  for (const char* list : {"containers", "initContainers"}) {
    const auto containers = spec->find(list);
    if (containers == spec->end() || !containers->is_array()) continue;
    for (auto& container : *containers) {
      if (!container.is_object()) continue;
      const json image = container.value("image", json(""));
      const bool always = std::string_view(list) == "containers" || !image.is_string();
      set_absent(container, "imagePullPolicy", always ? "Always" : api::default_pull_policy(image.get<std::string>()));
      if (!host_network || !container.contains("ports") || !container["ports"].is_array()) continue;
      for (auto& port : container["ports"]) {
        if (port.is_object() && port.contains("containerPort")) set_absent(port, "hostPort", port["containerPort"]);
      }
    }
  }
}

}  // namespace kruise::patch
