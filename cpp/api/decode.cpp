#include "api/decode.hpp"

#include "base/json_writer.hpp"

namespace kruise::api {
namespace {

void read_owner(JsonReader& in, OwnerReference& owner) {
  in.object([&](std::string_view key) {
    if (key == "apiVersion") return in.read(owner.api_version);
    if (key == "kind") return in.read(owner.kind);
    if (key == "name") return in.read(owner.name);
    if (key == "uid") return in.read(owner.uid);
    if (key == "controller") return in.read(owner.controller);
    if (key == "blockOwnerDeletion") return in.read(owner.block_owner_deletion);
  });
}

template <class T>
T envelope(std::string_view json) {
  T object;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    if (key == "apiVersion") return in.read(object.api_version);
    if (key == "kind") return in.read(object.kind);
    if (key == "metadata") return read(in, object.meta);
  });
  return object;
}

}  // namespace

template <>
PartialMeta decode<PartialMeta>(std::string_view json) {
  return envelope<PartialMeta>(json);
}

template <>
RawObject decode<RawObject>(std::string_view json) {
  auto object = envelope<RawObject>(json);
  object.text.text = json;
  return object;
}

void write(base::JsonWriter& out, const OwnerReference& owner) {
  out.begin_object();
  out.key("apiVersion").string(owner.api_version).key("kind").string(owner.kind);
  out.key("name").string(owner.name).key("uid").string(owner.uid);
  if (owner.controller) out.key("controller").boolean(true);
  if (owner.block_owner_deletion) out.key("blockOwnerDeletion").boolean(true);
  out.end_object();
}

void read(JsonReader& in, ObjectMeta& meta) {
  in.object([&](std::string_view key) {
    if (key == "name") return in.read(meta.name);
    if (key == "namespace") return in.read(meta.ns);
    if (key == "uid") return in.read(meta.uid);
    if (key == "resourceVersion") return in.read(meta.resource_version);
    if (key == "generation") return in.read(meta.generation);
    if (key == "creationTimestamp") return in.read(meta.creation_timestamp);
    if (key == "deletionTimestamp") return in.read(meta.deletion_timestamp);
    if (key == "labels") return in.read(meta.labels);
    if (key == "annotations") return in.read(meta.annotations);
    if (key == "finalizers") return in.read(meta.finalizers);
    if (key == "ownerReferences") {
      meta.owners.clear();
      return in.array([&] { read_owner(in, meta.owners.emplace_back()); });
    }
  });
}

void write(base::JsonWriter& out, const ObjectMeta& meta) {
  out.begin_object();
  if (!meta.name.empty()) out.key("name").string(meta.name);
  if (!meta.ns.empty()) out.key("namespace").string(meta.ns);
  if (!meta.uid.empty()) out.key("uid").string(meta.uid);
  if (!meta.resource_version.empty()) out.key("resourceVersion").string(meta.resource_version);
  if (meta.generation != 0) out.key("generation").integer(meta.generation);
  if (meta.creation_timestamp) out.key("creationTimestamp").string(base::format_time(*meta.creation_timestamp));
  if (meta.deletion_timestamp) out.key("deletionTimestamp").string(base::format_time(*meta.deletion_timestamp));
  if (!meta.labels.empty()) write(out.key("labels"), meta.labels);
  if (!meta.annotations.empty()) write(out.key("annotations"), meta.annotations);
  if (!meta.finalizers.empty()) {
    out.key("finalizers").begin_array();
    for (const auto& finalizer : meta.finalizers) out.string(finalizer);
    out.end_array();
  }
  if (!meta.owners.empty()) {
    out.key("ownerReferences").begin_array();
    for (const auto& owner : meta.owners) write(out, owner);
    out.end_array();
  }
  out.end_object();
}

void read(JsonReader& in, LabelSelector& selector) {
  in.object([&](std::string_view key) {
    if (key == "matchLabels") return in.read(selector.match_labels);
    if (key != "matchExpressions") return;
    selector.match_expressions.clear();
    in.array([&] {
      auto& requirement = selector.match_expressions.emplace_back();
      in.object([&](std::string_view member) {
        if (member == "key") return in.read(requirement.key);
        if (member == "operator") return in.read(requirement.op);
        if (member == "values") return in.read(requirement.values);
      });
    });
  });
}

void write(base::JsonWriter& out, const LabelSelector& selector) {
  out.begin_object();
  if (!selector.match_labels.empty()) write(out.key("matchLabels"), selector.match_labels);
  if (!selector.match_expressions.empty()) {
    out.key("matchExpressions").begin_array();
    for (const auto& requirement : selector.match_expressions) {
      out.begin_object().key("key").string(requirement.key).key("operator").string(requirement.op);
      if (!requirement.values.empty()) {
        out.key("values").begin_array();
        for (const auto& value : requirement.values) out.string(value);
        out.end_array();
      }
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

void write(base::JsonWriter& out, const StringMap& map) {
  out.begin_object();
  for (const auto& [key, value] : map) out.key(key).string(value);
  out.end_object();
}

void write(base::JsonWriter& out, const IntOrString& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) {
    out.integer(*number);
  } else {
    out.string(std::get<std::string>(value.value));
  }
}

}  // namespace kruise::api
