// The syntax of names, labels and annotations, and what Kubernetes says when it is broken.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/field_errors.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// What is wrong with the text, in the server's words; empty when nothing is.
using Complaints = std::vector<std::string>;
[[nodiscard]] Complaints check_subdomain(std::string_view);
[[nodiscard]] Complaints check_label_name(std::string_view);
/// RFC 1035: starts with a letter.
[[nodiscard]] Complaints check_service_name(std::string_view);
[[nodiscard]] Complaints check_path_segment(std::string_view);
[[nodiscard]] Complaints check_qualified_name(std::string_view);
[[nodiscard]] Complaints check_label_value(std::string_view);
/// A key of a config map or secret.
[[nodiscard]] Complaints check_config_key(std::string_view);
[[nodiscard]] Complaints check_name(NameRule, std::string_view);

void validate_labels(const Json& labels, std::string_view path, FieldErrors&);
void validate_annotations(const Json& annotations, std::string_view path, FieldErrors&);

}  // namespace kruise::cluster
