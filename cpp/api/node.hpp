// Node as controllers and the scheduler simulator see it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/decode.hpp"
#include "api/meta.hpp"
#include "api/pod.hpp"

namespace kruise::api {

struct Node {
  struct Taint {
    std::string key;
    std::string value;
    std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute
    bool operator==(const Taint&) const = default;
  };
  ObjectMeta meta;
  bool unschedulable = false;           // .spec.unschedulable
  std::vector<Taint> taints;            // .spec.taints
  Tristate ready = Tristate::kUnknown;  // condition Ready; kUnknown when it is missing too
  bool operator==(const Node&) const = default;
};
using NodePtr = std::shared_ptr<const Node>;

template <>
Node decode<Node>(std::string_view json);

}  // namespace kruise::api
