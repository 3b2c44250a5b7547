// What makes a CloneSet one that cannot work. Such a set is never acted upon.
#pragma once

#include <optional>
#include <string>

#include "api/generated/clone_set.hpp"
#include "base/result.hpp"
#include "controllers/cloneset/pass.hpp"

namespace kruise::controllers::cloneset {

/// A spec that can be worked with.
struct Checked {
  Targets targets;
  UpdateType type = UpdateType::kReCreate;
  api::Selector selector;
  workload::TemplatePtr wanted;
};

/// The error names the field: `spec.template.spec.containers: must name at least one container`.
[[nodiscard]] base::Result<Checked, std::string> check(const api::CloneSet&, workload::TemplateCache&);

}  // namespace kruise::controllers::cloneset
