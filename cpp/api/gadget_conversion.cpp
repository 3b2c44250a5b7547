#include "api/gadget_conversion.hpp"

#include <charconv>
#include <limits>

namespace kruise::api {
namespace {

std::optional<std::int32_t> size_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "small") return 1;
  if (text == "large") return 10;
  std::int32_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size()) throw DecodeError("spec.size", "\"" + text + "\" is no size");
  return size;
}

std::optional<std::int32_t> window_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto window = base::parse_go_duration(text);
  if (!window) throw DecodeError("spec.window", "\"" + text + "\" is no duration");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*window).count();
  if (seconds > std::numeric_limits<std::int32_t>::max()) throw DecodeError("spec.window", "\"" + text + "\" is too long");
  return static_cast<std::int32_t>(seconds);
}

}  // namespace

Gadget to_hub(const GadgetV1alpha1& old) {
  Gadget hub;
  hub.meta = old.meta;
  hub.original = old.original;
  hub.spec.size = size_of(old.spec.size);
  hub.spec.window_seconds = window_of(old.spec.window);
  hub.spec.selector.match_labels = old.spec.labels;
  hub.status.observed_generation = old.status.observed_generation;
  hub.status.seen = old.status.seen;
  return hub;
}

GadgetV1alpha1 from_hub(const Gadget& hub) {
  GadgetV1alpha1 old;
  old.meta = hub.meta;
  old.original = hub.original;
  if (hub.spec.size)
    old.spec.size = *hub.spec.size == 1 ? "small" : *hub.spec.size == 10 ? "large" : std::to_string(*hub.spec.size);
  if (hub.spec.window_seconds) old.spec.window = base::format_go_duration(std::chrono::seconds(*hub.spec.window_seconds));
  old.spec.labels = hub.spec.selector.match_labels;
  old.status.observed_generation = hub.status.observed_generation;
  old.status.seen = hub.status.seen;
  return old;
}

Gadget decode_gadget(std::string_view json) {
  const auto envelope = decode<PartialMeta>(json);
  if (envelope.api_version == "test.kruise.io/v1") return decode<Gadget>(json);
  if (envelope.api_version == "test.kruise.io/v1alpha1") return to_hub(decode<GadgetV1alpha1>(json));
  throw DecodeError("apiVersion", "\"" + envelope.api_version + "\" is not a version of Gadget");
}

}  // namespace kruise::api
