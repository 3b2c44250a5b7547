// What a controller decided: writes in order, the new status, events, when to
// look again, and why it holds what it holds.
//
// A plan is a value: made by a pure function, printed by `kruise explain`,
// carried out by `act` and by nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/key.hpp"
#include "api/scheme.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "client/request.hpp"

namespace kruise::runtime {

/// The object that is reconciled: what its events point at.
struct ObjectReference {
  const api::Resource* resource = nullptr;
  api::Key key;
  std::string uid;
  std::string resource_version;
};

/// An event on the object that is reconciled.
struct Event {
  enum class Type : std::uint8_t { kNormal, kWarning };
  Type type = Type::kNormal;
  std::string reason{};
  std::string message{};
  bool operator==(const Event&) const = default;
};

/// One request. Patch bodies with preconditions are objects that begin with
/// `{"metadata":{`: `act` puts them in.
struct Write {
  enum class Verb : std::uint8_t { kCreate, kPatch, kDelete };
  Verb verb = Verb::kCreate;
  const api::Resource* resource = nullptr;
  api::Key key{};
  std::string subresource{};
  client::PatchType patch_type = client::PatchType::kStrategic;
  std::string body{};

  std::string uid{};               // precondition; empty: none
  std::string resource_version{};  // precondition; empty: none
  /// Take the version that the write before in the same chain answered with as
  /// precondition.
  bool version_of_previous = false;

  /// Answers that mean "as wished already".
  bool not_found_is_success = false;

  std::optional<Event> on_success{};
  /// The error's text is appended to the message.
  std::optional<Event> on_failure{};
  /// What this write does to the object, for people: "create", "update image",
  /// "set InPlaceUpdateReady=False".
  std::string purpose{};
};

/// Writes that must run one after the other; a failed one ends the chain.
using Chain = std::vector<Write>;

/// Independent chains: each may be carried out or not, whatever becomes of the
/// others. They are pipelined in a window that begins at one and doubles with
/// each success.
struct Step {
  std::vector<Chain> chains;
};

/// Why an object is, or is not, acted upon: `held: maxUnavailable 2/2 used by
/// web-x1 (not ready), web-x7 (updating)`.
struct Reason {
  enum class Verdict : std::uint8_t { kHeld, kActing, kDone, kInvalid };
  Verdict verdict = Verdict::kHeld;
  std::string object;  // pod name, or empty for the whole set
  std::string rule;    // "maxUnavailable", "partition", "paused", "grace",
                       // "lifecycle", ...
  std::string text;    // one sentence with the figures
  bool operator==(const Reason&) const = default;
};

struct Plan {
  std::vector<Step> steps;  // in order; a step starts when all chains of those before have succeeded
  /// Written after the steps (also when they failed), only if present. A merge
  /// patch of the status subresource; how failures of the steps appear in it is
  /// the kind's own affair (`on_error`).
  std::optional<Write> status;
  /// The status tells of something under way, of which the next change will tell again: it may be left out for a while after
  /// one was written. What users wait for (a new generation seen, a condition, all done) may not.
  bool status_may_wait = false;
  /// Makes the status to write when a step failed, from the error's text;
  /// empty: `status` as it is. Not asked about objects that have only changed
  /// meanwhile, which is no failure.
  std::function<std::optional<Write>(const client::ApiError&)> status_after_error;
  /// Best effort, after the status; failures are logged only (podsToDelete,
  /// history).
  std::vector<Write> cleanup;
  std::vector<Event> events;
  std::optional<base::Duration> requeue;
  /// An error of the plan itself (a pod that may not be updated in place, ...):
  /// retried with back-off after the steps.
  std::optional<std::string> error;
  std::vector<Reason> reasons;
  /// How many objects the plan looked at: what it costs, as far as it can be known without a clock. Keys whose plans are
  /// expensive are not planned anew for each event.
  std::size_t objects = 0;

  [[nodiscard]] bool writes_nothing() const { return steps.empty() && !status && cleanup.empty(); }
};

/// The feature gates a plan may ask about; a value, so that a plan stays a pure
/// function.
class Gates;

/// What a plan may know beyond the observed objects.
struct Context {
  base::Time now;
  const Gates* gates = nullptr;
  /// Fresh names come from here: seeded, so that a plan is reproducible to the
  /// letter.
  base::Random random{0};
};

}  // namespace kruise::runtime
