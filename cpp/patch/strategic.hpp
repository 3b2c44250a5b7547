// Strategic merge patch: a merge patch that knows which lists are sets and which are keyed, from the types of core kinds.
//
//     patch::strategic::apply(pod, change, api::core_type("", "v1", "Pod"));
//
// Directives: `$patch: replace|delete` in objects and keyed lists, `$deleteFromPrimitiveList/<list>`, `$setElementOrder/<list>`,
// `$retainKeys`. Where no type is known (null, or members that the type lacks) objects merge and lists are replaced.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/schema.hpp"
#include "base/result.hpp"
#include "patch/error.hpp"

namespace kruise::patch::strategic {

/// Applies in place; values are moved out of `patch`; null is the empty patch. Errors are classed as API servers do: 400 for
/// directives of the wrong form, 422 for lists of lists, 500 with an empty reason for the rest (an element without its merge key,
/// an unknown `$patch`, elements of several kinds). On an error `target` is left half patched: give a copy where that matters.
/// Like a typed decoder, nothing that arrives with the patch keeps null members or directives.
[[nodiscard]] std::optional<Error> apply(nlohmann::json& target, nlohmann::json patch, const api::TypeInfo* type);

/// The two-way patch from one object to another: apply(from, diff(from, to)) == to. Removed members become null, elements removed
/// from sets `$deleteFromPrimitiveList`, from keyed lists `$patch: delete`; `$setElementOrder` only where the order of elements
/// or their number changes. A keyed list whose keys do not tell its elements apart is replaced. What a patch cannot say is left
/// out: null members count as absent, a set's duplicates as one.
[[nodiscard]] nlohmann::json diff(const nlohmann::json& from, const nlohmann::json& to, const api::TypeInfo* type);

/// The same on texts. Text that is no JSON object is a 400.
[[nodiscard]] base::Result<std::string, Error> apply_text(std::string_view target, std::string_view patch,
                                                          const api::TypeInfo* type);
[[nodiscard]] base::Result<std::string, Error> diff_text(std::string_view from, std::string_view to, const api::TypeInfo* type);

}  // namespace kruise::patch::strategic
