// The versions of the test kind (tests/data/crds): v1 is the hub that code sees, v1alpha1 is converted at the edge.
//
// A new version of a real kind gets the same two functions and the same way of decoding.
#pragma once

#include <string_view>

#include "api/generated/gadget.hpp"

namespace kruise::api {

/// Throws DecodeError when the old version's size or window is no such thing. `original` keeps the text of the old version.
[[nodiscard]] Gadget to_hub(const GadgetV1alpha1&);
/// Expressions of the selector have no place in the old version and are dropped.
[[nodiscard]] GadgetV1alpha1 from_hub(const Gadget&);

/// Reads an object of either version, by its apiVersion; DecodeError for any other.
[[nodiscard]] Gadget decode_gadget(std::string_view json);

}  // namespace kruise::api
