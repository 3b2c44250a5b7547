// OpenAPI v3 documents, one a group and version: what `kubectl explain`, `apply` and `diff` ask a server for.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/scheme.hpp"

namespace kruise::api {

/// A resource that a document describes.
struct OpenApiResource {
  Resource resource;
  /// JSON of a CRD version's `openAPIV3Schema`; empty for a core kind, which the schema tables describe.
  std::string_view schema;
  bool status = false;  // subresources
  bool scale = false;
};

/// The document of one group and version: a path for each resource and subresource, with verbs, parameters and the patch types
/// that it takes (strategic merge for core kinds only), and every schema that they need. Core fields are described by a link to
/// Kubernetes' reference. All `resources` must be of this group and version; a core kind without a schema is an open object.
/// Throws DecodeError when a CRD's schema is no JSON object.
[[nodiscard]] std::string openapi_v3_group_version(std::string_view group, std::string_view version,
                                                   std::span<const OpenApiResource> resources);

}  // namespace kruise::api
