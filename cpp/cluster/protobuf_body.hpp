// Request bodies in Kubernetes' protobuf form, which kubectl uses for the kinds it knows.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kruise::cluster {

/// The object as a tree, by the field numbers of api/schema.hpp. The error is one line.
[[nodiscard]] base::Result<nlohmann::json, std::string> parse_protobuf_body(std::string_view body);

}  // namespace kruise::cluster
