// One version of one object, as storage holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace kruise::cluster {

using Json = nlohmann::json;

namespace fields {
class Owners;
}
/// Who owns which fields; null where nobody does.
using OwnersPtr = std::shared_ptr<const fields::Owners>;

enum class EventType : std::uint8_t { kAdded, kModified, kDeleted };

/// Immutable; shared by storage, its log, readers and watchers. It holds text, made once, inside a line that a watch can send
/// as it is, metadata.managedFields included. A tree takes ten times the room: it is read from the text when somebody asks, and
/// lives as long as this object. A copy shares the text and has no tree: who needs one for a moment takes it from a copy. Trees
/// are without managedFields, which are half of a pod's text and change by rules of their own: `owners` has them.
class Object {
 public:
  /// `tree` carries its resourceVersion already. `type` is what the line announces.
  Object(std::string path, std::uint64_t version, const Json& tree, EventType type, OwnersPtr owners = nullptr);
  Object(const Object&);
  Object& operator=(const Object&) = delete;
  ~Object();

  /// "namespace/name", or the name where there is no namespace.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view ns() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const Json& tree() const;
  [[nodiscard]] const OwnersPtr& owners() const { return owners_; }
  /// What is at a path of members, without a tree of the rest; null where nothing is.
  [[nodiscard]] Json value_at(std::string_view dotted_path) const;
  /// The object as compact JSON; it starts with `{"apiVersion":`.
  [[nodiscard]] std::string_view text() const;
  /// `{"type":"MODIFIED","object":...}`, with Client::kPadding readable bytes behind it.
  [[nodiscard]] const std::string& line() const { return *line_; }
  [[nodiscard]] EventType type() const { return type_; }

 private:
  /// The value at a path of the text without managedFields.
  [[nodiscard]] Json parsed(std::string_view dotted_path) const;

  std::string path_;
  std::uint64_t version_;
  std::shared_ptr<const std::string> line_;
  EventType type_;
  OwnersPtr owners_;
  std::size_t owners_begin_ = 0;  // of managedFields in text()
  std::size_t owners_bytes_ = 0;
  mutable std::once_flag once_;  // guards the making of the one below
  mutable std::unique_ptr<const Json> tree_;
};

using ObjectPtr = std::shared_ptr<const Object>;

/// Appends a tree and its owners as one JSON text.
void append_object(std::string& out, const Json& tree, const OwnersPtr& owners);
/// A line of a watch around a JSON text, padded for parsers that read past the end.
[[nodiscard]] std::string watch_line(std::string_view type, std::string_view object);
[[nodiscard]] std::string_view event_name(EventType);

}  // namespace kruise::cluster
