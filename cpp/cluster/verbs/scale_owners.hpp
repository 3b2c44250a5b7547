// Owners of a count, seen through the scale subresource: there it is spec.replicas of a Scale, in the object it may stand
// elsewhere.
#pragma once

#include "cluster/verbs/ownership.hpp"

namespace kruise::cluster {

/// One request to the subresource.
class ScaleOwners {
 public:
  ScaleOwners(Call&, const OwnersPtr& of_object);

  /// `before` became `after`; both are Scales.
  void update(const Json& before, const Json& after);
  /// The Scale that an applied configuration makes, or the answer that refuses it.
  [[nodiscard]] base::Result<Json, Response> apply(const Json& live, const Json& config, bool force);
  /// Who owns what in the object afterwards.
  [[nodiscard]] OwnersPtr of_object() const;

 private:
  [[nodiscard]] fields::Write write() const;
  [[nodiscard]] std::vector<std::string> path_in(const std::string& api_version) const;

  Call& call_;
  std::vector<fields::Owner> object_;
  std::vector<fields::Owner> scale_;
};

}  // namespace kruise::cluster
