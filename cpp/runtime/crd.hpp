// Which kinds a server has: what a CustomResourceDefinition says, as far as a manager asks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/decode.hpp"
#include "api/scheme.hpp"

namespace kruise::runtime {

struct Crd {
  api::ObjectMeta meta;
  struct Version {
    std::string name{};
    bool served = false;
    bool storage = false;
  };
  std::vector<Version> versions;
  bool webhook_conversion = false;
  bool established = false;
};

[[nodiscard]] base::Result<std::shared_ptr<const Crd>, api::DecodeError> read_crd(std::string_view json);

/// Why this version of the kind cannot be watched; absent when it can. A version that is converted by a webhook is not watched:
/// the webhook may be ours and wait for this cache.
[[nodiscard]] std::optional<std::string> why_not_served(const Crd*, const api::Resource&);

}  // namespace kruise::runtime
