// Pods from the bytes of lists and watches, in one pass and without a tree between.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "api/pod.hpp"
#include "cache/decoder.hpp"

namespace kruise::cache {

/// Fields may come in any order; absent and null are the same; what is not in the table is passed over unread. A field of a wrong
/// type is an error that names it, cut or foreign bytes are one of syntax.
/// Pods of one decoder share what they have in common.
[[nodiscard]] std::unique_ptr<Decoder<api::Pod>> pod_decoder();

/// A field that the decoder reads, for docs/pod-fields.md: "spec.containers[].name".
[[nodiscard]] std::span<const std::string_view> decoded_pod_fields();

}  // namespace kruise::cache
