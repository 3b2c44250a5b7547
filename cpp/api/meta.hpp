// Metadata that every object carries, for the kinds of which there are few.
// Pods have a compact form of their own (pod.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/key.hpp"
#include "base/time.hpp"

namespace kruise::api {

using StringMap = std::map<std::string, std::string, std::less<>>;

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool block_owner_deletion = false;
  bool operator==(const OwnerReference&) const = default;
  /// The group part of `api_version`: an owner matches by group, kind and UID,
  /// never by version.
  [[nodiscard]] std::string_view group() const {
    const auto slash = api_version.find('/');
    return slash == std::string::npos ? std::string_view{} : std::string_view(api_version).substr(0, slash);
  }
};

struct ObjectMeta {
  std::string name;
  std::string ns;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<base::Time> creation_timestamp;
  std::optional<base::Time> deletion_timestamp;
  StringMap labels;
  StringMap annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owners;
  bool operator==(const ObjectMeta&) const = default;

  [[nodiscard]] Key key() const { return {ns, name}; }
  [[nodiscard]] const OwnerReference* controller() const {
    for (const auto& owner : owners) {
      if (owner.controller) return &owner;
    }
    return nullptr;
  }
};

/// JSON text of a part of an object whose fields we do not type (pod and claim
/// templates): kept to the letter.
struct RawJson {
  std::string text;
  bool operator==(const RawJson&) const = default;
  [[nodiscard]] bool empty() const { return text.empty() || text == "null"; }
};

}  // namespace kruise::api
