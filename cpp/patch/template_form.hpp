// The normal form of templates: what is left of the many ways to write the same one.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "api/schema.hpp"

namespace kruise::patch {

/// The form that a typed round trip through the API gives, but members that the type lacks stay and count: null and plain
/// optional values that are "", 0, false, [] or {} go; what means something by its presence stays; required members and structs
/// are written even when absent; quantities are canonical.
void normalise(nlohmann::json&, const api::TypeInfo& type);

/// Fills in what the API server would in a pod made of the template, and OpenKruise's admission in the template (containers pull
/// Always). Works on a pod template in normal form.
void fill_template_defaults(nlohmann::json& pod_template);

/// Takes out of `tree` what `other` lacks and a writer at Kubernetes 1.`minor` could not have known, so that the two can be
/// compared.
void drop_newer_than(nlohmann::json& tree, const nlohmann::json& other, const api::TypeInfo& type, std::int32_t minor);

}  // namespace kruise::patch
