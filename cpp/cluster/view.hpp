// In which form a client gets objects: whole, or metadata only, by what it accepts; and in which version.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cluster/kind.hpp"
#include "cluster/query.hpp"

namespace kruise::cluster {

class View {
 public:
  /// By the Accept header; the error is the 406 to answer.
  [[nodiscard]] static base::Result<View, client::Response> of(std::string_view accept, const KindPtr&, const Query&,
                                                               base::Time now);

  [[nodiscard]] std::string object(const Object&) const;
  /// A single object as the whole answer (a table has one row then).
  [[nodiscard]] std::string answer(const Object&) const;
  /// `metadata` of the list is given as JSON text.
  [[nodiscard]] std::string list(const std::vector<ObjectPtr>&, std::string_view metadata) const;
  /// A line of a watch; shared with every other client that sees the object in the same form.
  [[nodiscard]] std::shared_ptr<const std::string> line(EventType, const ObjectPtr&, bool first) const;
  [[nodiscard]] std::shared_ptr<const std::string> bookmark(std::uint64_t version, bool initial_events_end) const;

 private:
  /// As the version that is asked for has it.
  [[nodiscard]] Object served(const Object&) const;
  /// Rows of a table, in that version.
  [[nodiscard]] std::string table(const std::vector<const Object*>&, std::string_view metadata, bool with_columns) const;

  enum class Form : std::uint8_t { kWhole, kMetadata, kTable };

  KindPtr kind_;
  Form form_ = Form::kWhole;
  bool converted_ = false;  // storage holds another version
  std::string include_object_;
  base::Time now_;
};

}  // namespace kruise::cluster
