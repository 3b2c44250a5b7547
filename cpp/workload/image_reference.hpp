// Names of container images, compared as a runtime resolves them.
#pragma once

#include <string>
#include <string_view>

namespace kruise::workload {

/// The full form: `nginx:1` is `docker.io/library/nginx:1`, a name without tag
/// and digest has tag `latest`, a tag beside a digest is dropped.
[[nodiscard]] std::string normalized_image(std::string_view);
[[nodiscard]] bool same_image(std::string_view a, std::string_view b);

}  // namespace kruise::workload
