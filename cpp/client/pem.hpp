// Checks of PEM texts, so that a bad certificate is told when it is read and not by a failed handshake.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kruise::client {

/// Number of certificates in the text; 0 when one of them cannot be read.
[[nodiscard]] int certificates_in(std::string_view pem);
/// What is wrong with a client's certificate and key ("the key does not belong to the certificate"); empty when nothing is.
[[nodiscard]] std::string key_pair_problem(std::string_view certificate_pem, std::string_view key_pem);
/// Strict base64, line breaks allowed; absent when the text is none.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);
[[nodiscard]] std::string base64_encode(std::string_view bytes);

}  // namespace kruise::client
