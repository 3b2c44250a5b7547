#include "api/node.hpp"

namespace kruise::api {
namespace {

void read_spec(JsonReader& in, Node& node) {
  in.object([&](std::string_view key) {
    if (key == "unschedulable") return in.read(node.unschedulable);
    if (key != "taints") return;
    node.taints.clear();
    in.array([&] {
      auto& taint = node.taints.emplace_back();
      in.object([&](std::string_view member) {
        if (member == "key") return in.read(taint.key);
        if (member == "value") return in.read(taint.value);
        if (member == "effect") return in.read(taint.effect);
      });
    });
  });
}

void read_condition(JsonReader& in, Node& node) {
  std::string type;
  std::string status;
  in.object([&](std::string_view key) {
    if (key == "type") return in.read(type);
    if (key == "status") return in.read(status);
  });
  if (type == "Ready")
    node.ready = status == "True" ? Tristate::kTrue : status == "False" ? Tristate::kFalse : Tristate::kUnknown;
}

}  // namespace

template <>
Node decode<Node>(std::string_view json) {
  Node node;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    if (key == "metadata") return read(in, node.meta);
    if (key == "spec") return read_spec(in, node);
    if (key != "status") return;
    in.object([&](std::string_view member) {
      if (member == "conditions") in.array([&] { read_condition(in, node); });
    });
  });
  return node;
}

}  // namespace kruise::api
