// What the kind CustomResourceDefinition says of itself in OpenAPI.
#pragma once

#include <string_view>

namespace kruise::cluster {

/// The schema as JSON: every field, but for the schemas that definitions hold, which are open objects.
[[nodiscard]] std::string_view definition_schema();

}  // namespace kruise::cluster
