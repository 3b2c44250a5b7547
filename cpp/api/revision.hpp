// ControllerRevision and PersistentVolumeClaim as controllers see them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/decode.hpp"
#include "api/meta.hpp"

namespace kruise::api {

struct Revision {
  ObjectMeta meta;
  std::int64_t number = 0;  // .revision
  RawJson data;             // .data, to the letter
  bool operator==(const Revision&) const = default;
};
using RevisionPtr = std::shared_ptr<const Revision>;

struct Claim {
  ObjectMeta meta;
  bool operator==(const Claim&) const = default;
};
using ClaimPtr = std::shared_ptr<const Claim>;

template <>
Revision decode<Revision>(std::string_view json);
template <>
Claim decode<Claim>(std::string_view json);

[[nodiscard]] std::string encode(const Revision&);

}  // namespace kruise::api
