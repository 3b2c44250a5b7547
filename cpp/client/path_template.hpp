// What a request is about, without the names in it: for metrics, whose labels must stay few.
#pragma once

#include <string>
#include <string_view>

namespace kruise::client {

/// "/api/v1/namespaces/{namespace}/pods/{name}/status" of any path; the query is left out.
[[nodiscard]] std::string path_template(std::string_view path);

/// get, list, watch, create, update, patch, delete or deletecollection.
[[nodiscard]] std::string_view verb_of(std::string_view method, std::string_view path);

}  // namespace kruise::client
