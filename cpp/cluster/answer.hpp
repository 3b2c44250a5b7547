// Answers: metav1.Status in all its forms, and objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.hpp"
#include "cluster/field_errors.hpp"

namespace kruise::cluster {

using client::Response;

/// Which object an answer is about, as `details` names it.
struct Subject {
  std::string group;
  std::string resource;  // plural; kind in answers about validity
  std::string kind;
  std::string name;
  std::string uid;
  /// "pods", "clonesets.apps.kruise.io"
  [[nodiscard]] std::string qualified_resource() const;
  [[nodiscard]] std::string qualified_kind() const;
};

/// The general form.
struct StatusAnswer {
  int code = 500;
  std::string reason = {};
  std::string message = {};
  std::string name = {}, group = {}, kind = {}, uid = {};  // details
  std::vector<client::Cause> causes = {};
  int retry_after_s = 0;
};
[[nodiscard]] Response answer(const StatusAnswer&);

[[nodiscard]] Response ok_json(std::string body, int code = 200);
[[nodiscard]] Response not_found(const Subject&);
[[nodiscard]] Response already_exists(const Subject&, std::string_view before = {});
/// `detail` after "Operation cannot be fulfilled on pods "x": ".
[[nodiscard]] Response conflict(const Subject&, std::string_view detail);
/// "... the object has been modified; please apply your changes to the latest version and try again"
[[nodiscard]] Response stale(const Subject&);
[[nodiscard]] Response invalid(const Subject&, const FieldErrors&);
[[nodiscard]] Response bad_request(std::string message);
[[nodiscard]] Response forbidden(const Subject&, std::string_view detail, std::vector<client::Cause> causes = {});
[[nodiscard]] Response method_not_supported();
[[nodiscard]] Response unsupported_media_type(std::string message);
[[nodiscard]] Response not_acceptable(std::string message);
/// The path leads nowhere: no group or version, or no resource of one that CustomResourceDefinitions make. Plain text.
[[nodiscard]] Response no_such_path();
/// A built-in group and version that has no such resource or subresource: "the server could not find the requested resource".
[[nodiscard]] Response no_such_resource();
/// A client asks for a version that this server has not reached.
[[nodiscard]] Response too_large_version(std::uint64_t wanted, std::uint64_t current);
[[nodiscard]] Response gone(std::string message);
[[nodiscard]] Response internal_error(std::string message);
/// The answer to a deletion that left nothing to show.
[[nodiscard]] Response deleted(const Subject&);

}  // namespace kruise::cluster
