// The annotations in which an in-place update keeps its state on the pod. Their form is a contract with other tools and with
// managers of other versions, so later members are read too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/pod.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::workload {

/// Labels and annotations that a container takes variables from, with their new values.
struct ReferredMetadata {
  std::map<std::string, std::string, std::less<>> labels{};
  std::map<std::string, std::string, std::less<>> annotations{};
  bool operator==(const ReferredMetadata&) const = default;
};

/// Value of `apps.kruise.io/inplace-update-state`.
struct InPlaceState {
  /// A container as it was when its image was changed.
  struct Before {
    std::string image_id{};
    std::string container_id{};  // own addition: tells a restart from none where both images have one ID
    bool operator==(const Before&) const = default;
  };
  struct Batch {
    std::string timestamp{};
    std::vector<std::string> containers{};
    bool operator==(const Batch&) const = default;
  };
  std::string revision{};
  std::optional<base::Time> update_timestamp{};
  std::map<std::string, Before, std::less<>> last_container_statuses{};
  bool update_images = false;
  bool update_env_from_metadata = false;
  // What later batches are to change, by container.
  std::map<std::string, std::string, std::less<>> next_container_images{};
  std::map<std::string, ReferredMetadata, std::less<>> next_referred_metadata{};
  bool has_next_resources = false;                       // of another manager: we change no resources
  std::vector<std::string> containers_required_ready{};  // before the next batch
  std::vector<Batch> batches{};
  bool operator==(const InPlaceState&) const = default;

  [[nodiscard]] bool has_next() const {
    return !next_container_images.empty() || !next_referred_metadata.empty() || has_next_resources;
  }
  [[nodiscard]] std::string text() const;
  /// Tolerates absent and null members; the error says what is wrong with the text.
  [[nodiscard]] static base::Result<InPlaceState, std::string> parse(std::string_view);
};

/// Value of `apps.kruise.io/inplace-update-grace`: the change that waits for the grace period to pass.
struct InPlaceGrace {
  std::string revision{};
  std::map<std::string, std::string, std::less<>> container_images{};
  std::map<std::string, ReferredMetadata, std::less<>> referred_metadata{};
  MetadataPatch metadata{};
  std::int64_t grace_seconds = 0;
  bool operator==(const InPlaceGrace&) const = default;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] static base::Result<InPlaceGrace, std::string> parse(std::string_view);
};

/// The annotation under its present or its older key; absent when neither is there or it is empty.
[[nodiscard]] std::optional<std::string_view> in_place_state_text(const api::Pod&);
[[nodiscard]] std::optional<std::string_view> in_place_grace_text(const api::Pod&);

}  // namespace kruise::workload
