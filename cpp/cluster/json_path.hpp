// The part of Kubernetes' JSONPath that printer columns use: `.a.b`, `['a']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/object.hpp"

namespace kruise::cluster {

class JsonPath {
 public:
  /// Never fails: a part it does not understand matches nothing.
  [[nodiscard]] static JsonPath parse(std::string_view);
  [[nodiscard]] std::vector<const Json*> find(const Json& tree) const;

 private:
  struct Step {
    enum class Kind : std::uint8_t { kMember, kIndex, kAll, kFilter, kNothing };
    Kind kind = Kind::kNothing;
    std::string name;   // kMember; of kFilter: the path below @
    std::string value;  // kFilter
    bool equal = true;  // kFilter
    std::int64_t index = 0;
  };
  void parse_bracket(std::string_view inside);

  std::vector<Step> steps_;
};

}  // namespace kruise::cluster
