// What may be a label's key and value.
#pragma once

#include <string_view>

namespace kruise::api {

/// A name of at most 63 letters, digits, `-`, `_` and `.` that begins and ends with a letter or digit; before it, if any, a DNS
/// subdomain of at most 253 bytes and a `/`. Annotation keys and finalizers follow the same rule.
[[nodiscard]] bool is_label_key(std::string_view);
/// As the name of a key, or empty.
[[nodiscard]] bool is_label_value(std::string_view);
/// Dot-separated labels of lower-case letters, digits and `-`, each beginning and ending with a letter or digit; at most 253
/// bytes.
[[nodiscard]] bool is_dns_subdomain(std::string_view);

}  // namespace kruise::api
