// docs/pod-fields.md names what the decoder reads, and the decoder reads what it says.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cache/pod_decoder.hpp"
#include "client/client.hpp"

namespace kruise::cache {
namespace {

/// A pod in which the field of this path ("spec.containers[].name") has a type that no field of a pod has.
nlohmann::json with_wrong_type(const std::string& path) {
  std::string pointer;
  for (const char c : path) {
    if (c == '.') pointer += '/';
    if (c == '[') pointer += "/0";
    if (c != '.' && c != '[' && c != ']') pointer += c;
  }
  nlohmann::json pod = {{"metadata", {{"name", "a"}}}};
  for (const char* list : {"/metadata/ownerReferences", "/spec/containers", "/spec/containers/0/env", "/spec/readinessGates",
                           "/spec/volumes", "/status/conditions", "/status/containerStatuses", "/status/initContainerStatuses"}) {
    pod[nlohmann::json::json_pointer(list)] = nlohmann::json::array({nlohmann::json::object()});
  }
  pod[nlohmann::json::json_pointer("/" + pointer)] = 0.5;
  return pod;
}

TEST(PodFields, EachDecodedFieldIsReallyRead) {
  const auto decoder = pod_decoder();
  for (const auto field : decoded_pod_fields()) {
    const std::string json = with_wrong_type(std::string(field)).dump() + std::string(client::Client::kPadding, '\0');
    const auto pod = decoder->decode(std::string_view(json).substr(0, json.size() - client::Client::kPadding));
    ASSERT_FALSE(pod) << field;
    std::string path = pod.error().path;
    for (std::size_t at = path.find("[0]"); at != std::string::npos; at = path.find("[0]")) path.erase(at + 1, 1);
    EXPECT_EQ(path, field);
  }
}

TEST(PodFields, TheTableNamesThemAll) {
  std::ifstream file(std::string(KRUISE_SOURCE_DIR) + "/docs/pod-fields.md");
  std::set<std::string> named;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string field = line.substr(3, line.find('`', 3) - 3);
    EXPECT_TRUE(named.insert(field).second) << field << " twice";
    const std::string readers = line.substr(line.rfind('|', line.size() - 2) + 1);
    EXPECT_GT(readers.size(), 5U) << field << " has no reader: why decode it?";
  }
  const auto decoded = decoded_pod_fields();
  EXPECT_EQ(named, std::set<std::string>(decoded.begin(), decoded.end()));
}

}  // namespace
}  // namespace kruise::cache
