// Reading JSON trees whose shape is not certain: what is absent, null or of another type reads as empty.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "cluster/object.hpp"

namespace kruise::cluster {

/// The member, or null when `value` is no object or has none (a JSON null counts as none).
[[nodiscard]] const Json* member(const Json& value, std::string_view name);
/// The member, or an empty object.
[[nodiscard]] const Json& object_of(const Json& value, std::string_view name);
[[nodiscard]] const Json* member_at(const Json& value, std::initializer_list<std::string_view> path);
/// Empty when it is no string.
[[nodiscard]] std::string_view text_of(const Json& value, std::string_view name);
[[nodiscard]] std::string_view text_at(const Json& value, std::initializer_list<std::string_view> path);
[[nodiscard]] std::int64_t integer_of(const Json& value, std::string_view name, std::int64_t otherwise);
[[nodiscard]] bool bool_of(const Json& value, std::string_view name);
/// The member as an object, made when absent or of another type.
Json& object_in(Json& value, std::string_view name);
/// Sets `name` to what `from` has, or takes it away when `from` has none.
void copy_member(Json& to, const Json& from, std::string_view name);
/// Equal, where absent, null, {} and [] are the same.
[[nodiscard]] bool same(const Json* a, const Json* b);
[[nodiscard]] bool empty_value(const Json* value);

}  // namespace kruise::cluster
