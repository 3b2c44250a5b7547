// RFC 4648 base64, the form of bytes in JSON.
#pragma once

#include <string>
#include <string_view>

namespace kruise::cluster {

[[nodiscard]] std::string base64_encode(std::string_view bytes);

}  // namespace kruise::cluster
