// Requests by verb, in Kubernetes' terms.
//
//     client.send(client::patch(api::kPods, {"default", "web-1"},
//     client::PatchType::kStrategic, body), done);
#pragma once

#include <string>
#include <string_view>

#include "api/key.hpp"
#include "api/scheme.hpp"
#include "client/client.hpp"

namespace kruise::client {

enum class PatchType : std::uint8_t { kJson, kMerge, kStrategic, kApply };

/// The media type of a patch body.
[[nodiscard]] std::string_view content_type(PatchType);

// Every field has an initializer so that designated ones may leave it out
// without a warning.

struct ListOptions {
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};
  std::string resource_version_match{};
  std::string continue_token{};
  int limit = 0;  // 0: all
};

struct WatchOptions {
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};
  bool bookmarks = true;
  bool send_initial_events = false;
  int timeout_s = 0;  // 0: the server's choice
};

struct WriteOptions {
  std::string subresource{};    // "status", "scale"
  std::string field_manager{};  // required for kApply
  bool dry_run = false;
  bool force = false;              // kApply only
  std::string field_validation{};  // Ignore, Warn, Strict
};

struct DeleteOptions {
  std::string uid{};               // precondition, empty: none
  std::string resource_version{};  // precondition, empty: none
  std::optional<int> grace_period_s{};
  std::string propagation{};  // Background, Foreground, Orphan
  bool dry_run = false;
};

/// "/api/v1/namespaces/ns/pods/name/sub"; parts that are empty are left out.
[[nodiscard]] std::string path_of(const api::Resource&, std::string_view ns, std::string_view name = {},
                                  std::string_view subresource = {});

[[nodiscard]] Request get(const api::Resource&, const api::Key&, std::string_view subresource = {});
/// An empty namespace means all namespaces.
[[nodiscard]] Request list(const api::Resource&, std::string_view ns, const ListOptions& = {});
[[nodiscard]] Request watch(const api::Resource&, std::string_view ns, const WatchOptions& = {});
[[nodiscard]] Request create(const api::Resource&, std::string_view ns, std::string body, const WriteOptions& = {});
[[nodiscard]] Request update(const api::Resource&, const api::Key&, std::string body, const WriteOptions& = {});
[[nodiscard]] Request patch(const api::Resource&, const api::Key&, PatchType, std::string body, const WriteOptions& = {});
[[nodiscard]] Request remove(const api::Resource&, const api::Key&, const DeleteOptions& = {});

}  // namespace kruise::client
