// New pods and their claims, as JSON text. What all pods of one revision have in common is put together once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/generated/clone_set.hpp"
#include "base/time.hpp"
#include "workload/template.hpp"

namespace kruise::controllers::cloneset {

struct NewClaim {
  std::string name;
  std::string body;
};

/// How the set refers to itself as owner and controller.
[[nodiscard]] api::OwnerReference controller_reference(const api::CloneSet&);

class PodBuilder {
 public:
  /// Pods of `pod_template` with this revision label, and the set's claim templates of now.
  PodBuilder(const api::CloneSet&, const workload::Template& pod_template, const std::string& revision, base::Time now);

  [[nodiscard]] std::string pod_name(std::string_view id) const;
  [[nodiscard]] std::string pod(std::string_view id) const;
  [[nodiscard]] std::vector<NewClaim> claims(std::string_view id) const;
  /// Volumes that containers mount and nothing provides: left behind when a claim template was removed. Such a pod cannot be
  /// made.
  [[nodiscard]] const std::vector<std::string>& missing_volumes() const { return missing_volumes_; }

 private:
  struct ClaimTemplate {
    std::string name;
    std::string metadata_rest;  // annotations and the like: `"annotations":{...}`, empty when there are none
    api::StringMap labels;
    std::string spec;
  };

  std::string set_name_;
  std::string ns_;
  api::OwnerReference owner_;
  std::vector<ClaimTemplate> claim_templates_;
  std::string metadata_rest_;  // all members of metadata but name, generateName, namespace and labels
  api::StringMap labels_;
  std::string spec_rest_;     // all members of spec but volumes
  std::string volumes_rest_;  // volumes of the template, without brackets
  std::vector<std::string> missing_volumes_;
};

}  // namespace kruise::controllers::cloneset
