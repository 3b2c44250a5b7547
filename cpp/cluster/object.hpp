// One version of one object, as storage holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace kruise::cluster {

using Json = nlohmann::json;

enum class EventType : std::uint8_t { kAdded, kModified, kDeleted };

/// Immutable; shared by storage, its log, readers and watchers. Its text is made once, inside a line that a watch can send
/// as it is.
class Object {
 public:
  /// `tree` carries its resourceVersion already. `type` is what the line announces.
  Object(std::string path, std::uint64_t version, std::shared_ptr<const Json> tree, EventType type);

  /// "namespace/name", or the name where there is no namespace.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view ns() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const Json& tree() const { return *tree_; }
  /// The object as compact JSON; it starts with `{"apiVersion":`.
  [[nodiscard]] std::string_view text() const;
  /// `{"type":"MODIFIED","object":...}`, with Client::kPadding readable bytes behind it.
  [[nodiscard]] const std::string& line() const { return line_; }
  [[nodiscard]] EventType type() const { return type_; }

 private:
  std::string path_;
  std::uint64_t version_;
  std::shared_ptr<const Json> tree_;
  std::string line_;
  EventType type_;
};

using ObjectPtr = std::shared_ptr<const Object>;

/// A line of a watch around a JSON text, padded for parsers that read past the end.
[[nodiscard]] std::string watch_line(std::string_view type, std::string_view object);
[[nodiscard]] std::string_view event_name(EventType);

}  // namespace kruise::cluster
