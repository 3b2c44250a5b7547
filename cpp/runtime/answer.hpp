// What the runtime reads of an object that a server answered with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kruise::runtime {

struct AnswerMeta {
  std::string kind;
  std::string uid;
  std::string resource_version;
  bool terminating = false;
};

/// Everything empty when the text is no object of Kubernetes.
[[nodiscard]] AnswerMeta read_answer(std::string_view json);

/// Resource versions are opaque, except that those of one kind from one server may be compared as numbers.
[[nodiscard]] std::optional<std::uint64_t> version_number(std::string_view resource_version);

}  // namespace kruise::runtime
