// YAML to trees, as Kubernetes reads it: one document, scalars typed by the core schema.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kruise::cluster {

/// The error names the line.
[[nodiscard]] base::Result<nlohmann::json, std::string> parse_yaml(std::string_view text);
/// Every document that is not empty.
[[nodiscard]] base::Result<std::vector<nlohmann::json>, std::string> parse_yaml_documents(std::string_view text);

}  // namespace kruise::cluster
