// Versions of custom kinds beyond those that their definitions serve.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kruise::cluster {

/// Makes of an object as JSON text the same in the version that the second text names ("example.com/v1"), as a conversion webhook
/// would. Throws std::exception for an object that it cannot convert.
using Convert = std::function<std::string(std::string_view object, std::string_view api_version)>;

/// A version to be served although its definition does not say so.
struct Conversion {
  std::string definition;  // "clonesets.apps.kruise.io"
  std::string version;     // "v1beta1"
  Convert convert;
};

}  // namespace kruise::cluster
