// metadata of every object: what the server fills in, keeps, and refuses.
#pragma once

#include <string>
#include <string_view>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "cluster/field_errors.hpp"
#include "cluster/kind.hpp"

namespace kruise::cluster {

/// A version 4 UUID from the seeded stream.
[[nodiscard]] std::string fresh_uid(base::Random&);
/// `base` and five letters, no longer than 63 together.
[[nodiscard]] std::string generated_name(std::string_view base, base::Random&);

/// Forgets what a client may not choose and sets UID and creation time.
void begin_life(Json& tree, std::string uid, base::Time now);
/// Carries over what an update cannot change (creation and deletion times, generation) and what it left out (uid).
void keep_identity(Json& now, const Json& before);

void validate_metadata(const Kind&, const Json& tree, FieldErrors&);
/// How often the original judges metadata in one update, once for every kind and again for the kind itself: its answer names each
/// fault as often.
struct MetadataJudgings {
  int of_change = 2;  // what may not change, and the syntax of what did
  int of_form = 2;    // the syntax alone
};
void validate_metadata_update(const Json& now, const Json& before, MetadataJudgings, FieldErrors&);

/// Drops maps and lists without members and strings without text from metadata, as the server's own form has them.
void tidy_metadata(Json& metadata);

}  // namespace kruise::cluster
