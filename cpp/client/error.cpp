#include "client/error.hpp"

namespace kruise::client {

std::string ApiError::text() const {
  std::string text = message.empty() ? "the server gave no message" : message;
  text += " (";
  if (code != 0) text += std::to_string(code) + " ";
  return text + (reason.empty() ? "Unknown" : reason) + ")";
}

}  // namespace kruise::client
