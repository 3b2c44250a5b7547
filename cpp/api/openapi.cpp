#include "api/openapi.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "api/json_reader.hpp"
#include "api/schema.hpp"
#include "base/json_writer.hpp"

namespace kruise::api {
namespace {

using base::JsonWriter;
using Kind = TypeInfo::Kind;

constexpr std::string_view kReference = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#";
constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The name under which API servers publish a type: "core_v1" and "Pod" are "io.k8s.api.core.v1.Pod".
std::string component_of(const TypeInfo& type) {
  if (type.package == "meta_v1") return std::string(kMeta) + std::string(type.name);
  const auto split = type.package.find('_');
  return "io.k8s.api." + std::string(type.package.substr(0, split)) + "." + std::string(type.package.substr(split + 1)) + "." +
         std::string(type.name);
}

std::string link_to(const TypeInfo& type) {
  const auto split = type.package.find('_');
  return std::string(kReference) + lower(type.name) + "-" + std::string(type.package.substr(split + 1)) + "-" +
         std::string(type.package.substr(0, split));
}

void write_gvk(JsonWriter& out, const Resource& of) {
  out.begin_object().key("group").string(of.group).key("kind").string(of.kind).key("version").string(of.version).end_object();
}

std::string_view topology_word(Topology topology) {
  switch (topology) {
    case Topology::kAtomic:
      return "atomic";
    case Topology::kSet:
      return "set";
    case Topology::kMap:
      return "map";
    case Topology::kGranular:
      return "granular";
    case Topology::kUnset:
      return {};
  }
  return {};
}

/// Writes the schemas of a document, and remembers which further ones they refer to.
class Schemas {
 public:
  Schemas(JsonWriter& out, std::span<const OpenApiResource> resources) : out_(out), resources_(resources) {}

  void write() {
    out_.begin_object();
    for (const auto& one : resources_) {
      if (!one.schema.empty()) {
        write_custom(one);
      } else if (const TypeInfo* type = core_type(one.resource.group, one.resource.version, one.resource.kind)) {
        need(*type);
      } else {
        out_.key(custom_name(one.resource)).begin_object().key("type").string("object");
        write_kinds(one.resource);
        out_.end_object();
      }
    }
    while (!pending_.empty()) {
      const TypeInfo* type = pending_.front();
      pending_.pop_front();
      write_type(*type);
    }
    write_leaves();
    out_.end_object();
  }

 private:
  /// "io.kruise.apps.v1alpha1.CloneSet": the group reversed, as API servers name CRDs.
  static std::string custom_name(const Resource& of) {
    std::string name;
    std::string_view rest = of.group;
    while (!rest.empty()) {
      const auto dot = rest.rfind('.');
      name += std::string(rest.substr(dot == std::string_view::npos ? 0 : dot + 1)) + ".";
      rest = rest.substr(0, dot == std::string_view::npos ? 0 : dot);
    }
    return name + of.version + "." + of.kind;
  }

  void write_kinds(const Resource& of) {
    out_.key("x-kubernetes-group-version-kind").begin_array();
    write_gvk(out_, of);
    out_.end_array();
  }

  /// The CRD's own schema, with the metadata that every object has.
  void write_custom(const OpenApiResource& one) {
    out_.key(custom_name(one.resource)).begin_object();
    JsonReader in(one.schema);
    in.object([&](std::string_view key) {
      RawJson text;
      if (key != "properties") {
        const std::string name(key);
        in.read(text);
        if (!text.empty()) out_.key(name).raw(text.text);
        return;
      }
      out_.key("properties").begin_object();
      in.object([&](std::string_view member) {
        const std::string name(member);
        in.read(text);
        if (name == "metadata") return;
        out_.key(name).raw(text.empty() ? "{}" : std::string_view(text.text));
        text = {};
      });
      const TypeInfo& meta = *part_type("ObjectMeta");
      out_.key("metadata").begin_object();
      write_reference(meta, true);
      out_.key("description").string(link_to(meta)).end_object().end_object();
    });
    write_kinds(one.resource);
    out_.end_object();
  }

  void need(const TypeInfo& type) {
    if (seen_.insert(&type).second) pending_.push_back(&type);
  }

  void write_type(const TypeInfo& type) {
    out_.key(component_of(type)).begin_object().key("type").string("object").key("description").string(link_to(type));
    if (!type.fields.empty()) {
      out_.key("properties").begin_object();
      for (const FieldInfo& field : type.fields) {
        out_.key(field.name).begin_object();
        write_value(*field.type, true);
        out_.key("description").string(link_to(type));  // the type it refers to adds its own
        write_facts(field);
        out_.end_object();
      }
      out_.end_object();
    }
    if (std::ranges::any_of(type.fields, &FieldInfo::required)) {
      out_.key("required").begin_array();
      for (const FieldInfo& field : type.fields) {
        if (field.required) out_.string(field.name);
      }
      out_.end_array();
    }
    for (const auto& one : resources_) {
      if (one.schema.empty() && core_type(one.resource.group, one.resource.version, one.resource.kind) == &type)
        write_kinds(one.resource);
    }
    out_.end_object();
  }

  void write_facts(const FieldInfo& field) {
    if (!field.enum_values().empty()) {
      out_.key("enum").begin_array();
      for (const auto value : field.enum_values()) out_.string(value);
      out_.end_array();
    }
    if (!field.default_json().empty()) out_.key("default").raw(field.default_json());
    if (const auto word = topology_word(field.topology); !word.empty()) {
      out_.key(field.type->kind == Kind::kList ? "x-kubernetes-list-type" : "x-kubernetes-map-type").string(word);
    }
    if (!field.list_keys().empty()) {
      out_.key("x-kubernetes-list-map-keys").begin_array();
      for (const auto key : field.list_keys()) out_.string(key);
      out_.end_array();
    }
    if (!field.merge_key.empty()) out_.key("x-kubernetes-patch-merge-key").string(field.merge_key);
    if (field.patch_merge || field.patch_retain_keys) {
      out_.key("x-kubernetes-patch-strategy")
          .string(field.patch_merge && field.patch_retain_keys ? "merge,retainKeys"
                  : field.patch_merge                          ? "merge"
                                                               : "retainKeys");
    }
  }

  /// The members of a schema that say what kind of value it is. `beside_others`: a `$ref` must stand in an `allOf` then.
  void write_value(const TypeInfo& type, bool beside_others) {
    const auto scalar = [&](std::string_view name, std::string_view format) {
      out_.key("type").string(name);
      if (!format.empty()) out_.key("format").string(format);
    };
    switch (type.kind) {
      case Kind::kObject:
        need(type);
        return write_reference(type, beside_others);
      case Kind::kList:
        return write_inner("array", "items", *type.element);
      case Kind::kMap:
        return write_inner("object", "additionalProperties", *type.element);
      case Kind::kString:
        return scalar("string", {});
      case Kind::kBytes:
        return scalar("string", "byte");
      case Kind::kInt32:
        return scalar("integer", "int32");
      case Kind::kInt64:
        return scalar("integer", "int64");
      case Kind::kFloat:
        return scalar("number", "double");
      case Kind::kBool:
        return scalar("boolean", {});
      case Kind::kAny:
        return scalar("object", {});
      case Kind::kTime:
        return write_leaf("io.k8s.apimachinery.pkg.apis.meta.v1.Time", beside_others);
      case Kind::kMicroTime:
        return write_leaf("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", beside_others);
      case Kind::kQuantity:
        return write_leaf("io.k8s.apimachinery.pkg.api.resource.Quantity", beside_others);
      case Kind::kIntOrString:
        return write_leaf("io.k8s.apimachinery.pkg.util.intstr.IntOrString", beside_others);
    }
  }

  void write_inner(std::string_view type, std::string_view member, const TypeInfo& element) {
    out_.key("type").string(type).key(member).begin_object();
    write_value(element, false);
    out_.end_object();
  }

  void write_reference(const TypeInfo& type, bool beside_others) {
    need(type);
    write_leaf(component_of(type), beside_others);
  }

  void write_leaf(std::string_view component, bool beside_others) {
    if (beside_others) out_.key("allOf").begin_array().begin_object();
    out_.key("$ref").string("#/components/schemas/" + std::string(component));
    if (beside_others) out_.end_object().end_array();
  }

  void write_leaves() {
    const auto text = [&](std::string_view name, std::string_view format) {
      out_.key(name).begin_object().key("type").string("string").key("format").string(format).end_object();
    };
    text("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "date-time");
    text("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", "date-time");
    text("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "int-or-string");
    out_.key("io.k8s.apimachinery.pkg.api.resource.Quantity")
        .raw(R"({"oneOf":[{"type":"string"},{"type":"number"}],"description":")" + std::string(kReference) +
             R"(quantity-resource-core"})");
  }

  JsonWriter& out_;
  std::span<const OpenApiResource> resources_;
  std::set<const TypeInfo*> seen_;
  std::deque<const TypeInfo*> pending_;
};

/// Writes the paths of a document.
class Paths {
 public:
  Paths(JsonWriter& out, const OpenApiResource& one) : out_(out), one_(one), answers_with_(one.resource) {}

  void write() {
    const Resource& r = one_.resource;
    std::string base = (r.group.empty() ? "/api/" : "/apis/" + r.group + "/") + r.version;
    if (r.namespaced()) base += "/namespaces/{namespace}";
    base += "/" + r.plural;
    begin(base);
    verb("get", "list", {"fieldSelector", "labelSelector", "limit", "continue", "resourceVersion", "watch"});
    verb("post", "post", {"dryRun", "fieldManager", "fieldValidation"});
    verb("delete", "deletecollection", {"dryRun", "fieldSelector", "labelSelector"});
    out_.end_object();
    item(base + "/{name}", true);
    if (one_.status) item(base + "/{name}/status", false);
    if (!one_.scale) return;
    answers_with_ = {"autoscaling", "v1", "Scale", "", Scope::kNamespaced};
    item(base + "/{name}/scale", false);
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  void begin(const std::string& path) {
    out_.key(path).begin_object().key("parameters").begin_array();
    for (const std::string_view name : {"namespace", "name"}) {
      if (path.find("{" + std::string(name) + "}") == std::string::npos) continue;
      out_.begin_object().key("name").string(name).key("in").string("path").key("required").boolean(true);
      out_.key("schema").raw(R"({"type":"string"})").end_object();
    }
    out_.end_array();
  }

  void item(const std::string& path, bool deletable) {
    begin(path);
    verb("get", "get", {});
    verb("put", "put", {"dryRun", "fieldManager", "fieldValidation"});
    verb("patch", "patch", {"dryRun", "fieldManager", "fieldValidation", "force"});
    if (deletable) verb("delete", "delete", {"dryRun", "gracePeriodSeconds", "propagationPolicy"});
    out_.end_object();
  }

  void verb(std::string_view method, std::string_view action, Names parameters) {
    out_.key(method).begin_object();
    out_.key("operationId").string(std::string(action) + answers_with_.kind).key("parameters").begin_array();
    for (const auto name : parameters) {
      out_.begin_object()
          .key("name")
          .string(name)
          .key("in")
          .string("query")
          .key("schema")
          .raw(R"({"type":"string"})")
          .end_object();
    }
    out_.end_array();
    if (method == "patch") {
      out_.key("requestBody").begin_object().key("content").begin_object();
      for (const std::string_view type : {"application/apply-patch+yaml", "application/json-patch+json",
                                          "application/merge-patch+json", "application/strategic-merge-patch+json"}) {
        const bool strategic = type == "application/strategic-merge-patch+json";
        if (!strategic || one_.schema.empty()) out_.key(type).raw(R"({"schema":{"type":"object"}})");
      }
      out_.end_object().end_object();
    }
    out_.key("responses").raw(R"({"200":{"description":"OK"}})").key("x-kubernetes-action").string(action);
    write_gvk(out_.key("x-kubernetes-group-version-kind"), answers_with_);
    out_.end_object();
  }

  JsonWriter& out_;
  const OpenApiResource& one_;
  Resource answers_with_;
};

}  // namespace

std::string openapi_v3_group_version(std::string_view group, std::string_view version,
                                     std::span<const OpenApiResource> resources) {
  JsonWriter out;
  out.begin_object().key("openapi").string("3.0.0").key("info").begin_object();
  out.key("title").string(group.empty() ? "core" : group).key("version").string(version).end_object();
  out.key("paths").begin_object();
  for (const auto& one : resources) Paths(out, one).write();
  out.end_object().key("components").begin_object().key("schemas");
  Schemas(out, resources).write();
  out.end_object().end_object();
  return std::move(out).text();
}

}  // namespace kruise::api
