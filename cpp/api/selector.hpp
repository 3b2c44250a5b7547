// Label selectors: parsed once, matched often.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.hpp"
#include "base/result.hpp"

namespace kruise::api {

/// The wire form of metav1.LabelSelector.
struct LabelSelector {
  struct Requirement {
    std::string key;
    std::string op;  // In, NotIn, Exists, DoesNotExist
    std::vector<std::string> values;
    bool operator==(const Requirement&) const = default;
  };
  StringMap match_labels;
  std::vector<Requirement> match_expressions;
  bool operator==(const LabelSelector&) const = default;
};

class Selector {
 public:
  enum class Op : std::uint8_t { kEquals, kNotEquals, kIn, kNotIn, kExists, kDoesNotExist };
  struct Requirement {
    std::string key;
    Op op = Op::kExists;
    std::vector<std::string> values;  // sorted; one for kEquals and kNotEquals
  };
  /// Looks up one label of the object under test.
  using Lookup = std::function<std::optional<std::string_view>(std::string_view key)>;

  /// Matches everything.
  Selector() = default;
  /// The error names the faulty member, e.g. `matchExpressions[0].operator: "Foo" is not a valid operator`.
  [[nodiscard]] static base::Result<Selector, std::string> from(const LabelSelector&);
  /// Reads the query form: `a=b,c in (d,e),!f,g!=h`. Whether keys and values are fit to be labels is left to who asks.
  [[nodiscard]] static base::Result<Selector, std::string> parse(std::string_view);

  [[nodiscard]] bool empty() const { return requirements_.empty(); }
  [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; }
  [[nodiscard]] bool matches(const Lookup&) const;
  [[nodiscard]] bool matches(const StringMap& labels) const;
  /// Canonical form: requirements sorted by key, joined by `,`. matchLabels and the query's `=`, `!=` give `k=v` and `k!=v`, the
  /// others `k in (a,b)`, `k notin (a,b)` (with a single value too), `k`, `!k`.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Requirement> requirements_;  // sorted by key
};

}  // namespace kruise::api
