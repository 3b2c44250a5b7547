// The words of strategic merge patches. Private to this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "api/schema.hpp"

namespace kruise::patch::strategic {

inline constexpr std::string_view kPatch = "$patch";
inline constexpr std::string_view kRetainKeys = "$retainKeys";
inline constexpr std::string_view kSetElementOrder = "$setElementOrder";
inline constexpr std::string_view kDeleteFromPrimitiveList = "$deleteFromPrimitiveList";

/// What is known of one member.
struct Member {
  const api::TypeInfo* type = nullptr;
  bool known = false;  // the type declares it
  bool merges = false;
  bool retains_keys = false;
  std::string_view merge_key;
  /// Of a list: the type of its elements.
  [[nodiscard]] const api::TypeInfo* element() const {
    return type != nullptr && type->kind == api::TypeInfo::Kind::kList ? type->element : nullptr;
  }
};
[[nodiscard]] Member member_of(const api::TypeInfo* type, std::string_view name);

}  // namespace kruise::patch::strategic
