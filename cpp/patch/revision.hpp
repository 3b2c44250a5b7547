// What a ControllerRevision holds of a pod template, and its hash: the contract that lets a cluster be taken over in either
// direction (docs of OpenKruise: controller revisions).
//
//     const auto data = patch::revision_data(set.spec.pod_template.text);
//     const std::string name = set_name + "-" + patch::revision_hash(*data, collision_count);
//
// Templates are text here. Members that the API's types do not know are kept and count.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/meta.hpp"
#include "api/pod.hpp"
#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch {

/// Marks the revisions that this manager wrote: it keeps every member of a template, other managers drop those too new for them.
inline constexpr std::string_view kAnnotationRevisionForm = "apps.kruise.io/revision-form";
inline constexpr std::string_view kRevisionFormComplete = "complete";

/// `{"spec":{"template":T}}` in canonical text, T being the template in normal form with `"$patch":"replace"`. An empty template
/// text is an empty template. Error 400 when the text is no JSON object.
[[nodiscard]] base::Result<std::string, Error> revision_data(std::string_view template_text);

/// The template in a revision's data (by any manager), without its directive, as compact text. Error 400 when there is none.
[[nodiscard]] base::Result<std::string, Error> template_of_revision(std::string_view data);

/// FNV-1 over the data and the collision count, in the alphabet of Kubernetes' safe names: up to ten characters.
[[nodiscard]] std::string revision_hash(std::string_view data, std::int32_t collision_count);

/// The minor version of Kubernetes whose fields the writer of a revision knew; absent for our own, which know and keep all.
[[nodiscard]] std::optional<std::int32_t> writer_level(const api::StringMap& revision_annotations);

/// Whether two templates make the same pods: equal in normal form once Kubernetes' and the documented defaults are filled in on
/// both sides. With `level` (see writer_level), what `current` has, `stored` lacks and the writer of `stored` could not know is
/// no difference. Texts that are no JSON objects are the same only to the letter.
[[nodiscard]] bool same_template(std::string_view stored, std::string_view current, std::optional<std::int32_t> level = {});

/// What a node agent reports of a container that the kubelet would start from this name and image: all that restarts one since
/// Kubernetes 1.31. On older nodes it reports `api::Pod::container_hash`.
[[nodiscard]] std::uint32_t container_hash(std::string_view name, std::string_view image);

/// What it reports of the variables that a container takes from the pod's metadata; the name orders them. `value_of` gives a
/// label's or an annotation's value, empty where there is none.
using MetadataValue = std::function<std::string_view(api::MetadataMap, std::string_view key)>;
[[nodiscard]] std::uint32_t metadata_env_hash(std::span<const api::PodFields::MetadataEnv>, const MetadataValue& value_of);

/// Decimal hash of a list of claim templates (JSON text), as recorded in `kruise.io/cloneset-volumeclaimtemplate-hash`; empty
/// when there is none. Error 400 when the text is no list of objects.
[[nodiscard]] base::Result<std::string, Error> claim_templates_hash(std::string_view claim_templates_text);

}  // namespace kruise::patch
