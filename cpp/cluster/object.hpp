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

enum class EventType : std::uint8_t { kAdded, kModified, kDeleted };

/// Immutable; shared by storage, its log, readers and watchers. It holds text, made once, inside a line that a watch can send
/// as it is. A tree takes ten times the room: it is read from the text when somebody asks, and lives as long as this object.
/// A copy shares the text and has no tree: who needs one for a moment takes it from a copy.
class Object {
 public:
  /// `tree` carries its resourceVersion already. `type` is what the line announces.
  Object(std::string path, std::uint64_t version, const Json& tree, EventType type);
  Object(const Object&);
  Object& operator=(const Object&) = delete;
  ~Object();

  /// "namespace/name", or the name where there is no namespace.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view ns() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const Json& tree() const;
  /// What is at a path of members, without a tree of the rest; null where nothing is.
  [[nodiscard]] Json value_at(std::string_view dotted_path) const;
  /// The object as compact JSON; it starts with `{"apiVersion":`.
  [[nodiscard]] std::string_view text() const;
  /// `{"type":"MODIFIED","object":...}`, with Client::kPadding readable bytes behind it.
  [[nodiscard]] const std::string& line() const { return *line_; }
  [[nodiscard]] EventType type() const { return type_; }

 private:
  std::string path_;
  std::uint64_t version_;
  std::shared_ptr<const std::string> line_;
  EventType type_;
  mutable std::once_flag once_;  // guards the making of the one below
  mutable std::unique_ptr<const Json> tree_;
};

using ObjectPtr = std::shared_ptr<const Object>;

/// A line of a watch around a JSON text, padded for parsers that read past the end.
[[nodiscard]] std::string watch_line(std::string_view type, std::string_view object);
[[nodiscard]] std::string_view event_name(EventType);

}  // namespace kruise::cluster
