// RFC 4648 base64, the form of bytes in JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kruise::cluster {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// The place of the first byte that makes the text no padded base64, as Go's decoder counts; line breaks are passed over.
[[nodiscard]] std::optional<std::size_t> base64_fault(std::string_view text);

}  // namespace kruise::cluster
