// CloneSet in its two versions: v1alpha1 is stored and is what code sees, v1beta1 groups the update strategy anew.
//
// Objects are converted as text, so that templates and fields that we do not know pass as they are. Used where versions are
// served: by the embedded cluster in process, by a conversion webhook elsewhere.
#pragma once

#include <string>
#include <string_view>

namespace kruise::api {

/// The same object in the version that `api_version` names ("apps.kruise.io/v1beta1"); as it is when it has that version. Throws
/// DecodeError naming the field of a type that it cannot have, or the version that is unknown.
///
/// There and back again nothing is lost but what `type: OnDelete` has no place for in v1beta1 (partition, budgets, order, pause),
/// and defaults are spelled out. Annotations and labels that v1beta1 has fields for stay on the object.
[[nodiscard]] std::string convert_clone_set(std::string_view json, std::string_view api_version);

}  // namespace kruise::api
