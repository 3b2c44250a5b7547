#include "cluster/gc/graph.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

namespace kruise::cluster::gc {
namespace {

namespace od = simdjson::ondemand;

void read_owner(od::object item, Owner& out) {
  for (auto field : item) {
    const std::string_view key = field.unescaped_key();
    if (key == "apiVersion") {
      out.api_version = std::string_view(field.value().get_string());
    } else if (key == "kind") {
      out.kind = std::string_view(field.value().get_string());
    } else if (key == "name") {
      out.name = std::string_view(field.value().get_string());
    } else if (key == "uid") {
      out.uid = std::string_view(field.value().get_string());
    } else if (key == "controller") {
      out.controller = field.value().get_bool();
    } else if (key == "blockOwnerDeletion") {
      out.blocks = field.value().get_bool();
    }
  }
}

void read_member(std::string_view key, od::value value, Node& out) {
  if (value.is_null()) return;
  if (key == "name") {
    out.name = std::string_view(value.get_string());
  } else if (key == "namespace") {
    out.ns = std::string_view(value.get_string());
  } else if (key == "uid") {
    out.uid = std::string_view(value.get_string());
  } else if (key == "resourceVersion") {
    const std::string_view text = value.get_string();
    std::from_chars(text.data(), text.data() + text.size(), out.version);
  } else if (key == "deletionTimestamp") {
    out.deleting = true;
  } else if (key == "finalizers") {
    for (od::value item : value.get_array()) out.finalizers.emplace_back(std::string_view(item.get_string()));
  } else if (key == "ownerReferences") {
    for (od::object item : value.get_array()) read_owner(item, out.owners.emplace_back());
  }
}

}  // namespace

bool Node::has_finalizer(std::string_view name) const { return std::ranges::find(finalizers, name) != finalizers.end(); }

bool read(std::string_view json, Node& out) {
  static thread_local od::parser parser;
  out = Node();
  try {
    od::document document = parser.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
    for (auto field : document.find_field_unordered("metadata").get_object()) {
      const std::string_view key = field.unescaped_key();
      read_member(key, od::value(field.value()), out);
    }
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
  return !out.uid.empty();
}

Node& Graph::put(Node node) {
  Node& slot = nodes_[node.uid];
  node.busy = slot.busy;
  if (slot.uid == node.uid && slot.owners == node.owners && slot.ns == node.ns) {
    slot = std::move(node);
    return slot;
  }
  for (const auto& owner : slot.owners) {
    const auto found = dependents_.find(owner.uid);
    if (found == dependents_.end()) continue;
    found->second.erase(node.uid);
    if (found->second.empty()) dependents_.erase(found);
  }
  for (const auto& owner : node.owners) dependents_[owner.uid].insert(node.uid);
  if (!node.ns.empty()) namespaces_[node.ns].insert(node.uid);
  slot = std::move(node);
  return slot;
}

void Graph::erase(const std::string& uid) {
  const auto found = nodes_.find(uid);
  if (found == nodes_.end()) return;
  for (const auto& owner : found->second.owners) {
    const auto known = dependents_.find(owner.uid);
    if (known == dependents_.end()) continue;
    known->second.erase(uid);
    if (known->second.empty()) dependents_.erase(known);
  }
  if (const auto home = namespaces_.find(found->second.ns); home != namespaces_.end()) {
    home->second.erase(uid);
    if (home->second.empty()) namespaces_.erase(home);
  }
  nodes_.erase(found);
  note_deleted(uid);
}

void Graph::note_deleted(const std::string& uid) {
  if (deleted_.size() >= kDeletedMax) deleted_.clear();
  deleted_.insert(uid);
}

Node* Graph::find(const std::string& uid) {
  const auto found = nodes_.find(uid);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<std::string> Graph::dependents(const std::string& uid) const {
  const auto found = dependents_.find(uid);
  if (found == dependents_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::vector<std::string> Graph::in_namespace(std::string_view ns) const {
  const auto found = namespaces_.find(ns);
  if (found == namespaces_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace kruise::cluster::gc
