// Which objects of a list or watch a client wants: namespace, label selector, field selector.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/selector.hpp"
#include "base/result.hpp"
#include "client/client.hpp"
#include "cluster/kind.hpp"
#include "cluster/query.hpp"

namespace kruise::cluster {

class Selection {
 public:
  /// From `labelSelector` and `fieldSelector`; the error is the 400 to answer.
  [[nodiscard]] static base::Result<Selection, client::Response> from(const KindPtr&, const RequestInfo&);

  [[nodiscard]] bool matches(const Object&) const;
  [[nodiscard]] bool selects_all() const { return labels_.empty() && fields_.empty(); }
  /// "namespace/" or empty: what the paths of objects start with.
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

 private:
  struct FieldTerm {
    std::string field;
    std::string value;
    bool equal = true;
  };

  KindPtr kind_;
  std::string prefix_;
  api::Selector labels_;
  std::vector<FieldTerm> fields_;
};

}  // namespace kruise::cluster
