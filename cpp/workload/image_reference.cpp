#include "workload/image_reference.hpp"

namespace kruise::workload {
namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kOldDefaultRegistry = "index.docker.io";

/// A first component is a registry when it could be a host: it has a dot or a
/// port, or is localhost.
bool is_registry(std::string_view part) { return part == "localhost" || part.find_first_of(".:") != std::string_view::npos; }

}  // namespace

std::string normalized_image(std::string_view image) {
  if (image.empty()) return {};
  std::string_view digest;
  if (const auto at = image.find('@'); at != std::string_view::npos) {
    digest = image.substr(at);
    image = image.substr(0, at);
  }
  std::string_view registry = kDefaultRegistry;
  std::string_view path = image;
  if (const auto slash = image.find('/'); slash != std::string_view::npos && is_registry(image.substr(0, slash))) {
    registry = image.substr(0, slash);
    path = image.substr(slash + 1);
  }
  if (registry == kOldDefaultRegistry) registry = kDefaultRegistry;

  std::string_view tag = ":latest";
  // Only a colon in the last component is a tag's; one before is a registry's
  // port.
  const auto last_slash = path.rfind('/');
  if (const auto colon = path.find(':', last_slash == std::string_view::npos ? 0 : last_slash); colon != std::string_view::npos) {
    tag = path.substr(colon);
    path = path.substr(0, colon);
  }
  std::string full(registry);
  full += '/';
  if (registry == kDefaultRegistry && path.find('/') == std::string_view::npos) full += "library/";
  full += path;
  full += digest.empty() ? tag : digest;
  return full;
}

bool same_image(std::string_view a, std::string_view b) { return a == b || normalized_image(a) == normalized_image(b); }

}  // namespace kruise::workload
